"""Pieces of PTX text that the generators share."""
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# Fields of a wgmma descriptor with a 128-byte swizzle: eight rows of 128 bytes
# are 1024 bytes further on. The leading offset (16-byte units) is the second.
SWIZZLE_128 = 1 << 62 | 1024 // 16 << 32


def registers(name, count, first=0):
    """`{name0, name1, ...}`."""
    return "{" + ", ".join(f"{name}{first + i}" for i in range(count)) + "}"


def wait(barrier, parity):
    """Waits until the phase of that parity is over. Labels are local."""
    return f"""  {{
  .reg .pred over;
AGAIN:
  mbarrier.try_wait.parity.shared::cta.b64 over, [{barrier}], {parity};
  @!over bra AGAIN;
  }}
"""


def descriptor(target, address, leading=16):
    """The descriptor of a 128-byte-swizzled operand at a shared address."""
    fields = SWIZZLE_128 | leading // 16 << 16
    return f"""  cvt.u64.u32 {target}, {address};
  shr.u64 {target}, {target}, 4;
  or.b64 {target}, {target}, {fields:#018x}; // {target} of {address}
"""


def load_box(to, tensor_map, column, row, barrier):
    """A tensor copy of a box of two dimensions."""
    return ("  cp.async.bulk.tensor.2d.shared::cta.global.mbarrier::complete_tx::bytes "
            f"[{to}], [{tensor_map}, {{{column}, {row}}}], [{barrier}];\n")


def take_map(name):
    """The address of a tensor map that is a parameter, in the register `name`."""
    return f"  mov.b64 {name}, {name}_map;\n  cvta.param.u64 {name}, {name};\n"


def next_slot(count):
    """Advances `slot`, and `phase` where it wraps."""
    return f"""  add.u32 slot, slot, 1;
  setp.eq.u32 wraps, slot, {count};
  @wraps mov.u32 slot, 0;
  @wraps xor.b32 phase, phase, 1;
"""
