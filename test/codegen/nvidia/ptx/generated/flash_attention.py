"""A forward pass of attention for sm_90a in the manner of FlashAttention-3.

Keys and values come through two rings of two stages; two warpgroups own 64
queries each. The weights stay in registers: they are the left operand of the
second product. O (f32) = softmax(scale Q K^T) V for bf16 inputs.
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from ptx_text import descriptor, load_box, next_slot, registers, take_map, wait

QUERIES = 128
KEYS = 64  # of a stage
STAGES = 2
LINE = 128


def layout(depth):
    """Offsets in shared memory: keys, values, barriers; a stage; the whole."""
    stage = KEYS * depth * 2
    keys = QUERIES * depth * 2
    values = keys + STAGES * stage
    barriers = values + STAGES * stage
    return keys, values, barriers, stage, barriers + 8 * (1 + 4 * STAGES)


def shared_bytes(depth):
    return layout(depth)[-1]


def load_tile(to, tensor_map, row, barrier, rows, depth):
    """One box for each 64 columns."""
    text = ""
    for half in range(depth // 64):
        text += f"  add.u32 place, {to}, {half * rows * LINE};\n"
        text += load_box("place", tensor_map, half * 64, row, barrier)
    return text


def produce(name, depth, offset, barrier, stage):
    """Fills the stage of keys or values. Full and empty barriers alternate."""
    return f"""  mad.lo.u32 full, slot, 16, bars;
  add.u32 full, full, {barrier};
{wait("full+8", "parity")}\
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [full], {stage}; // {name}
  mad.lo.u32 tile, slot, {stage}, base;
  add.u32 tile, tile, {offset}; // copy of {name}
{load_tile("tile", name, "row", "full", KEYS, depth)}"""


def scores(depth):
    """Q K^T: four steps of K in each 64 columns of the tiles."""
    text = ""
    for step in range(depth // 16):
        half, inside = divmod(step, 4)
        text += (f"  add.u64 left, query, {(half * QUERIES * LINE + inside * 32) // 16};\n"
                 f"  add.u64 right, key, {(half * KEYS * LINE + inside * 32) // 16};\n"
                 f"  wgmma.mma_async.sync.aligned.m64n{KEYS}k16.f32.bf16.bf16 "
                 f"{registers('s', KEYS // 2)}, left, right, "
                 f"{'yes' if step else 'no'}, 1, 1, 0, 0;\n")
    return text


def softmax(depth):
    """Running maximum and sum of the two rows of a thread; weights in place."""
    text = ""
    for row in range(2):
        mine = [f"s{4 * tile + 2 * row + e}" for tile in range(KEYS // 8) for e in range(2)]
        output = [f"o{4 * tile + 2 * row + e}" for tile in range(depth // 8) for e in range(2)]
        text += f"  mov.f32 most, top{row};\n"
        text += "".join(f"  max.f32 most, most, {s};\n" for s in mine)
        for distance in (1, 2):
            text += (f"  shfl.sync.bfly.b32 near, most, {distance}, 31, -1;\n"
                     "  max.f32 most, most, near;\n")
        text += f"""  sub.f32 shrink, top{row}, most;
  mul.f32 shrink, shrink, scale_;
  ex2.approx.ftz.f32 shrink, shrink;
  mov.f32 top{row}, most;
  mul.f32 most, most, scale_;
  neg.f32 most, most;
  mul.f32 sum{row}, sum{row}, shrink;
"""
        for s in mine:
            text += (f"  fma.rn.f32 {s}, {s}, scale_, most;\n  ex2.approx.ftz.f32 {s}, {s};\n"
                     f"  add.f32 sum{row}, sum{row}, {s};\n")
        text += "".join(f"  mul.f32 {o}, {o}, shrink;\n" for o in output)
    for pair in range(KEYS // 4):
        text += f"  cvt.rn.bf16x2.f32 w{pair}, s{2 * pair + 1}, s{2 * pair};\n"
    return text


def weighted_values(depth):
    """P V: values are transposed operands, 16 keys are 2048 bytes further on."""
    text = ""
    for step in range(KEYS // 16):
        text += (f"  add.u64 right, value, {step * 16 * LINE // 16};\n"
                 f"  wgmma.mma_async.sync.aligned.m64n{depth}k16.f32.bf16.bf16 "
                 f"{registers('o', depth // 2)}, {registers('w', 4, 4 * step)}, right, "
                 "yes, 1, 1, 1;\n")
    return text


def epilogue(depth):
    text = ""
    for row in range(2):
        for distance in (1, 2):
            text += (f"  shfl.sync.bfly.b32 near, sum{row}, {distance}, 31, -1;\n"
                     f"  add.f32 sum{row}, sum{row}, near;\n")
        text += f"  rcp.rn.f32 sum{row}, sum{row};\n"
        for tile in range(depth // 8):
            first = 4 * tile + 2 * row
            for o in (first, first + 1):
                text += f"  mul.f32 o{o}, o{o}, sum{row};\n"
            text += (f"  st.global.v2.f32 [out+{row * 8 * depth * 4 + tile * 32}], "
                     f"{registers('o', 2, first)};\n")
    return text


def kernel(depth):
    """The PTX text. Parameters: maps of Q, K and V with boxes of 64 columns by
    128, 64 and 64 rows; O; tiles of keys; the scale times log2(e)."""
    keys, values, barriers, stage, _ = layout(depth)
    set_up = "".join(f"  mbarrier.init.shared::cta.b64 [bars+{8 * i}], "
                     f"{2 if i and i % 2 == 0 else 1};\n" for i in range(1 + 4 * STAGES))
    start = "".join(f"  mov.f32 o{i}, 0f00000000;\n" for i in range(depth // 2))
    return f""".version 8.0
