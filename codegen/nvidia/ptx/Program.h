// Program.h - a kernel decoded for execution; private to the library.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every instruction becomes one `Op` with a handler chosen for its types, and
// with operands resolved to rows. A row holds one value per lane of a warp: 32
// words of 32 bits (types of up to 32 bits, zero-extended) or of 64 bits. A
// predicate is one 32-bit mask. Immediates, special registers and addresses of
// variables are rows too, so no handler asks what kind of operand it has.

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_PROGRAM_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_PROGRAM_H

#include "codegen/nvidia/ptx/Interpreter.h"

#include <map>
#include <memory>

namespace heddle::ptx {

class Warp;
struct Op;

/// One bit per lane of a warp.
using Lanes = uint32_t;
constexpr Lanes allLanes = ~Lanes(0);
constexpr unsigned warpSize = 32;

using Handler = void (*)(Warp &, const Op &, Lanes);

/// Offset of a row in bytes: into the registers of the warp, or, with the top
/// bit set, into the constants of the program.
using Row = uint32_t;
constexpr Row constantRow = Row(1) << 31;
constexpr Row noRow = constantRow - 1;
/// A register of 128 bits is two rows of 64-bit words; this far apart.
constexpr Row upperHalf = warpSize * 8;

/// What the scheduler must do with an op beyond calling its handler.
enum class Flow : uint8_t {
  Next,        ///< run, go to the next op
  Branch,      ///< lanes that execute go to `target`
  BranchTable, ///< lanes go to the entry of a list that row `a` selects
  Exit,
  Call,   ///< lanes go to `target`, the subroutine of call site `detail`
  Return, ///< lanes go behind the calls that they are in
  Wait,   ///< the handler may leave the lanes waiting (`Warp::block`)
};

/// Which lanes must arrive together (PTX ISA 9.7: `.aligned`, `.sync`).
enum class Convergence : uint8_t {
  None,
  Aligned,    ///< all lanes that have not exited
  AlignedAll, ///< all 32 lanes; an exited lane is a fault
  MemberMask, ///< the lanes named by row `members`
};

/// The part of a result that a part of a vector goes into, or the part of an
/// operand that it comes from.
enum class Half : uint8_t { Both, Low, High };

/// A register that an op reads or writes, for the checks of undefined values
/// and of accumulators in flight.
struct Use {
  uint32_t reg = 0;
  bool strict =
      false; ///< an undefined value is a fault here, not just passed on
  bool exchanged = false; ///< lanes pass it to one another, the op says whom
  Half half = Half::Both;
};

struct Op {
  Handler run = nullptr;
  Row d = noRow, a = noRow, b = noRow, c = noRow;
  Row guard = noRow; ///< predicate row
  bool guardNegated = false;
  /// Each half of the result comes from that half of the operands, or from
  /// those that `Use::half` names.
  bool byHalves = false;
  Flow flow = Flow::Next;
  Convergence convergence = Convergence::None;
  /// Small facts of the family: type sizes, modes. The family that decodes an
  /// op also runs it and names them.
  uint8_t mode = 0, mode2 = 0, bytes = 0, count = 0;
  Row members = noRow;
  uint32_t target = 0; ///< op index, or index of a list in `Program::tables`
  uint32_t detail = 0; ///< first of the op's rows in `Program::rows`, or other
  uint64_t immediate = 0;
  uint32_t firstUse = 0, firstDef = 0; ///< into `Program::uses`
  uint16_t useCount = 0, defCount = 0;
  uint32_t source = 0; ///< into `Program::sources`
};

/// Shape of a multi-register instruction (mma, wgmma, tensor copies).
struct OpDetail {
  std::vector<Row> d, a, b, c, extra;
  std::vector<uint32_t> registers; ///< accumulator registers, for wgmma
  std::vector<uint32_t> inputs;    ///< A-fragment registers, for wgmma
  unsigned m = 0, n = 0, k = 0;
  Type typeA = Type::B32, typeB = Type::B32, typeC = Type::F32,
       typeD = Type::F32;
  bool transA = false, transB = false, negA = false, negB = false;
  bool saturate = false;
};

/// A special register whose value differs by thread or block: filled into its
/// row when a warp starts.
struct SpecialRow {
  std::string name;
  Row row = 0;
  bool wide = false; ///< a row of 64-bit words
};

/// `%is_explicit_cluster` as the predicate it is.
constexpr std::string_view explicitClusterPredicate =
    "%is_explicit_cluster mask";

/// A variable of the module that lives in device memory, with its address.
struct PlacedVariable {
  const Variable *variable = nullptr;
  uint64_t address = 0;
};

/// Windows of the generic address space. Local variables, and parameters of
/// functions, have their generic address everywhere; parameters of the kernel
/// have their offset in their own space; shared variables have 32 bits there:
/// 24 bits of offset, and above them one more than the rank in the cluster, or
/// zero for the own block.
constexpr uint64_t windowMask = 0xFFFF'F000'0000'0000;
constexpr uint64_t sharedWindow = 0x0000'7000'0000'0000;
constexpr uint64_t localWindow = 0x0001'1000'0000'0000;
constexpr uint64_t paramWindow = 0x0001'2000'0000'0000;
constexpr uint64_t variableWindow = 0x0000'6000'0000'0000;
constexpr uint64_t functionWindow = 0x0000'7800'0000'0000;
constexpr unsigned sharedRankShift = 24;
constexpr uint32_t sharedOffsetMask = (1u << sharedRankShift) - 1;
/// What the system keeps of shared memory is the end of a block's window, so
/// that no access past the kernel's own part runs into it.
constexpr uint32_t reservedSharedBytes = 1024;
constexpr uint32_t reservedSharedOffset =
    (1u << sharedRankShift) - reservedSharedBytes;

/// A function that may be called while it runs: emitted once, and each call of
/// a lane has registers and local memory of its own. All other functions are
/// put in the place of their calls.
struct Subroutine {
  const Function *function = nullptr;
  uint32_t entry = 0;
  std::vector<uint32_t> registers; ///< saved by a call, restored by its return
  Row frame = noRow;               ///< address of the local memory of the call
  uint64_t frameBytes = 0;
};

/// What a call of a subroutine hands over, and what it gets back.
struct CallSite {
  /// A register of the caller to or from one of the subroutine, or a `.param`
  /// variable to or from the subroutine's local memory.
  struct Transfer {
    bool inRegister = false;
    Type type = Type::B32;
    Row outside = noRow; ///< value or address, of the caller
    /// The caller's register; none for a constant or an address.
    std::optional<uint32_t> outsideRegister;
    uint32_t insideRegister = 0;
    uint64_t offset = 0, bytes = 0; ///< in local memory
  };
  uint32_t subroutine = 0;
  std::vector<Transfer> arguments, results;
};

struct Program {
  const Module *module = nullptr;
  const Function *entry = nullptr;
  std::vector<Op> code;
  std::vector<const Instruction *> sources;
  std::vector<Use> uses;
  std::vector<Row> rows;
  std::vector<OpDetail> details;
  std::vector<std::vector<uint32_t>> tables;
  std::vector<SpecialRow> specials;
  std::vector<PlacedVariable> variables;
  std::vector<uint64_t> constants; ///< rows, 8-byte aligned
  uint32_t registerBytes = 0;      ///< of one warp
  uint32_t registerCount = 0;      ///< for masks of undefined lanes
  std::vector<std::string> registerNames;
  std::vector<Row> registerRows;
  std::vector<uint8_t> registerBits; ///< 1 for a predicate, else 32, 64 or 128
  std::vector<Subroutine> subroutines;
  std::vector<CallSite> callSites;
  /// What `mov` of a function and initialisers give, by name.
  std::map<std::string_view, uint64_t> functionAddresses;
  uint64_t staticShared = 0;
  uint64_t dynamicSharedOffset = 0;
  uint64_t localBytes = 0;
  bool movesRegisters = false;         ///< has setmaxnreg
  uint32_t largestRegisterRequest = 0; ///< of setmaxnreg.inc
};

/// Decodes the entry with every function it calls put in place of its call.
/// Adds to `diagnostics` and returns null if anything is not covered.
std::unique_ptr<Program> decode(const Module &module, const Function &entry,
                                std::vector<Diagnostic> &diagnostics);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_PROGRAM_H
