"""The sample kernels with their inputs, arguments and error bounds.

`tools/gpu-check` runs them in the interpreter and on a GPU and compares the two,
run_samples.py compares the interpreter with a reference. Only the standard
library is needed here, so that a GPU machine needs nothing else.
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import ast
import math
import random
import struct
from dataclasses import dataclass, field
from pathlib import Path

KERNELS = Path(__file__).parent

# How a value is stored: NumPy's name of the type and struct's.
STORAGE = {"f32": ("<f4", "f"), "bf16": ("<u2", "H")}


def to_bf16(value):
    """The bits of a float rounded to nearest even."""
    bits = struct.unpack("<I", struct.pack("<f", value))[0]
    return (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16 & 0xFFFF


def from_bf16(bits):
    return struct.unpack("<f", struct.pack("<I", bits << 16))[0]


@dataclass
class Array:
    """A dense array; `values` are the floats that the storage can hold."""
    kind: str
    shape: tuple
    values: list

    def encoded(self):
        return [to_bf16(v) for v in self.values] if self.kind == "bf16" else self.values

    def save(self, path):
        """Writes a .npy file of version 1."""
        descr, code = STORAGE[self.kind]
        header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {self.shape!r}, }}"
        header += " " * (63 - (10 + len(header)) % 64) + "\n"
        data = struct.pack(f"<{len(self.values)}{code}", *self.encoded())
        path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) +
                         header.encode() + data)

    def load(self, path):
        """An array like this one with the contents of a .npy file."""
        data = path.read_bytes()
        size = struct.unpack_from("<H", data, 8)[0]
        header = ast.literal_eval(data[10:10 + size].decode())
        assert header["shape"] == self.shape, f"{path}: {header['shape']}"
        code = STORAGE[self.kind][1]
        values = struct.unpack_from(f"<{len(self.values)}{code}", data, 10 + size)
        if self.kind == "bf16":
            values = map(from_bf16, values)
        return Array(self.kind, self.shape, list(values))


def uniform(kind, *shape, seed):
    """Reproducible numbers in [-1, 1]."""
    draw = random.Random(seed)
    values = [draw.uniform(-1, 1) for _ in range(math.prod(shape))]
    if kind == "bf16":
        values = [from_bf16(to_bf16(v)) for v in values]
    else:
        values = [struct.unpack("<f", struct.pack("<f", v))[0] for v in values]
    return Array(kind, shape, values)


def zeros(kind, *shape):
    return Array(kind, shape, [0.0] * math.prod(shape))


def row_norms(array):
    """The Euclidean length of every row of a matrix."""
    width = array.shape[1]
    return [math.sqrt(math.fsum(v * v for v in array.values[i:i + width]))
            for i in range(0, len(array.values), width)]


@dataclass
class Case:
    """One launch. `arguments` and `buffers` name arrays in braces."""
    name: str
    kernel: Path
    options: list
    arrays: dict
    arguments: list
    outputs: list
    # bound(index, value): the largest error of an output element.
    bound: object
    # reference(numpy, arrays): the outputs in f64, by name.
    reference: object
    buffers: list = field(default_factory=list)

    def command(self, folder):
        """The words after `heddle-ptx run` or `heddle-ptx launch`."""
        paths = {name: folder / f"{name}.npy" for name in self.arrays}
        words = [str(self.kernel), *self.options]
        for option, texts in (("--buffer", self.buffers), ("--arg", self.arguments)):
            for text in texts:
                words += [option, text.format(**paths)]
        return words

    def save_inputs(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in self.arrays.items():
            array.save(folder / f"{name}.npy")


def product_bound(a, b, columns, kind):
    """|error| <= K 2^-23 sum |a b| for f32 sums, by Cauchy and Schwarz, and the
    rounding of the result to its own type."""
    depth, rows_a, rows_b = a.shape[1], row_norms(a), row_norms(b)
    unit = 2.0**-8 if kind == "bf16" else 2.0**-24

    def bound(index, value):
        sums = rows_a[index // columns] * rows_b[index % columns]
        return depth * 2.0**-23 * sums + unit * abs(value)
    return bound


def product(a, b):
    """reference() of c = a b^T."""
    def compute(numpy, arrays):
        left = numpy.array(arrays[a].values).reshape(arrays[a].shape)
        right = numpy.array(arrays[b].values).reshape(arrays[b].shape)
        return {"c": left @ right.T}
    return compute


def softmax_of(rows, width, n):
    """reference() of the softmax of the first n columns."""
    def compute(numpy, arrays):
        x = numpy.array(arrays["x"].values).reshape(rows, width)
        e = numpy.exp(x[:, :n] - x[:, :n].max(axis=1, keepdims=True))
        y = numpy.zeros((rows, width))
        y[:, :n] = e / e.sum(axis=1, keepdims=True)
        return {"y": y}
    return compute


def sums(numpy, arrays):
    return {"c": numpy.array(arrays["a"].values) + numpy.array(arrays["b"].values)}


def relative(unit):
    return lambda index, value: unit * abs(value) + 1e-30


def vector_add(n):
    return Case(
        f"vector_add-{n}", KERNELS / "vector_add.ptx",
        ["--grid", str((n + 255) // 256), "--block", "256"],
        {"a": uniform("f32", n, seed=1), "b": uniform("f32", n, seed=2), "c": zeros("f32", n)},
        ["in:{a}", "in:{b}", "out:{c}", f"{n}:u32"], ["c"], relative(2.0**-24), sums)


def affine(n):
    factor = struct.pack("<fI", 1.5, n).hex()
    return Case(
        f"affine-{n}", KERNELS / "affine.ptx",
        ["--grid", str((n + 127) // 128), "--block", "128"],
        {"x": uniform("bf16", n + 4, seed=3), "y": zeros("f32", n)},
        # The kernel starts at the fifth element of x.
        ["ptr:X+8", "out:{y}", f"hex:{factor}", "0.25:bf16"], ["y"], relative(2.0**-24),
        lambda numpy, arrays: {"y": numpy.array(arrays["x"].values[4:]) * 1.5 + 0.25},
        buffers=["X=in:{x}"])


def row_softmax(rows, n):
    return Case(
        f"row_softmax-{rows}x{n}", KERNELS / "row_softmax.ptx",
        ["--grid", str((rows + 3) // 4), "--entry", "row_softmax"],
        {"x": uniform("f32", rows, n, seed=4), "y": zeros("f32", rows, n)},
        ["in:{x}", "out:{y}", f"{rows}:u32", f"{n}:u32"], ["y"],
        # Each of n + 2 roundings, and two exponentials: 2^-22 of their own (PTX ISA,
        # ex2.approx) and as much from their rounded argument.
        relative((n + 2) * 2.0**-24 + 2 * 2.0**-21), softmax_of(rows, n, n))


def gemm_mma(m, n, k):
    a, b = uniform("bf16", m, k, seed=5), uniform("bf16", n, k, seed=6)
    return Case(
        f"gemm_mma-{m}x{n}x{k}", KERNELS / "gemm_mma.ptx",
        ["--grid", f"{n // 32},{m // 64}"], {"a": a, "b": b, "c": zeros("f32", m, n)},
        ["in:{a}", "in:{b}", "out:{c}", f"{n}:u32", f"{k}:u32"], ["c"],
        product_bound(a, b, n, "f32"), product("a", "b"))


def tensor_copy(rows, columns):
    return Case(
        f"tensor_copy-{rows}x{columns}", KERNELS / "tensor_copy.ptx",
        ["--grid", f"{(columns + 31) // 32},{(rows + 15) // 16}"],
        {"x": uniform("f32", rows, columns, seed=7), "y": zeros("f32", rows, columns)},
        ["map:X,box=16x32,swizzle=128", "out:{y}", f"{rows}:u32", f"{columns}:u32"], ["y"],
        relative(0.0),
        lambda numpy, arrays: {"y": 2 * numpy.array(arrays["x"].values)},
        buffers=["X=in:{x}"])


def gemm_wgmma(m, n, k):
    a, b = uniform("bf16", m, k, seed=8), uniform("bf16", n, k, seed=9)
    return Case(
        f"gemm_wgmma-{m}x{n}x{k}", KERNELS / "gemm_wgmma.ptx",
        ["--grid", f"{(n + 63) // 64},{(m + 63) // 64}"],
        {"a": a, "b": b, "c": zeros("f32", m, n)},
        ["map:A,type=bf16,box=64x64,swizzle=128", "map:B,type=bf16,box=64x64,swizzle=128",
         "out:{c}", f"{m}:u32", f"{n}:u32", f"{k}:u32"], ["c"],
        product_bound(a, b, n, "f32"), product("a", "b"),
        buffers=["A=in:{a}", "B=in:{b}"])


def own_cases():
    """The kernels of this folder."""
    return [vector_add(1), vector_add(1000), affine(300), row_softmax(7, 100),
            row_softmax(4, 33), gemm_mma(64, 32, 16), gemm_mma(128, 96, 64),
            tensor_copy(16, 32), tensor_copy(45, 68), gemm_wgmma(64, 64, 64),
            gemm_wgmma(100, 72, 192)]


def triton_vadd(folder, n):
    return Case(
        f"triton-vadd-{n}", folder, ["--entry=vadd", "--grid", str((n + 1023) // 1024)],
        {"a": uniform("f32", n, seed=1), "b": uniform("f32", n, seed=2), "c": zeros("f32", n)},
        ["in:{a}", "in:{b}", "out:{c}", f"{n}:i32"], ["c"], relative(2.0**-24), sums)


def triton_softmax(folder, rows, width, n):
    return Case(
        f"triton-softmax-{rows}x{n}", folder, ["--entry=softmax", "--grid", str(rows)],
        {"x": uniform("bf16", rows, width, seed=4), "y": zeros("bf16", rows, width)},
        ["out:{y}", "in:{x}", f"{width}:i32", f"{width}:i32", f"{n}:i32"], ["y"],
        relative(2.0**-8), softmax_of(rows, width, n))


def triton_matmul(folder, kernel, m, n, k):
    """c = a b for row-major b, which the bound wants transposed."""
    tile_n = 256 if kernel == "matmul" else 128
    a, b = uniform("bf16", m, k, seed=5), uniform("bf16", k, n, seed=6)
    columns = Array("bf16", (n, k), [b.values[j * n + i] for i in range(n) for j in range(k)])

    def compute(numpy, arrays):
        left, right = (numpy.array(arrays[x].values).reshape(arrays[x].shape) for x in "ab")
        return {"c": left @ right}
    return Case(
        f"triton-{kernel}-{m}x{n}x{k}", folder,
        [f"--entry={kernel}", "--grid", f"{(m + 127) // 128},{(n + tile_n - 1) // tile_n}"],
        {"a": a, "b": b, "c": zeros("bf16", m, n)},
        ["in:{a}", "in:{b}", "out:{c}", f"{m}:i32", f"{n}:i32", f"{k}:i32", f"{k}:i32",
         f"{n}:i32", f"{n}:i32"], ["c"], product_bound(a, columns, n, "bf16"), compute)


def triton_descriptors(folder, kernel, m, n, k):
    a, b = uniform("bf16", m, k, seed=8), uniform("bf16", n, k, seed=9)
    sizes = [f"{k}:i32"] if kernel == "matmul_tma" else [f"{x}:i32" for x in (m, n, k)]
    return Case(
        f"triton-{kernel}-{m}x{n}x{k}", folder,
        [f"--entry={kernel}", "--grid", f"{(m + 127) // 128},{(n + 255) // 256}"],
        {"a": a, "b": b, "c": zeros("bf16", m, n)},
        ["in:{a}", "in:{b}", "out:{c}", *sizes], ["c"],
        product_bound(a, b, n, "bf16"), product("a", "b"))


def triton_cases(folder):
    """The six kernels that Triton compiled, at sizes with and without remainder.
    `matmul` and `matmul_sm80` load without a mask, so they take multiples only."""
    return [triton_vadd(folder, 16), triton_vadd(folder, 2000),
            triton_softmax(folder, 3, 2048, 2048), triton_softmax(folder, 5, 1008, 997),
            triton_matmul(folder, "matmul", 128, 256, 64),
            triton_matmul(folder, "matmul", 256, 512, 320),
            triton_matmul(folder, "matmul_sm80", 128, 128, 32),
            triton_matmul(folder, "matmul_sm80", 256, 256, 160),
            triton_descriptors(folder, "matmul_tma", 128, 256, 64),
            triton_descriptors(folder, "matmul_tma", 200, 304, 144),
            triton_descriptors(folder, "matmul_devtma", 128, 256, 64),
            triton_descriptors(folder, "matmul_devtma", 208, 304, 144)]


def worst_error(case, name, got, expected):
    """The largest error of an output in units of its bound, over 1 if too large.
    NaN counts as infinitely wrong."""
    assert len(got) == len(expected)
    worst = 0.0
    for index, (left, right) in enumerate(zip(got, expected)):
        error = abs(left - right)
        bound = case.bound(index, right)
        ratio = 0.0 if error == 0 else (error / bound if bound > 0 else math.inf)
        worst = max(worst, math.inf if math.isnan(ratio) else ratio)
    return worst