.target sm_90a
.address_size 64
.extern .shared .align 1024 .b8 smem[];
.visible .entry attention(
  .param .align 64 .b8 q_map[128],
  .param .align 64 .b8 k_map[128],
  .param .align 64 .b8 v_map[128],
  .param .u64 o,
  .param .u32 tiles,
  .param .f32 scale
)
.reqntid 384
.minnctapersm 1
{{
  .reg .pred other, consumes, arrives, wraps, more, yes, no;
  .reg .b32 thread, group, lane, base, bars, full, slot, phase, parity, step, tiles_;
  .reg .b32 tile, place, row, first_row, column, at_query, at_key, at_value;
  .reg .b32 w<{KEYS // 4}>;
  .reg .b64 q, k, v, query, key, value, left, right, out, offset;
  .reg .f32 s<{KEYS // 2}>, o<{depth // 2}>;
  .reg .f32 top<2>, sum<2>, most, near, shrink, scale_;
{take_map("q")}{take_map("k")}{take_map("v")}\
  ld.param.u32 tiles_, [tiles];
  ld.param.f32 scale_, [scale];
  mov.u32 thread, %tid.x;
  shr.u32 group, thread, 7;
  and.b32 lane, thread, 127;
  mov.u32 base, smem;
  add.u32 bars, base, {barriers};
  mov.u32 first_row, %ctaid.x;
  mul.lo.u32 first_row, first_row, {QUERIES};
  mov.u32 slot, 0;
  mov.u32 phase, 0;
  mov.u32 step, 0;
  setp.ne.u32 other, thread, 0;
  @other bra READY;
{set_up}\
  fence.mbarrier_init.release.cluster;
READY:
  bar.sync 0;
  setp.ne.u32 consumes, group, 0;
  @consumes bra CONSUMER;
  setmaxnreg.dec.sync.aligned.u32 24;
  @other bra END;
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [bars], {QUERIES * depth * 2};
{load_tile("base", "q", "first_row", "bars", QUERIES, depth)}\
PRODUCE:
  xor.b32 parity, phase, 1;
  mul.lo.u32 row, step, {KEYS};
{produce("k", depth, keys, 8, stage)}\
{produce("v", depth, values, 8 + 16 * STAGES, stage)}\
{next_slot(STAGES)}\
  add.u32 step, step, 1;
  setp.lt.u32 more, step, tiles_;
  @more bra PRODUCE;
  bra END;
CONSUMER:
  setmaxnreg.inc.sync.aligned.u32 240;
  sub.u32 group, group, 1;
  setp.eq.u32 arrives, lane, 0;
  setp.eq.u32 yes, 0, 0;
  setp.ne.u32 no, 0, 0;
  mov.f32 top0, 0fF149F2CA; // -1e30
  mov.f32 top1, top0;
  mov.f32 sum0, 0f00000000;
  mov.f32 sum1, sum0;
{start}\
  mad.lo.u32 at_query, group, {64 * LINE}, base;
{descriptor("query", "at_query")}\
{wait("bars", "0")}\
CONSUME:
  mad.lo.u32 full, slot, 16, bars;
  mad.lo.u32 at_key, slot, {stage}, base;
  add.u32 at_key, at_key, {keys}; // product
  add.u32 at_value, at_key, {values - keys};
{descriptor("key", "at_key")}{descriptor("value", "at_value", KEYS * LINE)}\
{wait("full+8", "phase")}\
  wgmma.fence.sync.aligned; // scores
{scores(depth)}\
  wgmma.commit_group.sync.aligned; // scores
  wgmma.wait_group.sync.aligned 0; // scores
  @arrives mbarrier.arrive.shared::cta.b64 _, [full+16];
{softmax(depth)}\
{wait(f"full+{8 + 16 * STAGES}", "phase")}\
  wgmma.fence.sync.aligned; // values
{weighted_values(depth)}\
  wgmma.commit_group.sync.aligned; // values
  wgmma.wait_group.sync.aligned 0; // values
  @arrives mbarrier.arrive.shared::cta.b64 _, [full+{16 + 16 * STAGES}];
{next_slot(STAGES)}\
  add.u32 step, step, 1;
  setp.lt.u32 more, step, tiles_;
  @more bra CONSUME;
  ld.param.u64 out, [o];
  shr.u32 row, lane, 5;
  mad.lo.u32 first_row, group, 64, first_row;
  mad.lo.u32 first_row, row, 16, first_row;
  and.b32 lane, lane, 31;
  shr.u32 row, lane, 2;
  add.u32 row, row, first_row;
  and.b32 column, lane, 3;
  shl.b32 column, column, 1;
  mad.lo.u32 row, row, {depth}, column;
  mul.wide.u32 offset, row, 4;
  add.u64 out, out, offset;
{epilogue(depth)}\
END:
  ret;
}}
"""
