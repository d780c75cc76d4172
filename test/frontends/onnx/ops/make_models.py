#!/usr/bin/env python3
"""Writes one model per family of operators and opset, with a data set.

usage: make_models.py OUT [--newest] [FAMILY|OPERATOR...]

Each case is a node of its own in the model of its family. Expected outputs
are what ONNX Runtime computes, or ONNX's reference implementation where ONNX
Runtime does not have the operator for a type. Every case is there with static
sizes in each of its opsets, and in the newest with sizes that are named in the
model. With --newest that is the only opset.
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import pathlib
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper, reference

import attention_cases
import elementwise_cases
import tensor_cases

# The newest ONNX Runtime that the tests may meet reads these.
IR_VERSION = 10


def value_info(name, array, symbolic):
    """Sizes of 0 and 1 stay static: what they mean depends on the value."""
    sizes = [f"n{size}" if symbolic and size > 1 else size for size in array.shape]
    return helper.make_tensor_value_info(
        name, helper.np_dtype_to_tensor_dtype(array.dtype), sizes)


class Model:
    """A graph of independent nodes."""

    def __init__(self, opset, symbolic):
        self.opset = opset
        self.symbolic = symbolic
        self.nodes, self.inputs, self.outputs, self.constants = [], [], [], []
        self.feeds, self.expected = {}, {}

    def add(self, case, prefix):
        names = []
        for i, array in enumerate(case.inputs):
            if array is None:
                names.append("")
                continue
            name = f"{prefix}_in{i}"
            names.append(name)
            if i in case.constants:
                self.constants.append(numpy_helper.from_array(array, name))
            else:
                symbolic = self.symbolic and i not in case.static
                self.inputs.append(value_info(name, array, symbolic))
                self.feeds[name] = array
        outputs = [f"{prefix}_{name}" for name in case.outputs]
        self.nodes.append(
            helper.make_node(case.op, names, outputs, name=f"{prefix} {case.title()}",
                             **case.attributes))
        self.outputs += [name for name, short in zip(outputs, case.outputs) if short]

    def build(self):
        infos = []
        for name in self.outputs:
            array = self.expected.get(name)
            infos.append(onnx.ValueInfoProto(name=name) if array is None else
                         value_info(name, array, self.symbolic))
        graph = helper.make_graph(self.nodes, "ops", self.inputs, infos, self.constants)
        return helper.make_model(graph, ir_version=IR_VERSION,
                                 opset_imports=[helper.make_opsetid("", self.opset)])


def compute(model):
    """The outputs by name; raises where neither implementation has them."""
    proto = model.build()
    try:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(proto.SerializeToString(), options)
        arrays = session.run(None, model.feeds)
    except Exception:  # what ONNX Runtime raises has no common class
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            arrays = reference.ReferenceEvaluator(proto).run(None, model.feeds)
    return dict(zip(model.outputs, map(np.asarray, arrays)))


FAMILIES = {
    **elementwise_cases.FAMILIES,
    **tensor_cases.FAMILIES,
    **attention_cases.FAMILIES,
}


def write(folder, model):
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    onnx.save(model.build(), folder / "model.onnx")
    for i, info in enumerate(model.inputs):
        tensor = numpy_helper.from_array(model.feeds[info.name], info.name)
        (data / f"input_{i}.pb").write_bytes(tensor.SerializeToString())
    for i, name in enumerate(model.outputs):
        tensor = numpy_helper.from_array(model.expected[name], name)
        (data / f"output_{i}.pb").write_bytes(tensor.SerializeToString())


def add_case(models, family, case, opset):
    """Adds the case to the models of its family."""
    single = Model(opset, symbolic=False)
    single.add(case, "c")
    expected = compute(single)
    for symbolic in (False, True) if opset == case.opsets[-1] else (False,):
        key = f"{family}-{opset}-{'symbolic' if symbolic else 'static'}"
        model = models.setdefault(key, Model(opset, symbolic))
        prefix = f"c{len(model.nodes)}"
        model.add(case, prefix)
        model.expected |= {prefix + name[1:]: array for name, array in expected.items()}


def main(arguments):
    out, wanted = pathlib.Path(arguments[0]), set(arguments[1:]) - {"--newest"}
    cases, models = 0, {}
    for family, function in FAMILIES.items():
        for case in function():
            if wanted and not wanted & {case.op, family}:
                continue
            for opset in case.opsets[-1:] if "--newest" in arguments else case.opsets:
                cases += 1
                add_case(models, family, case, opset)
    for key, model in models.items():
        write(out / key, model)
    print(f"{cases} cases in {len(models)} models")


if __name__ == "__main__":
    main(sys.argv[1:])
