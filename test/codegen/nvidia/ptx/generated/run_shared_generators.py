#!/usr/bin/env python3
"""Kernels that mlir-opt makes of the generators kept beside the project compute
what NumPy computes; faults planted in their PTX are found.

usage: run_shared_generators.py GENERATORS FOLDER
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import re
import subprocess
import sys
from pathlib import Path

import harness
import numbers_of as numbers
import numpy
from harness import Fault, Launch

TO_NVVM = ["--convert-nvvm-to-llvm", "--canonicalize", "--cse",
           "--reconcile-unrealized-casts", "--gpu-module-to-binary=format=isa"]
# Without a PTX version mlir-opt takes one that the target does not have.
TO_SM80 = ["--gpu-lower-to-nvvm-pipeline=cubin-chip=sm_80 cubin-features=+ptx80 "
           "cubin-format=isa opt-level=3"]
ROUNDED = 2.0**-8  # of an output of type bf16


def ptx_of(generator, arguments, passes):
    """The PTX in the binary that mlir-opt makes of a generator's module."""
    module = subprocess.run([sys.executable, str(generator), *arguments], check=True,
                            capture_output=True).stdout
    result = subprocess.run(["mlir-opt", *passes], input=module, check=True,
                            capture_output=True).stdout
    text = re.search(rb'assembly = "((?:[^"\\]|\\.)*)"', result).group(1)
    text = re.sub(rb'\\([0-9A-F]{2})', lambda m: bytes([int(m.group(1), 16)]), text)
    return text.replace(b'\\"', b'"').replace(b"\\\\", b"\\").rstrip(b"\0").decode()


def planted(launch, what, pattern, by, kinds):
    """A fault in text whose registers are not known beforehand."""
    text, count = re.subn(pattern, by, launch.text)
    assert count, f"{launch.name}: {what}: nothing matches {pattern}"
    return Fault(what, launch.text, text, kinds)


def descriptors(change):
    """Replaces the fields of wgmma descriptors; `change` takes and gives them."""
    return lambda match: str(change(int(match.group())))


def warpgroup_gemm(text, name, element, m, n, k):
    a, b = numbers.normal(element, (m, k), 1), numbers.normal(element, (n, k), 2)
    expected, bound = numbers.product(numbers.decode(element, a), numbers.decode(element, b).T)
    line, kind = {"bf16": (64, "bf16"), "e4m3": (128, "u8")}[element]
    return Launch(
        f"{name} {m}x{n}x{k}", text,
        ["--grid", f"{n // 256},{m // 128}", "--shared", str(4 * 49152 + 256)],
        {"a": a, "b": b, "out": numpy.zeros((m, n), numpy.uint16)},
        [f"map:A,type={kind},box=128x{line},swizzle=128",
         f"map:B,type={kind},box=256x{line},swizzle=128", "out:{out}", f"{n}:i32",
         f"{-(-k // line)}:i32"], ["A=in:{a}", "B=in:{b}"], expected,
        bound + ROUNDED * numpy.abs(expected), "bf16")


def check_warpgroup_gemms(generators, folder):
    kinds = [("op", "bf16", "0"), ("ptx", "bf16", "0"), ("op", "bf16", "1"),
             ("ptx", "bf16", "1"), ("op", "e4m3", "1"), ("ptx", "e4m3", "0")]
    for kind in kinds:
        text = ptx_of(generators / "gen_ws.py", kind, TO_NVVM)
        name = "gen_ws " + " ".join(kind)
        launches = [warpgroup_gemm(text, name, kind[1], 128, 256, 512),
                    warpgroup_gemm(text, name, kind[1], 256, 512, 336)]
        first = launches[0]
        harness.check_all(launches, [
            planted(first, "no expect_tx",
                    r"arrive\.expect_tx\.shared\.b64\s+(%rd\d+), (\[.*?\]), %r\d+",
                    r"arrive.shared.b64 \1, \2", {"mbarrier-bytes", "race"}),
            planted(first, "no barrier after the set-up", r"bar\.sync\s+0;", "",
                    {"race", "mbarrier-misuse"}),
            planted(first, "no wait for the products", r"wgmma\.wait_group\.sync\.aligned\s+\d;",
                    "", {"accumulator-in-flight", "race"}),
            planted(first, "half the stride", r"46116862933053603\d\d",
                    descriptors(lambda bits: bits - (32 << 32)), {"layout"}),
            planted(first, "64-byte swizzle", r"46116862933053603\d\d",
                    descriptors(lambda bits: bits ^ 3 << 62), {"layout"}),
        ], folder / "gen_ws")


