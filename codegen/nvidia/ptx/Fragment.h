// Fragment.h - matrices spread over the registers of a warp; private.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_FRAGMENT_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_FRAGMENT_H

#include "codegen/nvidia/ptx/Builder.h"
#include "codegen/nvidia/ptx/Machine.h"
#include "codegen/nvidia/ptx/MatrixProduct.h"

namespace heddle::ptx {

/// Element `e` of register `r` of a lane, as row and column of the matrix.
struct Place {
  unsigned row, column;
};

/// mma and wgmma share one layout for each operand (PTX ISA 9.7.14.5.2 on): a
/// lane is one of four in a group of eight rows. `perRegister` elements of A or
/// B lie side by side along k in one register.
inline Place placeA(unsigned lane, unsigned r, unsigned e, unsigned rows,
                    unsigned perRegister) {
  unsigned group = lane / 4, member = lane % 4;
  unsigned halves = rows / 8; // registers alternate between them
  return {group + 8 * (r % halves),
          (r / halves) * 4 * perRegister + member * perRegister + e};
}
inline Place placeB(unsigned lane, unsigned r, unsigned e,
                    unsigned perRegister) {
  return {r * 4 * perRegister + lane % 4 * perRegister + e, lane / 4};
}
/// Element `i` of the accumulators of a lane, before packing of f16 pairs.
inline Place placeC(unsigned lane, unsigned i, unsigned rows) {
  unsigned perTile = rows / 4; // elements of a lane in eight columns
  unsigned tile = i / perTile, at = i % perTile;
  return {lane / 4 + 8 * (at / 2), tile * 8 + lane % 4 * 2 + at % 2};
}

/// Reads the accumulators of m16 or m8 into a dense matrix and back.
void gatherAccumulators(Warp &warp, const std::vector<Row> &rows, Type type,
                        unsigned m, unsigned n, float *into);
void scatterAccumulators(Warp &warp, const std::vector<Row> &rows, Type type,
                         unsigned m, unsigned n, const float *from);
void gatherAccumulators(Warp &warp, const std::vector<Row> &rows, unsigned m,
                        unsigned n, int64_t *into);
void scatterAccumulators(Warp &warp, const std::vector<Row> &rows, unsigned m,
                         unsigned n, const int64_t *from, bool saturate);

/// Takes the next of `.row` and `.col`, of A and then of B; true for the
/// latter.
bool takeColumnMajor(Builder &builder);
/// Takes `.xor.popc` or `.and.popc` of elements of one bit: 0 or 1.
uint8_t takeBitOperation(Builder &builder);

/// The bits of an element in a 32-bit register.
inline uint32_t elementOf(uint32_t word, unsigned bits, unsigned index) {
  return bits == 32 ? word : word >> (bits * index) & ((1u << bits) - 1);
}

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_FRAGMENT_H
