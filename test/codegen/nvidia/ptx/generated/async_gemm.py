"""A GEMM for sm_80: C (f32) = A B for row-major f16 or bf16 operands.

Tiles of 64 x 64 x 32 come through three stages of cp.async; four warps read
them by ldmatrix and multiply 32 x 32 each by mma.sync. With the swizzle, rows
that ldmatrix takes together lie in different banks.
"""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from ptx_text import registers

TILE, DEPTH, STAGES = 64, 32, 3
TILE_BYTES = TILE * DEPTH * 2  # of A and of B
STAGE = 2 * TILE_BYTES


def shared_address(to, row, unit, line_units, swizzle):
    """The place of 16-byte unit `unit` of a row of `line_units` units. The
    swizzle exchanges units by the number of the 128-byte line, or of the row
    where a row has one of its own."""
    text = ""
    if swizzle:
        shift = 1 if line_units == 4 else 0
        text = (f"  shr.u32 mix, {row}, {shift};\n  and.b32 mix, mix, {line_units - 1};\n"
                f"  xor.b32 mix, mix, {unit}; // swizzled\n")
    else:
        text = f"  mov.u32 mix, {unit};\n"
    return (text + f"  shl.b32 mix, mix, 4;\n  mad.lo.u32 {to}, {row}, {line_units * 16}, mix;\n")


def copy_stage(swizzle):
    """Copies tile `next` to its stage; each thread moves two units of A, two of
    B."""
    text = f"""  rem.u32 stage, next, {STAGES};
  mad.lo.u32 stage, stage, {STAGE}, base;
"""
    for part in range(2):
        text += f"""  shr.u32 row, thread, 2;
  add.u32 row, row, {part * 32};
  and.b32 unit, thread, 3;
{shared_address("to", "row", "unit", 4, swizzle)}\
  add.u32 to, to, stage;
  add.u32 row, row, first_row;
  mul.lo.u32 from, row, k_;
  mad.lo.u32 from, next, {DEPTH}, from;
  mad.lo.u32 from, unit, 8, from;
  mul.wide.u32 global, from, 2;
  add.u64 global, global, a_;
  cp.async.cg.shared.global [to], [global], 16;
  shr.u32 row, thread, 3;
  add.u32 row, row, {part * 16};
  and.b32 unit, thread, 7;
{shared_address("to", "row", "unit", 8, swizzle)}\
  add.u32 to, to, stage;
  mad.lo.u32 row, next, {DEPTH}, row;
  mad.lo.u32 from, row, n_, first_column;
  mad.lo.u32 from, unit, 8, from;
  mul.wide.u32 global, from, 2;
  add.u64 global, global, b_;
  cp.async.cg.shared.global [to+{TILE_BYTES}], [global], 16; // B, part {part}
"""
    return text


def multiply(element, swizzle):
    """Two steps of 16 along K: 2 x 4 products of 16 x 8."""
    text = f"  rem.u32 stage, step, {STAGES};\n  mad.lo.u32 stage, stage, {STAGE}, base;\n"
    for depth in range(2):
        for tile in range(2):
            text += f"""  and.b32 row, lane, 15;
  add.u32 row, row, warp_row;
  add.u32 row, row, {tile * 16};
  shr.u32 unit, lane, 4;
  add.u32 unit, unit, {depth * 2};
{shared_address("to", "row", "unit", 4, swizzle)}\
  add.u32 to, to, stage;
  ldmatrix.sync.aligned.m8n8.x4.shared.b16 {registers("left", 4, 4 * tile)}, [to];
"""
        for pair in range(2):
            text += f"""  and.b32 row, lane, 15;
  add.u32 row, row, {depth * 16};
  shr.u32 unit, warp_column, 3;
  add.u32 unit, unit, {pair * 2};
  shr.u32 from, lane, 4;
  add.u32 unit, unit, from;
{shared_address("to", "row", "unit", 8, swizzle)}\
  add.u32 to, to, stage;
  ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {registers("right", 4, 4 * pair)}, [to+{TILE_BYTES}];
"""
        for tile in range(2):
            for column in range(4):
                d = registers("acc", 4, 16 * tile + 4 * column)
                text += (f"  mma.sync.aligned.m16n8k16.row.col.f32.{element}.{element}.f32 {d}, "
                         f"{registers('left', 4, 4 * tile)}, {registers('right', 2, 2 * column)}, "
                         f"{d};\n")
    return text


def stores():
    text = ""
    for tile in range(2):
        for half in range(2):
            text += f"  mad.lo.u32 to, n_, {tile * 16 + half * 8}, from;\n"
            text += "  mul.wide.u32 global, to, 4;\n  add.u64 global, global, c_;\n"
            for column in range(4):
                text += (f"  st.global.v2.f32 [global+{column * 32}], "
                         f"{registers('acc', 2, 16 * tile + 4 * column + 2 * half)};\n")
    return text


def kernel(element, swizzle):
    """The PTX text. Parameters: A, B, C, columns of B, columns of A."""
    start = "".join(f"  mov.f32 acc{i}, 0f00000000;\n" for i in range(32))
    return f""".version 7.0
.target sm_80
.address_size 64
.visible .entry gemm(.param .u64 a, .param .u64 b, .param .u64 c, .param .u32 n, .param .u32 k)
.reqntid 128
{{
  .reg .pred more;
  .reg .b32 thread, lane, base, next, step, steps, stage, row, unit, mix, to, from;
  .reg .b32 first_row, first_column, warp_row, warp_column, n_, k_, left<8>, right<8>;
  .reg .b64 a_, b_, c_, global;
  .reg .f32 acc<32>;
  .shared .align 128 .b8 tiles[{STAGES * STAGE}];
  ld.param.u64 a_, [a];
  ld.param.u64 b_, [b];
  ld.param.u64 c_, [c];
  ld.param.u32 n_, [n];
  ld.param.u32 k_, [k];
  mov.u32 base, tiles;
  mov.u32 thread, %tid.x;
  and.b32 lane, thread, 31;
  mov.u32 first_row, %ctaid.y;
  shl.b32 first_row, first_row, 6;
  mov.u32 first_column, %ctaid.x;
  shl.b32 first_column, first_column, 6;
  shr.u32 warp_row, thread, 6;
  shl.b32 warp_row, warp_row, 5;
  and.b32 warp_column, thread, 32;
  shr.u32 steps, k_, 5;
{start}\
  mov.u32 next, 0;
{copy_stage(swizzle)}\
  cp.async.commit_group;
  mov.u32 next, 1;
  setp.lt.u32 more, next, steps;
  @!more bra FILLED;
{copy_stage(swizzle)}\
FILLED:
  cp.async.commit_group;
  mov.u32 step, 0;
LOOP:
  cp.async.wait_group 1; // of the loop
  bar.sync 0; // stage is there, and the one before is free
  add.u32 next, step, 2;
  setp.lt.u32 more, next, steps;
  @!more bra COPIED;
{copy_stage(swizzle)}\
COPIED:
  cp.async.commit_group; // in the loop
{multiply(element, swizzle)}\
  add.u32 step, step, 1;
  setp.lt.u32 more, step, steps;
  @more bra LOOP;
  shr.u32 row, lane, 2;
  add.u32 row, row, warp_row;
  add.u32 row, row, first_row;
  and.b32 unit, lane, 3;
  shl.b32 unit, unit, 1;
  add.u32 unit, unit, warp_column;
  add.u32 unit, unit, first_column;
  mad.lo.u32 from, row, n_, unit;
{stores()}\
  ret;
}}
"""
