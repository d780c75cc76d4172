# refused_models.py - files and models that must be refused.
#
# usage: refused_models.py FOLDER
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import pathlib
import pickle
import random
import sys
import zipfile

import numpy as np
from onnx import SparseTensorProto, TensorProto, helper, numpy_helper

from importing import expect_all_refused, expect_refused, finish, model, node, value

NOT_ONNX = "expects an ONNX model, got a file that is none: "
UNPARSED = "expects an ONNX model, got a file that protobuf cannot parse"
CHECKER = "expects a model that the ONNX checker accepts, it says: "


def weights_model():
    weight = numpy_helper.from_array(np.ones((32, 32), np.float32), "w")
    return model([node("MatMul", ["x", "w"], ["y"])], [weight],
                 inputs=[value("x", (2, 32))], outputs=[value("y", (2, 32))])


def nested_if(depth):
    """If nodes inside each other."""
    body = helper.make_graph([helper.make_node("Identity", ["x"], [f"y{depth}"])], "g", [],
                             [value(f"y{depth}")])
    for level in range(depth - 1, -1, -1):
        branch = helper.make_node("If", ["c"], [f"y{level}"], then_branch=body, else_branch=body)
        body = helper.make_graph([branch], "g", [], [value(f"y{level}")])
    branches = list(body.node)
    return model(branches, inputs=[value("x"), value("c", (), TensorProto.BOOL)],
                 outputs=[value("y0")])


def field(number, payload):
    """A length-delimited field as protobuf writes it."""
    size, encoded = len(payload), bytes([number << 3 | 2])
    while size >= 128:
        encoded += bytes([size & 127 | 128])
        size >>= 7
    return encoded + bytes([size]) + payload


def deep_message(depth):
    """Graphs inside attributes inside nodes, deeper than any writer would go."""
    payload = b""
    for level in range(depth):
        payload = field((6, 5, 1)[level % 3], payload)
    return field(7, payload)


def function(name, nodes, opset=18, outputs=("y",)):
    return helper.make_function("f", name, ["x"], list(outputs), nodes,
                                [helper.make_opsetid("", opset), helper.make_opsetid("f", 1)])


def call(name, inputs, outputs):
    return helper.make_node(name, inputs, outputs, name=f"call_{name}", domain="f")


def with_functions(*functions, opset=18):
    return model([call(functions[0].name, ["x"], ["y"])], functions=functions,
                 opsets=(("", opset), ("f", 1)))


def function_chain(depth):
    """2^(depth - 1) nodes in a file of a few KiB."""
    chain = [function(f"F{i}", [call(f"F{i + 1}", ["x"], ["a"]), call(f"F{i + 1}", ["a"], ["y"])])
             for i in range(depth - 1)]
    last = function(f"F{depth - 1}", [node("Identity", ["x"], ["y"])])
    return with_functions(*chain, last)


def tensor(**fields):
    return TensorProto(**{"name": "w", "data_type": TensorProto.FLOAT, "dims": [2], **fields})


def of_tensor(**fields):
    return model([node("Identity", ["w"], ["y"])], [tensor(**fields)], inputs=[])


def of_opset(*opsets, ir_version=10):
    made = model([node("Identity", ["x"], ["y"])], opsets=opsets)
    made.ir_version = ir_version
    return made


def of_input(type_proto):
    made = model([node("Identity", ["x"], ["y"])])
    made.graph.input[0].type.CopyFrom(type_proto)
    return made


def of_attribute(**attributes):
    return model([node("Custom", ["x"], ["y"], domain="d", **attributes)],
                 opsets=(("", 18), ("d", 1)))


def sparse():
    values = numpy_helper.from_array(np.ones(1, np.float32), "w")
    indices = TensorProto(data_type=TensorProto.INT64, dims=[1], raw_data=b"")
    return SparseTensorProto(values=values, indices=indices, dims=[4])


def no_graph():
    made = model([])
    made.ClearField("graph")
    return made


def sparse_initializer():
    made = of_tensor(float_data=[1, 2])
    made.graph.ClearField("initializer")
    made.graph.sparse_initializer.append(sparse())
    return made


def twice(**fields):
    return model([node("Identity", ["w"], ["y"])],
                 [tensor(float_data=[1, 2]), tensor(float_data=[1, 2])], inputs=[])


