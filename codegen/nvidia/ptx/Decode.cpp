// Decode.cpp - from the instructions of a kernel to ops, calls put in place.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Putting callees in place keeps lanes of a warp that are in different
// functions under the same reconvergence rule as any other branch. Its price is
// that recursion and calls through pointers are not covered.

#include "codegen/nvidia/ptx/Layout.h"
#include "codegen/nvidia/ptx/Machine.h"

#include <algorithm>

namespace heddle::ptx {

static constexpr size_t maxOps = size_t(1) << 22;
static constexpr size_t maxCallDepth = 64;
static constexpr uint64_t maxLocalBytes = uint64_t(16) << 20;

static void build(Builder &builder) {
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
  case Opcode::Setmaxnreg:
  case Opcode::Trap:
  case Opcode::Brkpt:
  case Opcode::Pmevent:
    return buildHint(builder);
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

namespace {

/// Emits one function after another into a program.
class Flattener {
public:
  Flattener(Program &program, std::vector<Diagnostic> &diagnostics)
      : program(program), diagnostics(diagnostics), writer(program),
        index(*program.module) {}

  void emitKernel();

private:
  void emitFunction(const Function &function, const Frame *caller,
                    const Instruction *call);
  void emit(const Function &function, const Frame &frame,
            const Instruction &in);
  void emitControl(const Function &function, Builder &builder);
  void emitCall(const Frame &frame, const Instruction &in);
  void emitMove(Builder &builder, Row to, Row from, Type type);
  void push(const Builder &builder);
  Frame makeFrame(const Function &function);
  void bindArguments(const Function &callee, Frame &frame, const Frame &caller,
                     const Instruction &call);
  uint64_t placeLocal(uint64_t bytes, uint64_t align, Location where);

  /// Branches of the function being emitted whose target is not yet known.
  struct Fixup {
    uint32_t op;
    uint32_t instruction;
  };

  Program &program;
  std::vector<Diagnostic> &diagnostics;
  ProgramWriter writer;
  FunctionIndex index;
  SharedLayout shared;
  /// A function that is being emitted, in its caller's place.
  struct Activation {
    const Function *function = nullptr;
    std::vector<Fixup> fixups;
    std::vector<uint32_t> returns; ///< ops that leave the inlined function
  };
  std::vector<Activation> active;
};

} // namespace

uint64_t Flattener::placeLocal(uint64_t bytes, uint64_t align, Location where) {
  uint64_t offset = (program.localBytes + align - 1) / align * align;
  if (bytes > maxLocalBytes || offset + bytes > maxLocalBytes)
    throw Refusal{{where, "more than 16 MiB of local memory for a thread"}};
  program.localBytes = offset + bytes;
  return localWindow + offset;
}

Frame Flattener::makeFrame(const Function &function) {
  Frame frame;
  frame.function = &function;
  for (const Register &reg : function.registers)
    frame.registers.push_back(writer.addRegister(reg.name, reg.type));
  for (const Variable &variable : function.variables) {
    if (variable.space == Space::Local || variable.space == Space::Param) {
      frame.locals[variable.name] =
          placeLocal(variable.bytes, variable.align, variable.where);
    } else if (variable.space == Space::Shared) {
      frame.locals[variable.name] =
          shared.offsets.count({&function, variable.name})
              ? shared.offsets[{&function, variable.name}]
              : shared.dynamicOffset;
    } else {
      for (const PlacedVariable &placed : program.variables)
        if (placed.variable == &variable)
          frame.locals[variable.name] = placed.address;
    }
  }
  return frame;
}

void Flattener::push(const Builder &builder) {
  if (program.code.size() >= maxOps)
    throw Refusal{
        {builder.in.where, "more than " + std::to_string(maxOps) +
                               " instructions once calls are put in place"}};
  program.code.push_back(builder.op);
  program.code.back().source = uint32_t(program.sources.size() - 1);
}

/// Moves for `.reg` arguments.
template <class Word>
static void moveRow(Warp &warp, const Op &op, Lanes lanes) {
  Word *to = warp.row<Word>(op.d);
  const Word *from = warp.row<Word>(op.a);
  forLanes(lanes, [&](unsigned lane) { to[lane] = from[lane]; });
}

static void movePredicate(Warp &warp, const Op &op, Lanes lanes) {
  Lanes &to = warp.predicate(op.d);
  to = (to & ~lanes) | (warp.predicate(op.a) & lanes);
}

void Flattener::emitMove(Builder &builder, Row to, Row from, Type type) {
  builder.op.run = type == Type::Pred     ? movePredicate
                   : bitWidth(type) == 64 ? moveRow<uint64_t>
                                          : moveRow<uint32_t>;
  builder.op.d = to;
  builder.op.a = from;
  builder.finish();
  push(builder);
}

void Flattener::bindArguments(const Function &callee, Frame &frame,
                              const Frame &caller, const Instruction &call) {
  const Operand *lists[2] = {nullptr, nullptr}; // results, arguments
  bool pastName = false;
  for (const Operand &operand : call.operands) {
    if (operand.kind == Operand::Kind::Symbol)
      pastName = true;
    else if (operand.kind == Operand::Kind::List)
      lists[pastName] = &operand;
  }
  const std::vector<Param> *declared[2] = {&callee.results, &callee.params};
  for (unsigned which = 0; which < 2; ++which) {
    size_t count = lists[which] ? lists[which]->elements.size() : 0;
    Builder probe(writer, caller, call);
    if (count != declared[which]->size())
      probe.refuse("expected " + std::to_string(declared[which]->size()) +
                   (which ? " arguments" : " results") + " of '" + callee.name +
                   "', got " + std::to_string(count));
    for (size_t i = 0; i < count; ++i) {
      const Param &param = (*declared[which])[i];
      const Operand &operand = lists[which]->elements[i];
      if (param.inRegister) {
        if (which == 0)
          continue; // copied out after the body
        Builder builder(writer, caller, call);
        builder.take("uni");
        Row from = param.type == Type::Pred
                       ? builder.predicateSource(operand)
                       : builder.source(operand, param.type);
        emitMove(builder, program.registerRows[frame.registers[param.reg]],
                 from, param.type);
        continue;
      }
      std::optional<uint64_t> address;
      if (operand.kind == Operand::Kind::Symbol)
        address = probe.symbolAddress(operand.name);
      if (!address)
        probe.refuse("expected a '.param' variable for '" + param.name + "'");
      frame.locals[param.name] = *address;
    }
  }
}

void Flattener::emitCall(const Frame &frame, const Instruction &in) {
  Builder builder(writer, frame, in);
  builder.take("uni");
  const Function *callee = nullptr;
  for (const Operand &operand : in.operands)
    if (operand.kind == Operand::Kind::Symbol)
      callee = index.find(operand.name);
    else if (operand.kind == Operand::Kind::Register)
      builder.refuse("calls through a register are not covered");
  if (!callee)
    builder.refuse("expected a function with a body in this file");
  if (std::any_of(active.begin(), active.end(),
                  [&](const Activation &a) { return a.function == callee; }))
    builder.refuse("recursive call of '" + callee->name + "' is not covered");
  if (active.size() >= maxCallDepth)
    builder.refuse("calls nested deeper than " + std::to_string(maxCallDepth));
  // Lanes that the guard excludes go around the body.
  std::optional<size_t> around;
  if (in.guard) {
    builder.op.flow = Flow::Branch;
    builder.finish();
    builder.op.guardNegated = !in.guardNegated;
    around = program.code.size();
    push(builder);
  }
  emitFunction(*callee, &frame, &in);
  if (around)
    program.code[*around].target = uint32_t(program.code.size());
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
    builder.op.flow = Flow::Exit;
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

void Flattener::emitFunction(const Function &function, const Frame *caller,
                             const Instruction *call) {
  Frame frame = makeFrame(function);
  if (call)
    bindArguments(function, frame, *caller, *call);
  else
    for (const Param &param : function.params)
      frame.locals[param.name] = param.offset;
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

  if (!call)
    return;
  for (const Operand &operand : call->operands) {
    if (operand.kind == Operand::Kind::Symbol)
      break;
    if (operand.kind != Operand::Kind::List)
      continue;
    for (size_t i = 0; i < function.results.size(); ++i) {
      const Param &result = function.results[i];
      if (!result.inRegister)
        continue;
      Builder builder(writer, *caller, *call);
      builder.take("uni");
      Row to = result.type == Type::Pred
                   ? builder.predicateDestination(operand.elements[i])
                   : builder.destination(operand.elements[i], result.type);
      emitMove(builder, to, program.registerRows[frame.registers[result.reg]],
               result.type);
    }
  }
}

void Flattener::emitKernel() {
  std::vector<const Function *> functions = reachable(index, *program.entry);
  shared = layoutShared(*program.module, functions);
  program.staticShared = shared.staticBytes;
  program.dynamicSharedOffset = shared.dynamicOffset;
  placeVariables(functions, shared, writer);
  emitFunction(*program.entry, nullptr, nullptr);
  // A body may end without `ret`, or with a label.
  static const Mnemonic ending = {Opcode::Ret, "ret", {}, {}, {}, 1};
  static const Instruction last = {&ending, {}, {}, false, {}};
  program.sources.push_back(&last);
  Op op;
  op.flow = Flow::Exit;
  op.source = uint32_t(program.sources.size() - 1);
  program.code.push_back(op);
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
