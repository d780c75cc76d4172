// Flattener.h - emits the functions of a kernel into one program; private.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A function is put in the place of each call of it, which keeps lanes that are
// in different functions under the reconvergence rule of any other branch.
// Functions that can be called while they run are emitted once instead, as
// subroutines. A call through a register tries the functions that it may mean
// one after another.

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_FLATTENER_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_FLATTENER_H

#include "codegen/nvidia/ptx/Layout.h"

namespace heddle::ptx {

/// Decodes one instruction that is no branch, call or return.
void build(Builder &builder);

/// The parts of a `call`: `(results), target, (arguments), prototype`.
struct CallParts {
  explicit CallParts(const Instruction &call);
  const Operand *results = nullptr, *target = nullptr, *arguments = nullptr,
                *prototype = nullptr;
};

/// A function that no file defines: CUDA's driver does (DeviceCalls.cpp).
struct DeviceFunction {
  std::string_view name;
  size_t arguments, results;
  Handler run;
};
/// Null for a name that is none of them.
const DeviceFunction *findDeviceFunction(std::string_view name);
/// Makes the op of the call; refuses lists that do not fit.
void buildDeviceCall(Builder &builder, const DeviceFunction &function,
                     const CallParts &parts);

class Flattener {
public:
  Flattener(Program &program, std::vector<Diagnostic> &diagnostics)
      : program(program), diagnostics(diagnostics), writer(program),
        index(*program.module) {}

  void emitKernel();

private:
  // Decode.cpp
  void emitFunction(const Function &function, const Frame *caller,
                    const Instruction *call);
  void emitBody(const Function &function, const Frame &frame);
  void emit(const Function &function, const Frame &frame,
            const Instruction &in);
  void emitControl(const Function &function, Builder &builder);
  void push(const Builder &builder);
  void pushPlain(const Op &op);
  Frame makeFrame(const Function &function);
  Frame::Place placeLocal(const std::string &name, uint64_t bytes,
                          uint64_t align, Location where);
  void emitAddresses();
  std::optional<uint32_t> emitStackSave(const Function &function);
  void emitStackRestore(uint32_t reg);

  // DecodeCalls.cpp
  void emitCall(const Frame &frame, const Instruction &in);
  void emitCallOf(const Function &callee, const Frame &frame,
                  const Instruction &in);
  void emitCallThrough(const Frame &frame, const Instruction &in,
                       const CallParts &parts);
  void emitSubroutineCall(const Function &callee, const Frame &frame,
                          const Instruction &in);
  void emitSubroutine(uint32_t number);
  uint32_t subroutineOf(const Function &function);
  CallSite::Transfer transferOf(const Param &param, const Operand &operand,
                                const Frame &callee, Builder &builder,
                                bool isResult);
  void emitMove(Builder &builder, Row to, Row from, Type type);
  void bindArguments(const Function &callee, Frame &frame, const Frame &caller,
                     const Instruction &call);
  void emitResults(const Function &callee, const Frame &frame,
                   const Frame &caller, const Instruction &call);
  void checkCounts(const Function &callee, const CallParts &parts,
                   const Builder &builder) const;
  std::vector<const Function *> candidates(const Function &caller,
                                           const CallParts &parts);
  void findSubroutines(const std::vector<const Function *> &functions);

  /// Branches of the function being emitted whose target is not yet known.
  struct Fixup {
    uint32_t op;
    uint32_t instruction;
  };
  /// A function that is being emitted, in its caller's place.
  struct Emission {
    const Function *function = nullptr;
    std::vector<Fixup> fixups;
    std::vector<uint32_t> returns; ///< ops that leave the inlined function
  };
  /// A local variable of a subroutine: its address changes with the call.
  struct LocalAddress {
    uint32_t reg;
    uint64_t offset;
  };

  Program &program;
  std::vector<Diagnostic> &diagnostics;
  ProgramWriter writer;
  FunctionIndex index;
  SharedLayout shared;
  std::vector<Emission> active;
  uint64_t comparisons = 0; ///< made by `candidates`
  std::set<const Function *> recursive;
  std::map<const Function *, uint32_t> subroutines;
  std::vector<Frame> subroutineFrames;
  /// By subroutine: addresses of its parameters and variables.
  std::vector<std::vector<LocalAddress>> entryAddresses;
  std::vector<LocalAddress> newAddresses; ///< of the last `makeFrame`
  std::optional<uint32_t> owner; ///< subroutine that frames are made for
};

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_FLATTENER_H
