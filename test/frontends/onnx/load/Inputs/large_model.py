# large_model.py - a model file and a data file of more than 2 GiB.
#
# usage: large_model.py FOLDER
#
# Both are written with holes, so they take no space on the disk. No protobuf
# library reads or writes such a model file: it is put together here by hand.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import pathlib
import resource
import sys

from onnx import TensorProto

from importing import fail, finish, model, node, run, value

COLUMNS, ROWS = 1024, 768 * 1024
BYTES = COLUMNS * ROWS * 4  # 3 GiB


def varint(number):
    encoded = b""
    while number >= 128:
        encoded += bytes([number & 127 | 128])
        number >>= 7
    return encoded + bytes([number])


def header(field, size):
    return varint(field << 3 | 2) + varint(size)


def write_embedded(path):
    """The payload first in its tensor, the tensor first in its graph."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[ROWS, COLUMNS])
    whole = model([node("Gather", ["w", "i"], ["y"])], inputs=[value("i", (4,), TensorProto.INT64)],
                  outputs=[value("y", (4, COLUMNS))])
    graph = whole.graph.SerializeToString()
    whole.ClearField("graph")
    raw = header(9, BYTES)
    rest = tensor.SerializeToString()
    initializer = header(5, len(raw) + BYTES + len(rest))
    begin = header(7, len(initializer) + len(raw) + BYTES + len(rest) + len(graph))
    with open(path, "wb") as file:
        file.write(begin + initializer + raw)
        file.seek(BYTES, 1)
        file.write(rest + graph + whole.SerializeToString())


def write_external(path):
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[ROWS - 1, COLUMNS],
                         data_location=TensorProto.EXTERNAL)
    for key, text in (("location", "weights.bin"), ("offset", str(COLUMNS * 4))):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, text
    made = model([node("Gather", ["w", "i"], ["y"])], [tensor],
                 inputs=[value("i", (4,), TensorProto.INT64)], outputs=[value("y", (4, COLUMNS))])
    path.write_bytes(made.SerializeToString())
    with open(path.parent / "weights.bin", "wb") as file:
        file.truncate(BYTES)


def check(path, expected):
    result = run(path)
    if result.returncode != 0 or expected not in result.stdout.decode():
        fail(path, f"expected {expected} in\n{result.stdout.decode()}{result.stderr.decode()}")


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    embedded, external = folder / "embedded.onnx", folder / "external.onnx"
    write_embedded(embedded)
    write_external(external)
    # 6 bytes of headers and lengths of 5 bytes each lie before the payload.
    check(embedded, f'#heddle.weight<"embedded.onnx", 18, {BYTES}> : tensor<{ROWS}x{COLUMNS}xf32>')
    check(external, f'#heddle.weight<"weights.bin", {COLUMNS * 4}, {BYTES - COLUMNS * 4}>')
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    if peak > 512 * 1024:
        fail("memory", f"expected at most 512 MiB, got {peak} KiB")
    for path in (embedded, external, folder / "weights.bin"):
        path.unlink()
    finish(2)


if __name__ == "__main__":
    main()
