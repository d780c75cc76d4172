#!/usr/bin/env python3
"""Compares the shape analysis with what ONNX Runtime computes.

usage: compare_with_onnxruntime.py [--complete] [--allow-external DIR] MODEL_FOLDER...

Makes every intermediate tensor of a model an output, runs it in ONNX Runtime
without optimisations on each data set of the folder, and compares shape,
element type and, where the analysis knows the elements, every element with what
heddle-shapes computes from the sizes of the inputs alone. Guards must hold,
since ONNX Runtime accepts the data. Weights that are not there are taken as
zero: no shape depends on them.

  --complete             every shape must be resolved, too
  --allow-external DIR   a folder in which external data may lie

Exit code 1 on any difference.
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import argparse
import collections
import json
import math
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnx.inliner
import onnxruntime

# Element types as heddle-shapes prints them, by the numpy type of a result.
TYPES = {
    "float32": "f32", "float16": "f16", "float64": "f64", "bool": "i1",
    "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64",
    "uint8": "ui8", "uint16": "ui16", "uint32": "ui32", "uint64": "ui64",
}
SHOWN = 5


def load(path):
    """The model with its weights; those whose file is missing are zero."""
    model = onnx.load(path, load_external_data=False)
    for tensor in model.graph.initializer:
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        try:
            onnx.external_data_helper.load_external_data_for_tensor(tensor, os.path.dirname(path))
        except (FileNotFoundError, onnx.checker.ValidationError):
            dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
            tensor.raw_data = bytes(math.prod(tensor.dims) * np.dtype(dtype).itemsize)
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]
    return onnx.inliner.inline_local_functions(model) if model.functions else model


def data_sets(folder, model):
    """The inputs of each data set, by name."""
    names = [i.name for i in model.graph.input]
    for number in range(100):
        data = os.path.join(folder, f"test_data_set_{number}")
        if not os.path.isdir(data):
            return
        inputs = {}
        for index in range(len(names)):
            path = os.path.join(data, f"input_{index}.pb")
            if os.path.exists(path):
                tensor = onnx.load_tensor(path)
                inputs[tensor.name or names[index]] = onnx.numpy_helper.to_array(tensor)
        yield inputs


class Session:
    """A model whose every intermediate is an output."""

    def __init__(self, model):
        self.nodes = [n for n in model.graph.node if n.op_type != "Constant"]
        self.names = [name for node in self.nodes for name in node.output if name]
        del model.graph.output[:]
        model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in self.names)
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 4
        self.session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def run(self, inputs):
        return dict(zip(self.names, self.session.run(self.names, inputs)))


def analyse(path, sets, options):
    """What heddle-shapes finds at the input sizes of each data set."""
    sizes = [{name: list(array.shape) for name, array in inputs.items()} for inputs in sets]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(sizes, file)
        file.flush()
        process = subprocess.run(["heddle-shapes", path, f"--inputs={file.name}", *options],
                                 capture_output=True, text=True, check=False)
    if process.returncode:
        raise RuntimeError(process.stderr.strip())
    return json.loads(process.stdout)


class Comparison:
    """Counts of what agrees, and a line for each thing that does not."""

    def __init__(self):
        self.counts = collections.Counter()
        self.differences = []
        self.unresolved = collections.Counter()

    def check(self, kind, what, found, expected):
        if found == expected:
            self.counts[kind] += 1
        else:
            self.differences.append(f"{what}: {kind} is {found}, expected {expected}")

    def compare(self, node, name, found, expected):
        what = f"{node.op_type} '{name}'"
        if "shape" not in found or None in found["shape"]:
            self.unresolved[node.op_type] += 1
        else:
            self.check("shapes", f"{what} {found['symbolic']}", found["shape"], list(expected.shape))
        if "type" in found:
            self.check("types", what, found["type"], TYPES.get(expected.dtype.name))
        if "values" in found and None not in found["values"]:
            values = [int(value) for value in expected.reshape(-1)]
            self.check("arrays", what, found["values"], values)
            self.counts["elements"] += len(values)


def compare_model(folder, options):
    """Raises where either side cannot take the model."""
    path = os.path.join(folder, "model.onnx")
    model = load(path)
    sets = list(data_sets(folder, model))
    analysis = analyse(path, sets, options)
    session = Session(model)
    comparison = Comparison()
    for inputs, found in zip(sets, analysis["sets"], strict=True):
        results = session.run(inputs)
        comparison.differences += [f"guard broken: {g}" for g in found["broken_guards"]]
        ops = [(node["op"], len(node["results"])) for node in found["nodes"]]
        comparison.check("graphs", "nodes", ops, [(n.op_type, len(n.output)) for n in session.nodes])
        for node, described in zip(session.nodes, found["nodes"]):
            for name, tensor in zip(node.output, described["results"]):
                if isinstance(results.get(name), np.ndarray):
                    comparison.compare(node, name, tensor, results[name])
    comparison.counts["guards"] = len(analysis["guards"])
    return comparison


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--complete", action="store_true")
    parser.add_argument("--allow-external", action="append", default=[])
    parser.add_argument("folders", nargs="+")
    arguments = parser.parse_args()
    options = [f"--allow-external={folder}" for folder in arguments.allow_external]
    failed = False
    for folder in arguments.folders:
        name = os.path.basename(os.path.normpath(folder))
        try:
            comparison = compare_model(folder, options)
        except Exception as error:  # whatever either side throws is this model's result
            print(f"{name}: not compared: {str(error).splitlines()[0]}")
            failed = True
            continue
        counts = comparison.counts
        unresolved = sum(comparison.unresolved.values())
        print(f"{name}: {counts['shapes']} shapes, {counts['types']} types, {counts['elements']} integers equal,"
              f" {len(comparison.differences)} different, {unresolved} unresolved, {counts['guards']} guards")
        for difference in comparison.differences[:SHOWN]:
            print(f"  {difference}")
        if unresolved:
            print("  unresolved: " + ", ".join(f"{op} {n}" for op, n in comparison.unresolved.most_common(SHOWN)))
        failed |= bool(comparison.differences) or (arguments.complete and unresolved > 0)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
