"""Inputs of generated kernels, their values, and what is computed of them."""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import numpy


def e4m3_values():
    """The value of each bit pattern: bias 7, all ones NaN, no infinity."""
    bits = numpy.arange(256)
    exponent, mantissa = bits >> 3 & 15, bits & 7
    value = numpy.where(exponent == 0, mantissa * 2.0**-9,
                        (8 + mantissa) * 2.0**(exponent - 10))
    value = numpy.where(bits & 127 == 127, numpy.nan, value)
    return numpy.where(bits & 128, -value, value)


def encode(element, values):
    """The storage of values, rounded to nearest."""
    if element == "f16":
        return values.astype(numpy.float16)
    if element == "e4m3":
        table = e4m3_values()[:127]
        middles = (table[1:] + table[:-1]) / 2
        return (numpy.searchsorted(middles, numpy.abs(values)) +
                128 * (values < 0)).astype(numpy.uint8)
    words = values.astype(numpy.float32).view(numpy.uint32)
    return ((words + 0x7FFF + (words >> 16 & 1)) >> 16).astype(numpy.uint16)


def decode(element, stored):
    """The stored values as f64."""
    if element == "e4m3":
        return e4m3_values()[stored]
    if element == "bf16":
        stored = (stored.astype(numpy.uint32) << 16).view(numpy.float32)
    return stored.astype(numpy.float64)


def normal(element, shape, seed):
    """Normally distributed values, as they are stored."""
    return encode(element, numpy.random.default_rng(seed).standard_normal(shape))


def product(a, b):
    """a b in f64, and the bound for sums in f32: K 2^-23 sum |a b|."""
    return a @ b, a.shape[1] * 2.0**-23 * (numpy.abs(a) @ numpy.abs(b)) + 1e-30


def attention(q, k, v):
    """softmax(q k^T / sqrt(depth)) v. The bound: each weight is rounded to bf16
    (2^-9), and their sum as it is; scores in f32 and ex2.approx are less."""
    scores = q @ k.T / numpy.sqrt(q.shape[1])
    weights = numpy.exp(scores - scores.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    return weights @ v, (2.0**-9 + 2.0**-14) * (weights @ numpy.abs(v))
