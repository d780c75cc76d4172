#!/usr/bin/env python3
"""Runs models of one node, with sizes that only the run time knows, on inputs that
fit together and on inputs that do not.

usage: mismatched.py HEDDLE OUT

Every axis has a name of its own in the model, so that the compiler can take nothing
for granted. Where ONNX Runtime (or, where it lacks the operator, ONNX's reference
implementation) refuses the inputs, `heddle run` must exit with 1 and name the node or
input; where it computes something, `heddle run` must compute the same. Exit code 3 if not.
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import pathlib
import subprocess
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
from onnx import helper, reference

from case import ints, random
from make_models import IR_VERSION


def floats(*shapes):
    return [random(shape, low=-1, high=1, seed=str(i)) for i, shape in enumerate(shapes)]


def cached(key, value):
    """Three queries and five keys after a cache of these shapes."""
    return [*floats((2, 4, 3, 8), (2, 4, 5, 8), (2, 4, 5, 6)), None, *floats(key, value)]


# Operator, attributes, then lists of inputs, right and wrong ones.
CASES = [
    ("Add", {}, [floats((2, 3), (3,)), floats((2, 3), (1,)), floats((2, 3), (4,)),
                 floats((2, 1), (0,)), floats((2, 3), (0,))]),
    ("Where", {}, [[np.ones((2, 1), bool), *floats((2, 3), (3,))],
                   [np.ones((3, 1), bool), *floats((2, 3), (3,))],
                   [np.ones((2, 1), bool), *floats((2, 3), (2,))]]),
    ("PRelu", {}, [floats((2, 3), (3,)), floats((2, 3), (1,)), floats((2, 3), (2,)),
                   floats((2, 3), (0,))]),
    ("Clip", {}, [[*floats((5,)), np.float32(-0.5), np.float32(0.5)]]),
    ("MatMul", {}, [floats((2, 3, 4), (2, 4, 5)), floats((2, 3, 4), (1, 4, 5)),
                    floats((2, 3, 4), (2, 3, 5)), floats((2, 3, 4), (3, 4, 5)),
                    floats((2, 3, 0), (2, 0, 5)), floats((0, 3, 4), (1, 4, 5))]),
    ("Gemm", {}, [floats((3, 4), (4, 5), (3, 5)), floats((3, 4), (4, 5), (1, 5)),
                  floats((3, 4), (4, 5), (3, 1)), floats((3, 4), (5, 5), (3, 5)),
                  floats((3, 4), (4, 5), (2, 5)), floats((3, 4), (4, 5), (3, 4))]),
    ("LayerNormalization", {}, [floats((3, 8), (8,), (8,)), floats((3, 8), (7,), (8,)),
                                floats((3, 8), (8,), (9,)), floats((3, 8), (16,), (16,))]),
    ("RMSNormalization", {}, [floats((3, 8), (8,)), floats((3, 8), (7,)), floats((3, 8), (9,))]),
    ("Concat", {"axis": 1}, [floats((2, 3), (2, 1)), floats((2, 3), (3, 3)),
                             floats((2, 0), (2, 3))]),
    ("Gather", {"axis": 0}, [[*floats((4, 3)), ints(0, 3, -4)], [*floats((4, 3)), ints(4)],
                             [*floats((4, 3)), ints(-5)], [*floats((0, 3)), ints(0)],
                             [*floats((0, 3)), ints()], [*floats((0, 3)), ints(-1, 0)],
                             [*floats((4, 0)), ints(1)]]),
    ("GatherElements", {"axis": 0}, [
        [*floats((4, 3)), random((2, 3), "int64", 0, 3)],
        [*floats((4, 3)), random((6, 2), "int64", -4, 3)],
        [*floats((4, 3)), random((2, 4), "int64", 0, 3)],
        [*floats((4, 3)), random((2, 3), "int64", 0, 3) + 2],
        [*floats((0, 3)), random((2, 3), "int64", 0, 0)]]),
    ("GatherND", {"batch_dims": 1}, [
        [*floats((2, 4, 3)), np.array([[[1]], [[3]]])], [*floats((2, 4, 3)), np.array([[[1]]])],
        [*floats((2, 4, 3)), np.array([[[1]], [[4]]])],
        [*floats((2, 0, 3)), np.array([[[0]], [[0]]])]]),
    ("OneHot", {}, [[ints(0, 2, -1), np.int64(3), *floats((2,))],
                    [ints(0, 2, 5), np.int64(3), *floats((2,))],
                    [ints(0, 2, -1), np.int64(3), *floats((1,))],
                    [ints(0, 2, -1), np.int64(3), *floats((3,))]]),
    ("Attention", {}, [
        floats((2, 4, 3, 8), (2, 4, 5, 8), (2, 4, 5, 6)),
        floats((2, 4, 3, 8), (2, 2, 5, 8), (2, 2, 5, 6)),
        floats((2, 4, 3, 8), (2, 4, 5, 7), (2, 4, 5, 6)),
        floats((2, 4, 3, 8), (2, 4, 5, 8), (2, 4, 4, 6)),
        floats((2, 4, 3, 8), (3, 4, 5, 8), (3, 4, 5, 6)),
        floats((2, 4, 3, 8), (2, 3, 5, 8), (2, 3, 5, 6)),
        floats((2, 4, 3, 8), (2, 4, 5, 8), (2, 2, 5, 6))]),
    ("Attention", {}, [
        floats((2, 4, 3, 8), (2, 4, 5, 8), (2, 4, 5, 6), (3, 5)),
        floats((2, 4, 3, 8), (2, 4, 5, 8), (2, 4, 5, 6), (2, 5)),
        floats((2, 4, 3, 8), (2, 4, 5, 8), (2, 4, 5, 6), (3, 6))]),
    ("Attention", {}, [
        cached((2, 4, 2, 8), (2, 4, 2, 6)),
        cached((2, 4, 0, 8), (2, 4, 0, 6)),
        cached((2, 4, 2, 8), (2, 4, 3, 6)),
        cached((2, 4, 2, 7), (2, 4, 2, 6)),
        cached((1, 4, 2, 8), (1, 4, 2, 6))]),
]

# Graphs of several nodes: their text, then lists of inputs.
GRAPHS = [
    # A size that is a quotient of sizes, and arithmetic with it.
    ("""<ir_version: 10, opset_import: ["" : 23]>
        quotient (float[past_a, past_b] x0, float[past_c] x1) => (float[r, s] y) {
          minus = Constant <value_ints = [-1]> ()
          rows = Shape (x1)
          target = Concat <axis = 0> (rows, minus)
          [split] parts = Reshape (x0, target)
          [twice] doubled = Concat <axis = 1> (parts, parts)
          [once] y = Relu (doubled)
        }""", [floats((4, 3), (2,)), floats((4, 3), (12,)), floats((4, 3), (5,)),
               floats((4, 3), (1,)), floats((0, 3), (2,))]),
]

# What the op takes as a constant, by input.
CONSTANTS = {"OneHot": (1,)}


def build(op, attributes, arrays, name):
    """The model, every axis a symbol."""
    infos, constants = [], []
    for i, array in enumerate(arrays):
        if array is None:
            continue
        kind = helper.np_dtype_to_tensor_dtype(np.asarray(array).dtype)
        if i in CONSTANTS.get(op, ()):
            constants.append(onnx.numpy_helper.from_array(np.asarray(array), f"x{i}"))
            continue
        # A size of this name may be 0.
        sizes = [f"past_{i}_{axis}" for axis in range(np.ndim(array))]
        if op == "GatherND" and i == 1:
            sizes[-1] = array.shape[-1]
        infos.append(helper.make_tensor_value_info(f"x{i}", kind, sizes))
    node = helper.make_node(
        op, ["" if array is None else f"x{i}" for i, array in enumerate(arrays)],
        ["y", "k", "v"] if len(arrays) == 6 else ["y"], name=name, **attributes)
    # Inference by ONNX says the rank of the result; its sizes are ours to find.
    graph = helper.make_graph([node], "one", infos, [onnx.ValueInfoProto(name="y")], constants)
    model = helper.make_model(graph, ir_version=IR_VERSION,
                              opset_imports=[helper.make_opsetid("", 23)])
    rank = len(onnx.shape_inference.infer_shapes(model).graph.output[0].type.tensor_type.shape.dim)
    output = helper.make_tensor_value_info("y", infos[0].type.tensor_type.elem_type if op != "Where"
                                           and op != "OneHot" else onnx.TensorProto.FLOAT,
                                           [f"r{axis}" for axis in range(rank)])
    graph = helper.make_graph([node], "one", infos, [output], constants)
    return helper.make_model(graph, ir_version=IR_VERSION,
                             opset_imports=[helper.make_opsetid("", 23)])


def expected(model, feeds):
    """The result, or None where the inputs are refused."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    except Exception:  # no kernel for the operator
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return reference.ReferenceEvaluator(model).run(None, feeds)[0]
        except Exception:
            return None
    try:
        return session.run(None, feeds)[0]
    except Exception:
        return None


