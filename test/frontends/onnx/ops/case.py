"""One operator, its attributes and its inputs: a case of the operator tests."""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import dataclasses
import zlib

import numpy as np


@dataclasses.dataclass
class Case:
    """`inputs` are arrays, None for one that is left out. An input whose index
    is in `constants` is an initializer, as a shape or a list of axes must be; one
    in `static` has static sizes in every model.
    `outputs` names the outputs that are asked for, "" for the others."""

    op: str
    inputs: list
    attributes: dict = dataclasses.field(default_factory=dict)
    constants: tuple = ()
    outputs: tuple = ("y",)
    opsets: tuple = (11, 13, 18, 23)
    note: str = ""
    static: tuple = ()

    def title(self):
        shapes = ", ".join("-" if x is None else f"{x.dtype}{list(x.shape)}" for x in self.inputs)
        return f"{self.op}({shapes}) {self.attributes} {self.note}".strip()


def random(shape, dtype="float32", low=-4, high=4, seed=""):
    """Numbers that are the same from run to run and differ between inputs."""
    key = f"{shape}{dtype}{low}{high}{seed}".encode()
    rng = np.random.default_rng(zlib.crc32(key))
    kind = np.dtype(dtype)
    if kind == np.bool_:
        return rng.integers(0, 2, shape).astype(bool)
    if kind.kind == "f":
        return np.asarray(rng.uniform(low, high, shape)).astype(kind)
    if kind.kind == "u":
        low, high = max(low, 0), max(high, 9)
    return rng.integers(low, high + 1, shape).astype(kind)


def ints(*values):
    return np.array(values, dtype=np.int64)


def scalar(value, dtype="int64"):
    return np.array(value, dtype=dtype)
