# mutations.py - random damage to small models: no crash, no hang, no exit code
# but 0 and 1, and a diagnostic for every 1.
#
# usage: mutations.py FOLDER COUNT MODEL.onnx...
#
# COUNT models per MODEL and kind of damage; the same ones every time.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import pathlib
import random
import subprocess
import sys

import onnx
from onnx import helper

from importing import fail, failures, finish, run

BATCH = 100
NUMBERS = [-1, 0, 1, 2**63 - 1, -(2**63), 2**31 - 1, 2**40, -7]


def damage_bytes(data, rng):
    data = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(data))
        kind = rng.randrange(4)
        if kind == 0:
            data[at] = rng.randrange(256)
        elif kind == 1:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 2:
            del data[at:at + rng.randint(1, 16)]
        else:
            data[at:at] = bytes([rng.randrange(256)]) * rng.randint(1, 8)
        data = data or bytearray(b"x")
    return bytes(data)


def damage_node(model, rng):
    node = rng.choice(model.graph.node)
    other = rng.choice(model.graph.node)
    kind = rng.randrange(6)
    if kind == 0 and node.input and other.output:
        node.input[rng.randrange(len(node.input))] = other.output[0]
    elif kind == 1:
        node.op_type = other.op_type
    elif kind == 2 and node.input:
        del node.input[-1]
    elif kind == 3 and node.output:
        node.output.extend(["", other.output[0]])
    elif kind == 4:
        node.domain = rng.choice(["ai.onnx", "com.microsoft", "none", "ai.onnx.ml"])
    else:
        node.attribute.append(helper.make_attribute(rng.choice(["axis", "to", "value", "a"]),
                                                    rng.choice(NUMBERS)))


def damage_attribute(model, rng):
    node = rng.choice([node for node in model.graph.node if node.attribute])
    attribute = rng.choice(node.attribute)
    kind = rng.randrange(4)
    if kind == 0:
        attribute.type = rng.randrange(15)
    elif kind == 1:
        attribute.i = rng.choice(NUMBERS)
    elif kind == 2 and attribute.HasField("t"):
        damage_tensor(attribute.t, rng)
    else:
        attribute.ref_attr_name = "outer"


def damage_tensor(tensor, rng):
    kind = rng.randrange(5)
    if kind == 0:
        tensor.dims.append(rng.choice(NUMBERS))
    elif kind == 1 and tensor.dims:
        tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice(NUMBERS)
    elif kind == 2:
        tensor.data_type = rng.randrange(32)
    elif kind == 3:
        tensor.raw_data = tensor.raw_data[:rng.randrange(len(tensor.raw_data) + 1)]
    else:
        tensor.data_location = onnx.TensorProto.EXTERNAL
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", rng.choice(["", "x", "#model", "model.onnx", "."])


def damage_types(model, rng):
    value = rng.choice([*model.graph.input, *model.graph.output])
    kind = rng.randrange(3)
    if kind == 0:
        value.type.tensor_type.elem_type = rng.randrange(32)
    elif kind == 1:
        dim = value.type.tensor_type.shape.dim.add()
        dim.dim_value = rng.choice(NUMBERS)
    else:
        value.type.sequence_type.elem_type.tensor_type.elem_type = 1


def damage_structure(data, rng):
    model = onnx.load_from_string(data)
    for _ in range(rng.randint(1, 4)):
        kind = rng.randrange(5)
        if kind == 0:
            damage_attribute(model, rng)
        elif kind == 1 and model.graph.initializer:
            damage_tensor(rng.choice(model.graph.initializer), rng)
        elif kind == 2:
            damage_types(model, rng)
        elif kind == 3 and rng.randrange(8) == 0:
            model.opset_import[0].version = rng.choice([*range(7, 29), *NUMBERS])
        else:
            damage_node(model, rng)
    return model.SerializeToString()


def findings(paths):
    """What is wrong with the run over these models, or None."""
    try:
        result = run("--quiet", *paths, timeout=60)
    except subprocess.TimeoutExpired:
        return "no answer within 60 s"
    diagnosed = {line.split(b": ")[0] for line in result.stderr.splitlines()}
    if result.returncode not in (0, 1):
        return f"exit code {result.returncode}: {result.stderr[-500:].decode()}"
    if result.returncode == 1 and not diagnosed:
        return "exit code 1 without a diagnostic"
    return None


def check(paths):
    """Runs a batch; one with findings again, model by model."""
    if not findings(paths):
        return
    for path in paths:
        found = findings([path])
        if found:
            fail(path, found)
    if not failures:
        fail(paths[0], "only the batch that starts here fails")


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    count = int(sys.argv[2])
    total = 0
    for number, name in enumerate(sys.argv[3:]):
        data = pathlib.Path(name).read_bytes()
        for damage in (damage_bytes, damage_structure):
            rng = random.Random(number)
            paths = []
            for i in range(count):
                path = folder / f"{damage.__name__}-{number}-{i}.onnx"
                path.write_bytes(damage(data, rng))
                paths.append(path)
            for begin in range(0, count, BATCH):
                check(paths[begin:begin + BATCH])
            for path in paths:
                if not any(failure == path for failure in failures):
                    path.unlink()
            total += count
    finish(total)


if __name__ == "__main__":
    main()
