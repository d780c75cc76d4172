# refused_external.py - external data that must not be read, and some that must.
#
# usage: refused_external.py FOLDER
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import os
import pathlib
import shutil
import sys

from onnx import TensorProto

from importing import expect_accepted, expect_all_refused, expect_refused, finish, model, node, value

ELEMENTS = 512
BYTES = ELEMENTS * 4


def external_model(path, *entries, dims=(ELEMENTS,), dtype=TensorProto.FLOAT):
    tensor = TensorProto(name="w", data_type=dtype, dims=dims, data_location=TensorProto.EXTERNAL)
    for key, text in entries:
        entry = tensor.external_data.add()
        entry.key, entry.value = key, text
    graph = model([node("Identity", ["w"], ["y"])], [tensor], inputs=[],
                  outputs=[value("y", dims, dtype)])
    path.write_bytes(graph.SerializeToString())


BELOW = "initialiser 'w' expects external data in a file below the model's folder, got "
ALLOWED = ("initialiser 'w' expects external data in the model's folder or one given by "
           "--allow-external, got ")
MISSING = "initialiser 'w' expects external data in the file "
DECIMAL = "initialiser 'w' expects offset and length of external data to be decimal numbers, got "


def location(name, **entries):
    return [("location", name), *entries.items()]


REFUSED = {
    "parent folder": (location("../secret.bin"), BELOW),
    "parent in the middle": (location("sub/../../secret.bin"), BELOW),
    "absolute": (location("/etc/passwd"), BELOW),
    "device": (location("/dev/zero"), BELOW),
    "empty": (location(""), BELOW),
    "no location": ([("offset", "0")], BELOW),
    "NUL": (location("ok.bin\0/x"), BELOW + r"'ok.bin\x00/x'"),
    "link out": (location("link.bin"), ALLOWED + "'link.bin', which leads to "),
    "link of a folder": (location("linkdir/secret.bin"), ALLOWED),
    "pipe": (location("pipe"), MISSING + "'pipe', which cannot be read: not a regular file"),
    "folder": (location("sub"), MISSING + "'sub', which cannot be read: not a regular file"),
    "missing": (location("none.bin"), MISSING + "'none.bin', which does not exist"),
    "drive": (location("C:\\ok.bin"), MISSING + "'C:\\ok.bin', which does not exist"),
    "reserved": (location("#model"), "a value of external data starts with '#'"),
    "memory marker": (location("*/_ORT_MEM_ADDR_/*", offset="4096"), MISSING),
    "unknown key": (location("ok.bin", address="0"),
                    "expects external data of location, offset, length and checksum, got 'address'"),
    "two locations": (location("ok.bin") + location("../x"),
                      "initialiser 'w' expects external data to have one location, got two"),
    "file too short": (location("short.bin"), "initialiser 'w' expects 2048 bytes at offset 0 of "
                       "'short.bin', got a file of 8 bytes"),
    "empty file": (location("empty.bin"), "got a file of 0 bytes"),
    "offset past the end": (location("ok.bin", offset="1000000"), "bytes at offset 1000000 of"),
    "negative offset": (location("ok.bin", offset="-8"), DECIMAL + "'-8' and ''"),
    "text offset": (location("ok.bin", offset="abc"), DECIMAL),
    "hexadecimal offset": (location("ok.bin", offset="0x10"), DECIMAL),
    "offset of 65 bits": (location("ok.bin", offset="18446744073709551616"), DECIMAL),
    "offset plus length wraps": (location("ok.bin", offset="18446744073709551615"),
                                 "bytes at offset 18446744073709551615 of"),
    "length too large": (location("ok.bin", length="99999999999"),
                         "initialiser 'w' expects 2048 bytes of data, got 99999999999"),
    "length too small": (location("ok.bin", length="4"),
                         "initialiser 'w' expects 2048 bytes of data, got 4"),
}


def main():
    root = pathlib.Path(sys.argv[1])
    shutil.rmtree(root, ignore_errors=True)
    folder = root / "model"
    (folder / "sub").mkdir(parents=True)
    data = bytes(BYTES)
    (root / "secret.bin").write_bytes(data)
    (folder / "ok.bin").write_bytes(data)
    (folder / "sub" / "ok.bin").write_bytes(data)
    (folder / "a..b.bin").write_bytes(data)
    (folder / "short.bin").write_bytes(data[:8])
    (folder / "empty.bin").write_bytes(b"")
    (folder / "link.bin").symlink_to("../secret.bin")
    (folder / "linkdir").symlink_to("..")
    (folder / "inside.bin").symlink_to("sub/ok.bin")
    os.mkfifo(folder / "pipe")

    path = folder / "model.onnx"
    batch = []
    for case, (entries, text) in REFUSED.items():
        batch.append((case, folder / f"model-{len(batch)}.onnx", text))
        external_model(batch[-1][1], *entries)
    expect_all_refused(batch)

    accepted = {
        "plain": location("ok.bin"),
        "subfolder": location("./sub/ok.bin", offset="0", length=str(BYTES), checksum="0"),
        "dots in a name": location("a..b.bin"),
        "link inside": location("inside.bin"),
    }
    for case, entries in accepted.items():
        external_model(path, *entries)
        expect_accepted(case, path)
    external_model(path, *location("link.bin"))
    expect_accepted("link to a permitted folder", path, f"--allow-external={root}")
    count = len(REFUSED) + len(accepted) + 1

    # A model cache keeps a model and its data as links into one folder.
    blobs, snapshot = root / "blobs", root / "snapshots" / "main"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    external_model(blobs / "0a1b", *location("weights.bin"))
    (blobs / "2c3d").write_bytes(data)
    (snapshot / "model.onnx").symlink_to("../../blobs/0a1b")
    (snapshot / "weights.bin").symlink_to("../../blobs/2c3d")
    expect_accepted("model cache", snapshot / "model.onnx")

    # Nobody may be led to a neighbour whose name only starts like the folder's.
    (root / "model2").mkdir()
    (root / "model2" / "secret.bin").write_bytes(data)
    (folder / "neighbour.bin").symlink_to("../model2/secret.bin")
    external_model(path, *location("neighbour.bin"))
    expect_refused("neighbour", path, ALLOWED)

    # Four bits per element: an odd count is rounded up.
    external_model(path, *location("ok.bin", length="1025"), dims=(2049,), dtype=TensorProto.INT4)
    expect_accepted("odd count of int4", path)
    external_model(path, *location("ok.bin"), dims=(2**40, 2**40))
    expect_refused("size overflows", path, "initialiser 'w' "
                   "expects sizes of 0 or more and a product below 2^63, got an axis of 10995116277")
    external_model(path, *location("ok.bin"), dims=(2**60,), dtype=TensorProto.INT64)
    expect_refused("bits overflow", path, "initialiser 'w' expects fewer than 2^64 bits, got ")
    external_model(path, *location("ok.bin"), dims=(2,), dtype=TensorProto.STRING)
    expect_refused("strings", path, "initialiser 'w' expects numbers, got elements of type string")
    finish(count + 6)


if __name__ == "__main__":
    main()