def files():
    """Contents that are no model at all."""
    whole = weights_model().SerializeToString()
    yield "empty", b"", "expects an ONNX model with a graph, got none"
    yield "text", b"this is no model\n" * 8, NOT_ONNX
    yield "pickle", pickle.dumps({"weights": [1.0] * 64}), NOT_ONNX
    yield "random", random.Random(1).randbytes(4096), NOT_ONNX
    yield "truncated", whole[:len(whole) // 2], NOT_ONNX + "a field is cut short at byte"
    yield "last byte missing", whole[:-1], NOT_ONNX + "a field is cut short at byte"
    yield "number cut short", b"\x08\xff", "a number is cut short at byte 1"
    yield "number too long", b"\x08" + b"\xff" * 11, "a number has more than 64 bits at byte 1"
    yield "field 0", b"\x02\x00", "a field number is out of range at byte 0"
    yield "group", b"\x0b\x0c", "a field has an unknown wire type at byte 0"
    yield "deep messages", deep_message(3000), "messages are nested too deep at byte"
    # The numbers of graph.initializer.int64_data.
    yield "list of numbers cut short", field(7, field(5, field(7, b"\xff"))), UNPARSED


def graphs():
    """Graphs that do not hang together."""
    identity = node("Identity", ["x"], ["y"])
    yield "cycle", model([node("Add", ["x", "b"], ["a"]), node("Identity", ["a"], ["b"], "m")],
                         outputs=[value("b")]), CHECKER + "Nodes in a graph must be topologically"
    yield "use before definition", model(
        [node("Identity", ["a"], ["y"]), node("Identity", ["x"], ["a"], "m")]), CHECKER
    yield "undefined input", model([node("Identity", ["nothing"], ["y"])]), CHECKER
    yield "missing output", model([node("Identity", ["x"], ["z"])]), (
        CHECKER + "Graph output 'y' is not an output of any node")
    yield "value defined twice", model([identity, node("Neg", ["x"], ["y"], "m")]), CHECKER
    yield "initialiser twice", twice(), CHECKER + "w initializer name is not unique"
    yield "no graph", no_graph(), "expects an ONNX model with a graph, got none"
    yield "no input and no output", model([node("Identity", [], [])]), (
        "node 'n': error: " + CHECKER)
    yield "too many inputs", model([node("Neg", ["x", "x"], ["y"])]), "node 'n': error: " + CHECKER
    yield "wrong attribute type", model([node("Softmax", ["x"], ["y"], axis="last")]), (
        "node 'n': error: " + CHECKER)
    yield "unknown attribute", model([node("Softmax", ["x"], ["y"], axes=1)]), (
        "node 'n': error: " + CHECKER)
    yield "wrong declared type", model([node("Shape", ["x"], ["y"])]), (
        "node 'n': error: expects output 'y' to have elements of type int64, got the declared "
        "type float")
    yield "constant without value", model([node("Constant", [], ["y"])]), (
        "node 'n': error: expects a constant to have one value, got 0")
    yield "constant of text", model([node("Constant", [], ["y"], value_string="a")]), (
        "node 'n': error: expects a constant of numbers, got 'value_string' of kind string")


def operators():
    """Operators and operator sets that do not exist."""
    yield "unknown operator", model([node("Matmul", ["x", "x"], ["y"])]), (
        "node 'n': error: expects an operator of opset 18, got 'Matmul'")
    yield "removed operator", model([node("Upsample", ["x", "x"], ["y"])]), (
        "node 'n': error: expects an operator of opset 18, got 'Upsample'")
    yield "operator of a later opset", model([node("Gelu", ["x"], ["y"])]), (
        "node 'n': error: expects an operator of opset 18, got 'Gelu'")
    yield "domain not imported", model([node("Gelu", ["x"], ["y"], domain="com.microsoft")]), (
        "node 'n': error: expects operator set 'com.microsoft' to be imported, as operator 'Gelu'")
    version = "expects a version from 7 to 28 of operator set '', got "
    yield "opset 0", of_opset(("", 0)), version + "0"
    yield "opset 6", of_opset(("", 6)), version + "6"
    yield "opset 999", of_opset(("", 999)), version + "999"
    yield "opset of 64 bits", of_opset(("", 2**63 - 1)), version
    yield "opset twice", of_opset(("", 18), ("ai.onnx", 17)), (
        "expects one version per operator set, got 'ai.onnx' twice")
    yield "no opset", of_opset(), "expects operator set '' to be imported"
    ir_version = "expects an ONNX IR version from 3 to "
    yield "IR version 99", of_opset(("", 18), ir_version=99), ir_version
    yield "IR version 0", of_opset(("", 18), ir_version=0), ir_version


def functions():
    """Functions that cannot be inlined."""
    yield "recursive function", with_functions(function("R", [call("R", ["x"], ["y"])])), CHECKER
    yield "mutual recursion", with_functions(function("A", [call("B", ["x"], ["y"])]),
                                             function("B", [call("A", ["x"], ["y"])])), CHECKER
    yield "2^24 nodes", function_chain(25), (
        "expects at most 1048576 nodes once functions are inlined, got 16777216")
    yield "2^200 nodes", function_chain(90), (
        "expects at most 1048576 nodes once functions are inlined, got ")
    yield "function of another opset", with_functions(
        function("S", [helper.make_node("Softmax", ["x"], ["y"], name="s")], opset=12)), (
            "node 's': error: expects operator 'Softmax' to mean the same in opset 12, which its "
            "function imports, and opset 18, which the model imports")
    called = call("G", ["x", "x", "x"], ["y"])
    yield "too many arguments", model(
        [called], functions=[function("G", [node("Neg", ["x"], ["y"])])],
        opsets=(("", 18), ("f", 1))), "expects a model that the ONNX library can read, it says: "


def tensors():
    """Tensors whose data do not fit."""
    bytes_of_data = "expects 8 bytes of data, got "
    yield "negative size", of_tensor(dims=[-1], raw_data=b""), CHECKER
    yield "size overflows", of_tensor(dims=[2**62, 4], raw_data=b"1234"), CHECKER
    yield "large size", of_tensor(dims=[2**42 + 1], raw_data=b"1234"), CHECKER
    yield "raw data too short", of_tensor(raw_data=b"1234567"), CHECKER
    yield "raw data too long", of_tensor(raw_data=b"123456789"), (
        "initialiser 'w' " + bytes_of_data + "9")
    yield "large raw data too long", of_tensor(dims=[256], raw_data=bytes(1025)), (
        "initialiser 'w' expects 1024 bytes of data, got 1025")
    yield "too many floats", of_tensor(float_data=[1, 2, 3]), (
        "initialiser 'w' " + bytes_of_data + "12")
    yield "two fields", of_tensor(float_data=[1, 2], raw_data=bytes(8)), CHECKER
    yield "large raw data and floats", of_tensor(dims=[256], float_data=[1],
                                                 raw_data=bytes(1024)), CHECKER
    yield "large data of the wrong field", of_tensor(dims=[512], double_data=[1.0] * 512), CHECKER
    yield "unknown data type", of_tensor(data_type=77, raw_data=bytes(8)), (
        "initialiser 'w' expects numbers, got elements of type 77")
    yield "undefined data type", of_tensor(data_type=0, raw_data=bytes(8)), CHECKER
    yield "string tensor", of_tensor(data_type=8, string_data=[b"a", b"b"]), (
        "initialiser 'w' expects numbers, got elements of type string")
    yield "complex tensor", of_tensor(data_type=14, float_data=[0] * 4), (
        "initialiser 'w' expects numbers, got elements of type complex64")
    yield "attribute too short", of_attribute(a=tensor(name="a", raw_data=b"1")), (
        "node 'n': error: " + CHECKER)
    yield "sparse initialiser", sparse_initializer(), (
        "expects dense tensors, got the sparse initialiser 'w'")
    yield "sparse attribute", of_attribute(a=sparse()), (
        "node 'n': error: expects dense tensors, got the sparse attribute 'a'")


def kinds():
    """What has no form in the onnx dialect."""
    numbers = "expects attributes of numbers, strings or tensors, got "
    yield "control flow", nested_if(1), "node 'If_0': error: " + numbers + "'else_branch' of "
    yield "list of tensors", of_attribute(a=[tensor(raw_data=bytes(8))]), (
        numbers + "'a' of operator 'Custom' of kind tensors")
    yield "type attribute", of_attribute(a=helper.make_tensor_type_proto(1, [2])), numbers
    yield "sequence input", of_input(
        helper.make_sequence_type_proto(helper.make_tensor_type_proto(1, [2]))), (
            "expects 'x' to be a tensor, got a sequence")
    yield "optional input", of_input(
        helper.make_optional_type_proto(helper.make_tensor_type_proto(1, [2]))), (
            "expects 'x' to be a tensor, got an optional")
    yield "string input", of_input(helper.make_tensor_type_proto(8, [2])), (
        "expects 'x' to be a tensor of numbers, got elements of type string")
    yield "negative axis", of_input(helper.make_tensor_type_proto(1, [-2])), (
        "expects 'x' to have axes of size 0 or more, got -2")
    yield "sequence between nodes", model(
        [node("SequenceConstruct", ["x"], ["s"]), node("SequenceLength", ["s"], ["y"], "m")],
        outputs=[value("y", (), TensorProto.INT64)]), (
            "node 'n': error: expects 's' to be a tensor, got a sequence")


def names():
    """Names that would reach a terminal or generated code."""
    evil = 'n\x1b[2J"; .entry evil\n\x7f'
    yield "control characters", model([node("Bad", ["x"], ["y"], name=evil)]), (
        r"""node 'n\x1B[2J"; .entry evil\x0A\x7F': error: expects an operator""")
    yield "control characters in an operator", model([node(evil, ["x"], ["y"])]), (
        r"got 'n\x1B[2J")
    yield "long name", model([node("Bad", ["x"], ["y"], name="n" * 1000)]), (
        "'" + "n" * 200 + "...'")


def limits():
    """One of every limit, with the limit lowered instead of a large file."""
    chain = [node("Neg", ["x" if i == 0 else f"v{i}"], [f"v{i + 1}"], f"n{i}") for i in range(9)]
    many = model([*chain, node("Neg", ["v9"], ["y"])])
    yield "nodes", many, "expects a model of at most 9 nodes, got 10", "--max-nodes=9"
    wide = model([node("Max", ["x"] * 5, ["y"])])
    yield "inputs", wide, "node 'n': error: expects at most 4 inputs of a node, got 5", (
        "--max-per-node=4")
    yield "nesting", nested_if(6), "expects at most 4 graphs inside each other, got more", (
        "--max-nesting=4")
    yield "rank", of_tensor(dims=[1] * 9, raw_data=bytes(4)), (
        "expects tensors of at most 8 axes, got 'w' with 9"), "--max-rank=8"
    yield "rank of an input", of_input(helper.make_tensor_type_proto(1, [1] * 9)), (
        "expects tensors of at most 8 axes, got 'x' with 9"), "--max-rank=8"
    yield "attribute", of_attribute(a=list(range(9))), (
        "expects attributes of at most 8 elements, got 'a' with 9"), "--max-attribute-size=8"
    yield "name", model([node("Neg", ["x"], ["y"], name="n" * 9)]), (
        "expects names of at most 8 bytes, got one of 9"), "--max-attribute-size=8"
    yield "model", many, "the model without its weights is too large at byte ", (
        "--max-skeleton-bytes=64")


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    batch = []
    for case, contents, text in files():
        batch.append((case, folder / f"file-{len(batch)}.onnx", text))
        batch[-1][1].write_bytes(contents)
    for cases in (graphs, operators, functions, tensors, kinds, names):
        for case, refused, text in cases():
            batch.append((case, folder / f"{cases.__name__}-{len(batch)}.onnx", text))
            batch[-1][1].write_bytes(refused.SerializeToString())
    expect_all_refused(batch)

    path = folder / "model.onnx"
    count = len(batch)
    for case, refused, text, option in limits():
        path.write_bytes(refused.SerializeToString())
        expect_refused(case, path, text, option)
        count += 1
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model", weights_model().SerializeToString())
    expect_refused("zip archive", path, NOT_ONNX)
    text = folder / "model.onnxtxt"
    text.write_text('<ir_version: 10, opset_import: ["" : 18]>\ng (float[2] x) => (float[2] y) {')
    expect_refused("text cut short", text, "expects ONNX text: ")
    # A tensor that takes four times the size of its file in memory.
    path.write_bytes(field(7, field(5, field(5, bytes(100 << 20)))))
    expect_refused("memory", path, "expects a model that fits into memory, got one that does not",
                   memory=1 << 20)
    unreadable = "expects a readable file: "
    expect_refused("no file", folder / "none.onnx", unreadable + "No such file or directory")
    expect_refused("a folder", folder, unreadable + "not a regular file")
    finish(count + 5)


if __name__ == "__main__":
    main()