def check_attention(generators, folder):
    text = ptx_of(generators / "gen_fa.py", [], TO_NVVM)
    launches = []
    for queries, keys in ((128, 384), (256, 128)):
        q, k, v = (numbers.normal("bf16", (rows, 128), seed)
                   for rows, seed in ((queries, 3), (keys, 4), (keys, 5)))
        expected, bound = numbers.attention(*(numbers.decode("bf16", x) for x in (q, k, v)))
        box = "type=bf16,box=128x64,swizzle=128"
        launches.append(Launch(
            f"gen_fa {queries} queries, {keys} keys", text,
            ["--grid", str(queries // 128), "--shared", str(5 * 32768 + 72)],
            {"q": q, "k": k, "v": v, "out": numpy.zeros((queries, 128), numpy.uint16)},
            [f"map:Q,{box}", f"map:K,{box}", f"map:V,{box}", "out:{out}", "128:i32",
             f"{keys // 128}:i32", f"{128**-0.5 * numpy.log2(numpy.e)}:f32"],
            ["Q=in:{q}", "K=in:{k}", "V=in:{v}"], expected,
            bound + ROUNDED * numpy.abs(expected), "bf16"))
    first = launches[0]
    harness.check_all(launches, [
        planted(first, "no wait for the products", r"wgmma\.wait_group\.sync\.aligned\s+0;", "",
                {"accumulator-in-flight"}),
        planted(first, "no fences", r"wgmma\.fence\.sync\.aligned;", "",
                {"accumulator-in-flight"}),
        planted(first, "wrong leading offset of the values", r"46116862933724\d{5}",
                descriptors(lambda bits: bits - (512 << 16)), {"layout"}),
        planted(first, "half the stride of the keys", r"46116862933053603\d\d",
                descriptors(lambda bits: bits - (32 << 32)), {"layout"}),
    ], folder / "gen_fa")


def memref(array, name):
    """Base, aligned base, offset, sizes and strides, as MLIR passes a matrix."""
    rows, columns = array.shape
    return [name, f"ptr:{name.split('=')[0]}", "0:i64", f"{rows}:i64", f"{columns}:i64",
            f"{columns}:i64", "1:i64"]


def check_async_gemm(generators, folder):
    text = ptx_of(generators / "gen_mma.py", ["f16"], TO_SM80)
    launches = []
    for m, n, k in ((128, 128, 160), (256, 128, 64)):
        a, b = numbers.normal("f16", (m, k), 6), numbers.normal("f16", (k, n), 7)
        expected, bound = numbers.product(numbers.decode("f16", a), numbers.decode("f16", b))
        out = numpy.zeros((m, n), numpy.float32)
        launches.append(Launch(
            f"gen_mma f16 {m}x{n}x{k}", text,
            ["--grid", f"{n // 128},{m // 128}", "--block", "128"],
            {"a": a, "b": b, "out": out},
            memref(a, "A=in:{a}") + memref(b, "B=in:{b}") + memref(out, "C=out:{out}") +
            [f"{k}:i64"], [], expected, bound))
    first = launches[0]
    races = {"race", "uninitialised-memory"}
    harness.check_all(launches, [
        planted(first, "waits for a group less", r"wait_group\s+1;", "wait_group 2;", races),
        planted(first, "no commit", r"cp\.async\.commit_group;", "", races),
        planted(first, "no barrier", r"bar\.sync\s+0;", "", races),
    ], folder / "gen_mma")


def main():
    generators, folder = Path(sys.argv[1]), Path(sys.argv[2])
    check_warpgroup_gemms(generators, folder)
    check_attention(generators, folder)
    check_async_gemm(generators, folder)


if __name__ == "__main__":
    main()
