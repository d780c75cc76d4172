#!/usr/bin/env python3
"""Checks which folder includes which: dependencies point one way.

usage: check_layers.py [LIBRARY.so...]

A LIBRARY is the built runtime: it must need no LLVM, MLIR or C++ symbol.
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import re
import subprocess
import sys

import sources

# Layer -> the layers it may include beside itself. The longest matching folder
# is a file's layer.
LAYERS = {
    "dialects": {"mlir"},
    "passes": {"dialects", "mlir"},
    "frontends/onnx": {"dialects", "mlir", "onnx"},
    "codegen": {"passes", "dialects", "runtime/abi", "mlir"},
    # The PTX library and its tools build without LLVM.
    "codegen/nvidia/ptx": set(),
    "runtime": {"runtime/abi"},
    "runtime/abi": set(),
    "tools": {"dialects", "passes", "frontends/onnx", "codegen", "codegen/nvidia/ptx",
              "runtime", "runtime/abi", "mlir", "onnx"},
    "tools/heddle-ptx": {"codegen/nvidia/ptx"},
}

# The headers that compiler and runtime share.
ABI_HEADERS = {"module_abi.h", "dtype.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)


def layer_of(path):
    """The layer of a path from the root, or None outside all of them."""
    if path.startswith("runtime/include/heddle/") and path.split("/")[-1] in ABI_HEADERS:
        return "runtime/abi"
    matches = [layer for layer in LAYERS if path.startswith(layer + "/")]
    return max(matches, key=len, default=None)


def target_layer(source, quote, name):
    """The layer that an #include leads to, or None for the C and C++ library."""
    top = name.split("/")[0]
    if top in ("mlir", "llvm", "lld"):
        return "mlir"
    if top in ("onnx", "google"):
        return "onnx"
    if name.startswith("heddle/"):
        return layer_of("runtime/include/" + name)
    if quote == '"' and (sources.ROOT / source).parent.joinpath(name).is_file():
        return layer_of(str(source.parent / name))
    return layer_of(name)


def check_includes():
    findings = []
    for path in sources.tracked(".h", ".c", ".cpp", ".def", ".td"):
        layer = layer_of(str(path))
        if layer is None:
            continue
        text = sources.read(path)
        for match in INCLUDE.finditer(text):
            target = target_layer(path, *match.groups())
            if target is None or target == layer or target in LAYERS[layer]:
                continue
            line = text.count("\n", 0, match.start(2)) + 1
            findings.append(f"{path}:{line}: {layer} must not include "
                            f"{match.group(2)} ({target})")
    return findings


def check_library(library):
    symbols = subprocess.run(["nm", "-D", "--undefined-only", library], check=True,
                             capture_output=True, text=True).stdout.split()
    return [f"{library}: needs the symbol {symbol}" for symbol in symbols
            if re.match(r"_Z|LLVM|mlir", symbol)]


def main():
    findings = check_includes()
    for library in sys.argv[1:]:
        findings += check_library(library)
    return sources.report(findings, "layers: every include points down")


if __name__ == "__main__":
    sys.exit(main())
