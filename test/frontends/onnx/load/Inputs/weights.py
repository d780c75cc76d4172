# weights.py - the bytes of every weight are those that the onnx package reads.
#
# usage: weights.py FOLDER [MODEL.onnx...]
#
# Checks a generated model with weights in every form, then the given ones.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import hashlib
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, external_data_helper, helper, numpy_helper

from importing import fail, finish, model, node, run, value

INTEGERS = {TensorProto.INT64, TensorProto.INT32, TensorProto.INT8, TensorProto.UINT8,
            TensorProto.BOOL}


def generated(path):
    """Weights as raw data, floats, doubles, 16-bit floats in 32-bit fields, and
    in external files with and without an offset."""
    rng = np.random.default_rng(1)
    floats = rng.standard_normal((32, 32)).astype(np.float32)
    halves = floats.astype(np.float16)
    flat = floats.ravel().tolist()
    initializers = [
        numpy_helper.from_array(floats, "raw"),
        numpy_helper.from_array(halves, "raw_half"),
        helper.make_tensor("floats", TensorProto.FLOAT, [1024], flat),
        helper.make_tensor("doubles", TensorProto.DOUBLE, [1024], flat),
        helper.make_tensor("halves", TensorProto.FLOAT16, [1024], halves.ravel().tolist()),
        numpy_helper.from_array(floats + 1, "external"),
        numpy_helper.from_array(floats[:4, :16], "external_small"),
        numpy_helper.from_array(np.arange(4096), "known_integers"),
        numpy_helper.from_array(np.arange(4097), "many_integers"),
        numpy_helper.from_array(np.zeros((0, 4), np.float32), "empty"),
    ]
    late_default = numpy_helper.from_array(floats + 2, "default_location")
    late_default.data_location = TensorProto.DEFAULT
    made = model([node("Identity", ["x"], ["y"])], [*initializers, late_default])
    for tensor in made.graph.initializer:
        if tensor.name.startswith("external"):
            external_data_helper.set_external_data(tensor, "weights.bin")
    onnx.save_model(made, path, size_threshold=0)


def packed(tensor):
    """The bytes of a tensor as raw data."""
    if tensor.HasField("raw_data"):
        return tensor.raw_data
    return numpy_helper.to_array(tensor).tobytes()


def is_weight(tensor, size):
    """True for tensors that stay in the file (Tensors.cpp)."""
    elements = int(np.prod(tensor.dims))
    return size >= 1024 and not (tensor.data_type in INTEGERS and elements <= 4096)


def check(path):
    expected = {}
    for tensor in onnx.load(path).graph.initializer:
        data = packed(tensor)
        if is_weight(tensor, len(data)):
            expected[tensor.name] = hashlib.sha256(data).hexdigest()
    result = run("--print-weights", path)
    lines = [line.split(" ") for line in result.stdout.decode().splitlines()]
    got = {words[1]: words[0] for words in lines}
    if result.returncode != 0:
        fail(path, result.stderr.decode())
    # Large values of Constant nodes are weights too; the others must be there.
    wrong = [name for name, digest in expected.items() if got.get(name) != digest]
    if wrong:
        fail(path, f"{len(wrong)} of {len(expected)} weights differ: {wrong[:5]}")
    return expected


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.onnx"
    generated(path)
    names = {"raw", "raw_half", "floats", "doubles", "halves", "external", "many_integers",
             "default_location"}
    if check(path).keys() != names:
        fail(path, "the generated model does not have the expected weights")
    for name in sys.argv[2:]:
        check(name)
    finish(len(sys.argv) - 1)


if __name__ == "__main__":
    main()
