"""A warp-specialised GEMM for sm_90a: C (f32) = A B^T, bf16 or e4m3.

One warp copies tiles through a ring of stages; two warpgroups of 64 rows each
multiply, and leave up to `in_flight` wgmma groups running behind them.
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from ptx_text import descriptor, load_box, next_slot, registers, take_map, wait

ROWS = 128
LINE = 128  # bytes of K in a stage: one span of the swizzle
ELEMENT_BYTES = {"bf16": 2, "e4m3": 1}


def shared_bytes(columns, stages):
    return stages * (ROWS + columns) * LINE + 16 * stages


def products(element, columns):
    """The four wgmma of a stage. Each takes 32 bytes of K."""
    depth = 32 // ELEMENT_BYTES[element]
    transposes = ", 0, 0" if element == "bf16" else ""
    text = ""
    for step in range(4):
        text += (f"  wgmma.mma_async.sync.aligned.m64n{columns}k{depth}.f32.{element}.{element} "
                 f"{registers('acc', columns // 2)}, left, right, accumulates, 1, 1{transposes};\n"
                 "  add.u64 left, left, 2;\n  add.u64 right, right, 2;\n"
                 "  setp.eq.u32 accumulates, 0, 0;\n")
    return text


def stores(columns):
    """Accumulators 4 j to 4 j + 3 are two rows, 8 apart, of columns 8 j on."""
    text = ""
    for tile in range(columns // 8):
        for half, place in ((0, "out"), (2, "lower")):
            text += (f"  st.global.v2.f32 [{place}+{tile * 32}], "
                     f"{registers('acc', 2, tile * 4 + half)};\n")
    return text


def kernel(element, columns, stages, in_flight):
    """The PTX text. Parameters: maps of A and B with boxes of 128 bytes by 128
    and by `columns` rows, C, its columns, stages to go through."""
    tile_a, tile_b = ROWS * LINE, columns * LINE
    stage = tile_a + tile_b
    barriers = "".join(
        f"  mbarrier.init.shared::cta.b64 [bars+{8 * i}], 1;\n"
        f"  mbarrier.init.shared::cta.b64 [bars+{8 * (stages + i)}], 2; // empty {i}\n"
        for i in range(stages))
    # With a group in flight it is the stage before that is free.
    freed = "  mov.u32 freed, slot;\n"
    if in_flight:
        freed = f"""  sub.u32 freed, slot, {in_flight};
  setp.lt.s32 wraps, freed, 0;
  @wraps add.u32 freed, freed, {stages};
"""
    return f""".version 8.0
.target sm_90a
.address_size 64
.extern .shared .align 1024 .b8 smem[];
.visible .entry gemm(
  .param .align 64 .b8 a_map[128],
  .param .align 64 .b8 b_map[128],
  .param .u64 c,
  .param .u32 width,
  .param .u32 steps
)
.reqntid 384
.minnctapersm 1
{{
  .reg .pred other, consumes, accumulates, arrives, wraps, more;
  .reg .b32 thread, group, lane, base, bars, full, empty, step, steps_, slot, phase, parity;
  .reg .b32 at_a, at_b, column, row, first_row, first_column, freed, width_;
  .reg .b64 a, b, left, right, out, lower, offset;
  .reg .f32 acc<{columns // 2}>;
{take_map("a")}{take_map("b")}\
  ld.param.u32 steps_, [steps];
  mov.u32 thread, %tid.x;
  shr.u32 group, thread, 7;
  mov.u32 base, smem;
  add.u32 bars, base, {stages * stage};
  mov.u32 first_row, %ctaid.y;
  mul.lo.u32 first_row, first_row, {ROWS};
  mov.u32 first_column, %ctaid.x;
  mul.lo.u32 first_column, first_column, {columns};
  mov.u32 step, 0;
  mov.u32 slot, 0;
  mov.u32 phase, 0;
  setp.ne.u32 other, thread, 0;
  @other bra READY;
{barriers}\
  fence.mbarrier_init.release.cluster;
READY:
  bar.sync 0; // barriers are set up
  setp.ne.u32 consumes, group, 0;
  @consumes bra CONSUMER;
  setmaxnreg.dec.sync.aligned.u32 40;
  @other bra END;
PRODUCE:
  xor.b32 parity, phase, 1;
  mad.lo.u32 full, slot, 8, bars;
  add.u32 empty, full, {8 * stages};
{wait("empty", "parity")}\
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [full], {stage};
  mad.lo.u32 at_a, slot, {stage}, base;
  add.u32 at_b, at_a, {tile_a}; // of the copy
  mul.lo.u32 column, step, {LINE // ELEMENT_BYTES[element]};
{load_box("at_a", "a", "column", "first_row", "full")}\
{load_box("at_b", "b", "column", "first_column", "full")}\
{next_slot(stages)}\
  add.u32 step, step, 1;
  setp.lt.u32 more, step, steps_;
  @more bra PRODUCE;
  bra END;
CONSUMER:
  setmaxnreg.inc.sync.aligned.u32 232;
  sub.u32 group, group, 1;
  and.b32 lane, thread, 127;
CONSUME:
  mad.lo.u32 full, slot, 8, bars; // of the wait
{wait("full", "phase")}\
  mad.lo.u32 at_a, slot, {stage}, base;
  add.u32 at_b, at_a, {tile_a}; // of the product
  mad.lo.u32 at_a, group, {64 * LINE}, at_a;
{descriptor("left", "at_a")}{descriptor("right", "at_b")}\
  setp.ne.u32 accumulates, step, 0;
  wgmma.fence.sync.aligned;
{products(element, columns)}\
  wgmma.commit_group.sync.aligned;
  wgmma.wait_group.sync.aligned {in_flight}; // in the loop
{freed}\
  mad.lo.u32 empty, freed, 8, bars;
  setp.eq.u32 arrives, lane, 0;
  setp.ge.and.u32 arrives, step, {in_flight}, arrives;
  @arrives mbarrier.arrive.shared::cta.b64 _, [empty+{8 * stages}];
{next_slot(stages)}\
  add.u32 step, step, 1;
  setp.lt.u32 more, step, steps_;
  @more bra CONSUME;
  wgmma.wait_group.sync.aligned 0; // at the end
  ld.param.u64 out, [c];
  ld.param.u32 width_, [width];
  shr.u32 row, lane, 5;
  mad.lo.u32 first_row, group, 64, first_row;
  mad.lo.u32 first_row, row, 16, first_row;
  and.b32 lane, lane, 31;
  shr.u32 row, lane, 2;
  add.u32 row, row, first_row;
  and.b32 column, lane, 3;
  mad.lo.u32 column, column, 2, first_column;
  mad.lo.u32 row, row, width_, column;
  mul.wide.u32 offset, row, 4;
  add.u64 out, out, offset;
  mul.wide.u32 offset, width_, 32;
  add.u64 lower, out, offset;
{stores(columns)}\
END:
  ret;
}}
"""