def run(heddle, path, feeds, out):
    command = [heddle, "run", str(path), "--output", str(out)]
    for name, array in feeds.items():
        np.save(out / f"{name}.npy", array)
        command += ["--input", f"{name}={out / name}.npy"]
    (out / "y.npy").unlink(missing_ok=True)
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    value = np.load(out / "y.npy") if result.returncode == 0 else None
    return result, value


def problem(want, result, value):
    """What is wrong with a run, or None."""
    if want is None:
        named = "node '" in result.stderr or "input 'x" in result.stderr
        if result.returncode == 1 and named:
            return None
        return f"expected exit code 1 and who is to blame, got {result.returncode}: {result.stderr}"
    if result.returncode != 0:
        return f"expected an output of {list(want.shape)}, got: {result.stderr}"
    if value.shape != want.shape or not np.allclose(value, want, rtol=1e-4, atol=1e-5):
        return f"expected\n{want}\ngot\n{value}"
    return None


def models():
    """Name, model and lists of inputs by name of every case."""
    for case, (op, attributes, inputs) in enumerate(CASES):
        name = f"{op.lower()}_{case}"
        constants = CONSTANTS.get(op, ())
        feeds = [{f"x{i}": np.asarray(array) for i, array in enumerate(arrays)
                  if array is not None and i not in constants} for arrays in inputs]
        yield name, build(op, attributes, inputs[0], name), feeds
    for text, inputs in GRAPHS:
        model = onnx.parser.parse_model(text)
        yield model.graph.name, model, [{f"x{i}": array for i, array in enumerate(arrays)}
                                        for arrays in inputs]


def main(arguments):
    heddle, out = arguments[0], pathlib.Path(arguments[1])
    runs = refused = broken = 0
    for name, model, inputs in models():
        path = out / f"{name}.onnx"
        onnx.save(model, path)
        for feeds in inputs:
            want = expected(model, feeds)
            text = problem(want, *run(heddle, path, feeds, out))
            runs += 1
            refused += want is None
            if text:
                broken += 1
                shapes = ", ".join(f"{key} {list(x.shape)}" for key, x in feeds.items())
                print(f"{name} of {shapes}: {text}")
    print(f"{runs} runs, {refused} to be refused, {broken} wrong")
    return 3 if broken or not refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
