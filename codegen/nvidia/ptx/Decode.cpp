// Decode.cpp - from the instructions of a kernel to ops.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Flattener.h"
#include "codegen/nvidia/ptx/Machine.h"

#include <algorithm>

namespace heddle::ptx {

static constexpr size_t maxOps = size_t(1) << 22;
static constexpr uint64_t maxLocalBytes = uint64_t(16) << 20;

void build(Builder &builder) {
  switch (builder.in.opcode()) {
  case Opcode::Add:
  case Opcode::Sub:
  case Opcode::Mul:
  case Opcode::Mad:
  case Opcode::Fma:
  case Opcode::Div:
  case Opcode::Abs:
  case Opcode::Neg:
  case Opcode::Min:
  case Opcode::Max: {
    const std::vector<Type> &types = builder.in.mnemonic->types;
    Type type = types.empty() ? Type::B32 : types.back();
    // Two types: f16 or bf16 operands of an f32 sum.
    if (type == Type::F32x2 || (types.size() == 2 && types[0] == Type::F32))
      return buildPackedFloat(builder);
    switch (type) {
    case Type::F32:
    case Type::F64:
      return buildFloat(builder);
    case Type::F16:
    case Type::F16x2:
    case Type::BF16:
    case Type::BF16x2:
      return buildHalf(builder);
    default:
      return buildInteger(builder);
    }
  }
  case Opcode::Ex2:
  case Opcode::Tanh: {
    Type type = builder.in.mnemonic->types.empty()
                    ? Type::F32
                    : builder.in.mnemonic->types.back();
    return type == Type::F32 ? buildFloat(builder) : buildHalf(builder);
  }
  case Opcode::Rcp:
  case Opcode::Sqrt:
  case Opcode::Rsqrt:
  case Opcode::Sin:
  case Opcode::Cos:
  case Opcode::Lg2:
  case Opcode::Copysign:
  case Opcode::Testp:
    return buildFloat(builder);
  case Opcode::Addc:
  case Opcode::Subc:
  case Opcode::Madc:
  case Opcode::Mul24:
  case Opcode::Mad24:
  case Opcode::Sad:
  case Opcode::Rem:
  case Opcode::Dp2a:
  case Opcode::Dp4a:
    return buildInteger(builder);
  case Opcode::And:
  case Opcode::Or:
  case Opcode::Xor:
  case Opcode::Not:
  case Opcode::Cnot:
  case Opcode::Lop3:
  case Opcode::Shf:
  case Opcode::Shl:
  case Opcode::Shr:
  case Opcode::Bfe:
  case Opcode::Bfi:
  case Opcode::Bfind:
  case Opcode::Bmsk:
  case Opcode::Szext:
  case Opcode::Brev:
  case Opcode::Clz:
  case Opcode::Popc:
  case Opcode::Fns:
  case Opcode::Prmt:
    return buildBits(builder);
  case Opcode::Vabsdiff:
  case Opcode::Vadd:
  case Opcode::Vsub:
  case Opcode::Vmin:
  case Opcode::Vmax:
  case Opcode::Vset:
  case Opcode::Vshl:
  case Opcode::Vshr:
  case Opcode::Vmad:
  case Opcode::Vabsdiff2:
  case Opcode::Vabsdiff4:
  case Opcode::Vadd2:
  case Opcode::Vadd4:
  case Opcode::Vsub2:
  case Opcode::Vsub4:
  case Opcode::Vavrg2:
  case Opcode::Vavrg4:
  case Opcode::Vmin2:
  case Opcode::Vmin4:
  case Opcode::Vmax2:
  case Opcode::Vmax4:
  case Opcode::Vset2:
  case Opcode::Vset4:
    return buildVideo(builder);
  case Opcode::Set:
  case Opcode::Setp:
  case Opcode::Selp:
  case Opcode::Slct:
    return buildCompare(builder);
  case Opcode::Cvt:
    return buildConvert(builder);
  case Opcode::Mov:
  case Opcode::Cvta:
  case Opcode::Isspacep:
  case Opcode::Mapa:
  case Opcode::Getctarank:
    return buildMove(builder);
  case Opcode::Ld:
  case Opcode::Ldu:
    return buildMemory(builder);
  case Opcode::St:
    return builder.in.has("async") || builder.in.has("bulk")
               ? buildAsyncStore(builder)
               : buildMemory(builder);
  case Opcode::Atom:
    return buildAtomic(builder);
  case Opcode::Red:
    return builder.in.has("async") ? buildAsyncStore(builder)
                                   : buildAtomic(builder);
  case Opcode::Prefetch:
  case Opcode::Prefetchu:
  case Opcode::Applypriority:
  case Opcode::Discard:
  case Opcode::Createpolicy:
  case Opcode::Nanosleep:
  case Opcode::Griddepcontrol:
  case Opcode::Trap:
  case Opcode::Brkpt:
  case Opcode::Pmevent:
    return buildHint(builder);
  case Opcode::Setmaxnreg:
    return buildRegisterPool(builder);
  case Opcode::Alloca:
  case Opcode::Stacksave:
  case Opcode::Stackrestore:
    return buildStack(builder);
  case Opcode::Shfl:
  case Opcode::Vote:
  case Opcode::Match:
  case Opcode::Redux:
  case Opcode::Elect:
  case Opcode::Activemask:
    return buildWarp(builder);
  case Opcode::Bar:
  case Opcode::Barrier:
    return buildBarrier(builder);
  case Opcode::Mbarrier:
    return buildMbarrier(builder);
  case Opcode::Fence:
  case Opcode::Membar:
    return buildFence(builder);
  case Opcode::Cp:
    return builder.in.has("bulk") || builder.in.has("reduce")
               ? buildBulkCopy(builder)
               : buildAsyncCopy(builder);
  case Opcode::Tensormap:
    return buildTensorMap(builder);
  case Opcode::Ldmatrix:
  case Opcode::Stmatrix:
  case Opcode::Movmatrix:
    return buildMatrix(builder);
  case Opcode::Mma:
    return buildMma(builder);
  case Opcode::Wmma:
    return buildWmma(builder);
  case Opcode::Wgmma:
    return buildWgmma(builder);
  default:
    builder.refuse("instruction is not covered");
  }
}

/// In a subroutine local memory is counted from the frame of the call, and the
/// address is a register that its entry sets.
Frame::Place Flattener::placeLocal(const std::string &name, uint64_t bytes,
                                   uint64_t align, Location where) {
  uint64_t &top =
      owner ? program.subroutines[*owner].frameBytes : program.localBytes;
  uint64_t offset = (top + align - 1) / align * align;
  if (bytes > maxLocalBytes || offset + bytes > maxLocalBytes)
    throw Refusal{{where, "more than 16 MiB of local memory for a thread"}};
  top = offset + bytes;
  if (!owner)
    return {localWindow + offset, noRow};
  uint32_t reg = writer.addRegister("address of " + name, Type::U64);
  program.subroutines[*owner].registers.push_back(reg);
  newAddresses.push_back({reg, offset});
  return {0, program.registerRows[reg]};
}

Frame Flattener::makeFrame(const Function &function) {
  Frame frame;
  frame.function = &function;
  newAddresses.clear();
  for (const Register &reg : function.registers) {
    frame.registers.push_back(writer.addRegister(reg.name, reg.type));
    if (owner)
      program.subroutines[*owner].registers.push_back(frame.registers.back());
  }
  for (const Variable &variable : function.variables) {
    Frame::Place &place = frame.locals[variable.name];
    if (variable.space == Space::Local || variable.space == Space::Param) {
      place = placeLocal(variable.name, variable.bytes, variable.align,
                         variable.where);
      place.space = variable.space;
    } else if (variable.space == Space::Shared) {
      auto offset = shared.offsets.find({&function, variable.name});
      place.address = offset == shared.offsets.end() ? shared.dynamicOffset
                                                     : offset->second;
    } else {
      place.address = writer.variableAddresses.at(&variable);
    }
  }
  return frame;
}

/// Sets the registers of `newAddresses`.
void Flattener::emitAddresses() {
  for (const LocalAddress &local : newAddresses)
    pushPlain(writer.sumOf(program.subroutines[*owner].frame, local.offset,
                           local.reg));
  newAddresses.clear();
}

void Flattener::push(const Builder &builder) {
  if (program.code.size() >= maxOps)
    throw Refusal{
        {builder.in.where, "more than " + std::to_string(maxOps) +
                               " instructions once calls are put in place"}};
  for (const Op &op : builder.before)
    pushPlain(op);
  pushPlain(builder.op);
}

/// An op of the instruction that is being emitted.
void Flattener::pushPlain(const Op &op) {
  program.code.push_back(op);
  program.code.back().source = uint32_t(program.sources.size() - 1);
}

void Flattener::emitControl(const Function &function, Builder &builder) {
  const Instruction &in = builder.in;
  builder.take("uni");
  switch (in.opcode()) {
  case Opcode::Bra:
    builder.requireOperands(1, 1);
    if (!builder.isKind(0, Operand::Kind::Label))
      builder.refuse("expected a label");
    builder.op.flow = Flow::Branch;
    builder.finish();
    push(builder);
    active.back().fixups.push_back(
        {uint32_t(program.code.size() - 1), uint32_t(in.operands[0].value)});
    return;
  case Opcode::Brx: {
    builder.require("idx");
    builder.requireOperands(2, 2);
    if (!builder.isKind(1, Operand::Kind::Label))
      builder.refuse("expected a list of branch targets");
    builder.op.flow = Flow::BranchTable;
    builder.op.a = builder.source(0, Type::U32, true);
    builder.op.target = uint32_t(program.tables.size());
    // Made op indices once the function is complete.
    program.tables.push_back(
        function.branchTargets[in.operands[1].value].targets);
    break;
  }
  case Opcode::Ret:
    builder.requireOperands(0, 0);
    if (active.size() > 1) {
      builder.op.flow = Flow::Branch;
      builder.finish();
      push(builder);
      active.back().returns.push_back(uint32_t(program.code.size() - 1));
      return;
    }
    builder.op.flow = owner ? Flow::Return : Flow::Exit;
    break;
  default:
    builder.requireOperands(0, 0);
    builder.op.flow = Flow::Exit;
    break;
  }
  builder.finish();
  push(builder);
}

void Flattener::emit(const Function &function, const Frame &frame,
                     const Instruction &in) {
  size_t depth = active.size();
  try {
    program.sources.push_back(&in);
    if (in.opcode() == Opcode::Call)
      return emitCall(frame, in);
    Builder builder(writer, frame, in);
    switch (in.opcode()) {
    case Opcode::Bra:
    case Opcode::Brx:
    case Opcode::Ret:
    case Opcode::Exit:
      return emitControl(function, builder);
    default:
      build(builder);
      builder.finish();
      push(builder);
    }
  } catch (const Refusal &refusal) {
    active.resize(depth); // a refusal may come from inside a call
    diagnostics.push_back(refusal.diagnostic);
    // One line per fault is of use; ten thousand are not.
    if (diagnostics.size() >= 100)
      throw;
  }
}

/// The kernel itself, or a function in the place of a call of it.
void Flattener::emitFunction(const Function &function, const Frame *caller,
                             const Instruction *call) {
  Frame frame = makeFrame(function);
  emitAddresses();
  if (call)
    bindArguments(function, frame, *caller, *call);
  else
    for (const Param &param : function.params)
      frame.locals[param.name] = {param.offset, noRow};
  if (!call)
    return emitBody(function, frame);
  std::optional<uint32_t> stack = emitStackSave(function);
  emitBody(function, frame);
  if (stack)
    emitStackRestore(*stack);
  emitResults(function, frame, *caller, *call);
}

/// What `alloca` took is given back where the function returns: a register that
/// keeps the stack pointer, if the function has any.
std::optional<uint32_t> Flattener::emitStackSave(const Function &function) {
  bool allocates = std::any_of(
      function.code.begin(), function.code.end(),
      [](const Instruction &in) { return in.opcode() == Opcode::Alloca; });
  if (!allocates)
    return std::nullopt;
  uint32_t reg = writer.addRegister("stack of " + function.name, Type::U64);
  if (owner)
    program.subroutines[*owner].registers.push_back(reg);
  Op op;
  op.run = saveStack;
  op.bytes = 8;
  op.d = program.registerRows[reg];
  op.firstDef = uint32_t(program.uses.size());
  op.defCount = 1;
  program.uses.push_back({reg, false});
  pushPlain(op);
  return reg;
}

void Flattener::emitStackRestore(uint32_t reg) {
  Op op;
  op.run = restoreStack;
  op.bytes = 8;
  op.a = program.registerRows[reg];
  pushPlain(op);
}

void Flattener::emitBody(const Function &function, const Frame &frame) {
  active.push_back({&function, {}, {}});
  size_t firstTable = program.tables.size();
  std::vector<size_t> ownTables;

  std::vector<uint32_t> opOf(function.code.size() + 1);
  for (size_t i = 0; i < function.code.size(); ++i) {
    opOf[i] = uint32_t(program.code.size());
    firstTable = program.tables.size();
    emit(function, frame, function.code[i]);
    if (function.code[i].opcode() == Opcode::Brx &&
        program.tables.size() > firstTable)
      ownTables.push_back(firstTable);
  }
  uint32_t end = uint32_t(program.code.size());
  opOf.back() = end;
  for (Fixup fixup : active.back().fixups)
    program.code[fixup.op].target = opOf[fixup.instruction];
  for (size_t table : ownTables)
    for (uint32_t &target : program.tables[table])
      target = opOf[target];
  for (uint32_t op : active.back().returns)
    program.code[op].target = end;
  active.pop_back();
}

void Flattener::emitKernel() {
  std::vector<const Function *> functions = reachable(index, *program.entry);
  shared = layoutShared(*program.module, functions);
  program.staticShared = shared.staticBytes;
  program.dynamicSharedOffset = shared.dynamicOffset;
  placeVariables(functions, index, shared, writer);
  findSubroutines(functions);
  emitFunction(*program.entry, nullptr, nullptr);
  // A body may end without `ret`, or with a label.
  static const Mnemonic ending = {Opcode::Ret, "ret", {}, {}, {}, 1};
  static const Instruction last = {&ending, {}, {}, false, {}};
  program.sources.push_back(&last);
  Op op;
  op.flow = Flow::Exit;
  pushPlain(op);
  // Bodies of subroutines may bring up others.
  for (uint32_t i = 0; i < program.subroutines.size(); ++i)
    emitSubroutine(i);
  for (Op &call : program.code)
    if (call.flow == Flow::Call)
      call.target =
          program.subroutines[program.callSites[call.detail].subroutine].entry;
}

std::unique_ptr<Program> decode(const Module &module, const Function &entry,
                                std::vector<Diagnostic> &diagnostics) {
  auto program = std::make_unique<Program>();
  program->module = &module;
  program->entry = &entry;
  size_t before = diagnostics.size();
  try {
    Flattener(*program, diagnostics).emitKernel();
  } catch (const Refusal &refusal) {
    if (diagnostics.size() == before)
      diagnostics.push_back(refusal.diagnostic);
  }
  if (diagnostics.size() != before)
    return nullptr;
  program->registerBytes = (program->registerBytes + 255) / 256 * 256;
  return program;
}

} // namespace heddle::ptx
