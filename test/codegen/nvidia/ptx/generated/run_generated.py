#!/usr/bin/env python3
"""Generated kernels compute what NumPy computes; faults planted in them are
found.

usage: run_generated.py FOLDER
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import sys
from pathlib import Path

import async_gemm
import flash_attention
import harness
import numbers_of as numbers
import numpy
import warpgroup_gemm
from harness import Fault, Launch

RACES = {"race", "uninitialised-memory"}


def warpgroup_gemm_launch(element, m, n, k, columns=128, stages=3, in_flight=0):
    a, b = numbers.normal(element, (m, k), 1), numbers.normal(element, (n, k), 2)
    expected, bound = numbers.product(numbers.decode(element, a), numbers.decode(element, b).T)
    line = warpgroup_gemm.LINE // warpgroup_gemm.ELEMENT_BYTES[element]
    kind = {"bf16": "bf16", "e4m3": "u8"}[element]
    return Launch(
        f"gemm {element} {m}x{n}x{k}, {columns} columns, {stages} stages, {in_flight} in flight",
        warpgroup_gemm.kernel(element, columns, stages, in_flight),
        ["--grid", f"{n // columns},{m // warpgroup_gemm.ROWS}",
         "--shared", str(warpgroup_gemm.shared_bytes(columns, stages))],
        {"a": a, "b": b, "out": numpy.zeros((m, n), numpy.float32)},
        [f"map:A,type={kind},box={warpgroup_gemm.ROWS}x{line},swizzle=128",
         f"map:B,type={kind},box={columns}x{line},swizzle=128",
         "out:{out}", f"{n}:u32", f"{(k + line - 1) // line}:u32"],
        ["A=in:{a}", "B=in:{b}"], expected, bound)


# For 128 columns of bf16 and 3 stages.
WARPGROUP_GEMM_FAULTS = [
    Fault("does not wait for the stage", "[full], phase;\n  @!over", "[full], phase;\n  @over",
          RACES | {"deadlock"}),
    Fault("wrong parity of full", "\nCONSUME:", "\n  mov.u32 phase, 1;\nCONSUME:", RACES),
    Fault("wrong parity of empty", "xor.b32 parity, phase, 1", "mov.u32 parity, phase",
          {"deadlock"}),
    Fault("no expect_tx", "arrive.expect_tx.shared::cta.b64 _, [full], 32768",
          "arrive.shared::cta.b64 _, [full]", RACES | {"mbarrier-bytes"}),
    Fault("expects one operand", "[full], 32768", "[full], 16384", {"mbarrier-bytes"}),
    Fault("no barrier after the set-up", "bar.sync 0; // barriers are set up", "",
          {"race", "mbarrier-misuse"}),
    Fault("no release of the stage", "@arrives mbarrier", "@other mbarrier",
          {"deadlock", "mbarrier-misuse", "race"}),
    Fault("waits for a group less", "wait_group.sync.aligned 0; // in the loop",
          "wait_group.sync.aligned 1;", {"race"}),
    Fault("no commit", "wgmma.commit_group.sync.aligned;", "",
          {"race", "accumulator-in-flight"}),
    Fault("wrong stride of A", "or.b64 left, left, 0x40000040", "or.b64 left, left, 0x40000020",
          {"layout"}),
    Fault("wrong stride of B", "or.b64 right, right, 0x40000040",
          "or.b64 right, right, 0x40000080", {"layout"}),
    Fault("wrong swizzle of B", "or.b64 right, right, 0x4", "or.b64 right, right, 0x8",
          {"layout"}),
    Fault("operands overlap", "add.u32 at_b, at_a, 16384; // of the copy",
          "add.u32 at_b, at_a, 8192;", {"race"}),
    Fault("product reads the next stage", "add.u32 at_b, at_a, 16384; // of the product",
          "add.u32 at_b, at_a, 32768;", RACES | {"layout"}),
    Fault("consumers request too many registers", "inc.sync.aligned.u32 232",
          "inc.sync.aligned.u32 240", {"deadlock"}),
    Fault("producer keeps too many registers", "dec.sync.aligned.u32 40",
          "dec.sync.aligned.u32 56", {"deadlock"}),
    Fault("consumers release registers", "setmaxnreg.inc.sync.aligned.u32 232",
          "setmaxnreg.dec.sync.aligned.u32 232", {"register-count"}),
    Fault("two blocks to a multiprocessor", ".minnctapersm 1", ".minnctapersm 2", {"deadlock"}),
    Fault("tensor maps without a swizzle", "", "", {"layout"}, {"swizzle=128": "swizzle=none"}),
    Fault("shared memory for two stages", "", "", {"out-of-bounds"},
          {str(warpgroup_gemm.shared_bytes(128, 3)): str(warpgroup_gemm.shared_bytes(128, 2))}),
]


def attention_launch(depth, queries, keys):
    q, k, v = (numbers.normal("bf16", (rows, depth), seed)
               for rows, seed in ((queries, 3), (keys, 4), (keys, 5)))
    expected, bound = numbers.attention(*(numbers.decode("bf16", x) for x in (q, k, v)))
    box = "type=bf16,box={}x64,swizzle=128".format
    return Launch(
        f"attention depth {depth}, {queries} queries, {keys} keys",
        flash_attention.kernel(depth),
        ["--grid", str(queries // flash_attention.QUERIES),
         "--shared", str(flash_attention.shared_bytes(depth))],
        {"q": q, "k": k, "v": v, "out": numpy.zeros((queries, depth), numpy.float32)},
        [f"map:Q,{box(flash_attention.QUERIES)}", f"map:K,{box(flash_attention.KEYS)}",
         f"map:V,{box(flash_attention.KEYS)}", "out:{out}",
         f"{keys // flash_attention.KEYS}:u32", f"{depth**-0.5 * numpy.log2(numpy.e)}:f32"],
        ["Q=in:{q}", "K=in:{k}", "V=in:{v}"], expected, bound)


# For a depth of 128.
ATTENTION_FAULTS = [
    Fault("scores read before their wait", "wgmma.wait_group.sync.aligned 0; // scores", "",
          {"accumulator-in-flight"}),
    Fault("values not awaited", "wgmma.wait_group.sync.aligned 0; // values", "",
          {"accumulator-in-flight", "race"}),
    Fault("no fence before the second product", "wgmma.fence.sync.aligned; // values", "",
          {"accumulator-in-flight"}),
    Fault("keys freed before their product",
          "wgmma.wait_group.sync.aligned 0; // scores\n"
          "  @arrives mbarrier.arrive.shared::cta.b64 _, [full+16];",
          "@arrives mbarrier.arrive.shared::cta.b64 _, [full+16];\n"
          "  wgmma.wait_group.sync.aligned 0;", {"race"}),
    Fault("values read when the keys are there", "[full+40], phase", "[full+8], phase", RACES),
    Fault("wrong leading offset of the values", "0x4000004002000000", "0x4000004001000000",
          {"layout"}),
    Fault("values taken as rows", "yes, 1, 1, 1;", "yes, 1, 1, 0;", {"layout", "descriptor"}),
    Fault("too few bytes of values", "[full], 16384; // v", "[full], 8192;", {"mbarrier-bytes"}),
    Fault("wrong parity of the producer", "xor.b32 parity, phase, 1", "mov.u32 parity, phase",
          {"deadlock"}),
    Fault("producer releases no registers", "setmaxnreg.dec.sync.aligned.u32 24;", "",
          {"deadlock"}),
    Fault("one warp of the producer keeps its registers", "setmaxnreg.dec.sync.aligned.u32 24;",
          "@other bra KEPT;\n  setmaxnreg.dec.sync.aligned.u32 24;\nKEPT:",
          {"deadlock", "divergence", "register-count"}),
    Fault("values copied over the keys", "; // copy of v", ";\n  sub.u32 tile, tile, 32768;",
          RACES),
]


def async_gemm_launch(element, swizzle, m, n, k):
    a, b = numbers.normal(element, (m, k), 6), numbers.normal(element, (k, n), 7)
    expected, bound = numbers.product(numbers.decode(element, a), numbers.decode(element, b))
    return Launch(
        f"gemm sm_80 {element} {m}x{n}x{k}" + (", swizzled" if swizzle else ""),
        async_gemm.kernel(element, swizzle),
        ["--grid", f"{n // async_gemm.TILE},{m // async_gemm.TILE}"],
        {"a": a, "b": b, "out": numpy.zeros((m, n), numpy.float32)},
        ["in:{a}", "in:{b}", "out:{out}", f"{n}:u32", f"{k}:u32"], [], expected, bound)


ASYNC_GEMM_FAULTS = [
    Fault("waits for a group less", "wait_group 1; // of the loop", "wait_group 2;", RACES),
    Fault("no commit in the loop", "cp.async.commit_group; // in the loop", "", RACES),
    Fault("no barrier", "bar.sync 0; // stage is there", "// stage is there", {"race"}),
    Fault("copies to a ring of two stages", "rem.u32 stage, next, 3", "rem.u32 stage, next, 2",
          RACES),
    Fault("B over A", "[to+4096], [global], 16; // B, part 1", "[to+2048], [global], 16;",
          RACES),
    Fault("copies one tile too many", "setp.lt.u32 more, next, steps",
          "setp.le.u32 more, next, steps", {"out-of-bounds"}),
    Fault("misaligned rows", "left2, left3}, [to]", "left2, left3}, [to+8]", {"misaligned"}),
]


def check_bank_conflicts(folder):
    """They are what the swizzle avoids."""
    plain, swizzled = (
        harness.check_clean(async_gemm_launch("f16", swizzle, 64, 64, 96),
                            folder)["bank_conflicts"] for swizzle in (False, True))
    assert swizzled == 0 < plain, f"bank conflicts: {plain}, swizzled {swizzled}"
    print(f"bank conflicts: {plain}, swizzled {swizzled}")


def main():
    folder = Path(sys.argv[1])
    harness.check_all([warpgroup_gemm_launch("bf16", 128, 128, 448),
                       warpgroup_gemm_launch("bf16", 256, 128, 200, columns=64, stages=4, in_flight=1),
                       warpgroup_gemm_launch("e4m3", 128, 256, 512, columns=256, stages=2, in_flight=1),
                       warpgroup_gemm_launch("e4m3", 128, 64, 272, columns=64)],
                      WARPGROUP_GEMM_FAULTS, folder / "warpgroup_gemm")
    harness.check_all([attention_launch(128, 128, 256), attention_launch(64, 256, 192)],
                      ATTENTION_FAULTS, folder / "attention")
    harness.check_all([async_gemm_launch("f16", True, 64, 128, 160),
                       async_gemm_launch("bf16", False, 128, 64, 32),
                       async_gemm_launch("bf16", True, 64, 64, 256)],
                      ASYNC_GEMM_FAULTS, folder / "async_gemm")
    check_bank_conflicts(folder / "bank_conflicts")


if __name__ == "__main__":
    main()
