// DecodeCalls.cpp - calls: in place, of subroutines, and through registers (PTX
// ISA 9.7.12.5). SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Flattener.h"
#include "codegen/nvidia/ptx/Machine.h"

#include <algorithm>
#include <set>
#include <utility>

namespace heddle::ptx {

static constexpr size_t maxCallDepth = 64;
/// Comparisons of calls through registers with functions they may mean: more
/// are no kernel, but an attempt to keep the decoder busy.
static constexpr uint64_t maxComparisons = uint64_t(1) << 20;

CallParts::CallParts(const Instruction &call) {
  for (const Operand &operand : call.operands) {
    if (operand.kind == Operand::Kind::List)
      (target ? arguments : results) = &operand;
    else
      (target ? prototype : target) = &operand;
  }
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

/// Refuses a call whose lists do not have the lengths of the declaration.
void Flattener::checkCounts(const Function &callee, const CallParts &parts,
                            const Builder &builder) const {
  auto check = [&](const Operand *list, const std::vector<Param> &declared,
                   const char *what) {
    size_t count = list ? list->elements.size() : 0;
    if (count != declared.size())
      builder.refuse("expected " + std::to_string(declared.size()) + " " +
                     what + " of '" + callee.name + "', got " +
                     std::to_string(count));
  };
  check(parts.results, callee.results, "results");
  check(parts.arguments, callee.params, "arguments");
}

/// The address of a `.param` variable of the caller.
static Frame::Place paramPlace(const Builder &builder, const Param &param,
                               const Operand &operand) {
  std::optional<Frame::Place> place;
  if (operand.kind == Operand::Kind::Symbol)
    place = builder.symbolPlace(operand.name);
  if (!place)
    builder.refuse("expected a '.param' variable for '" + param.name + "'");
  return *place;
}

static Row registerSource(Builder &builder, const Param &param,
                          const Operand &operand) {
  return param.type == Type::Pred ? builder.predicateSource(operand)
                                  : builder.source(operand, param.type);
}

static Row registerResult(Builder &builder, const Param &param,
                          const Operand &operand) {
  return param.type == Type::Pred ? builder.predicateDestination(operand)
                                  : builder.destination(operand, param.type);
}

void Flattener::bindArguments(const Function &callee, Frame &frame,
                              const Frame &caller, const Instruction &call) {
  CallParts parts(call);
  Builder probe(writer, caller, call);
  checkCounts(callee, parts, probe);
  for (size_t i = 0; i < callee.results.size(); ++i)
    if (const Param &result = callee.results[i]; !result.inRegister)
      frame.locals[result.name] =
          paramPlace(probe, result, parts.results->elements[i]);
  for (size_t i = 0; i < callee.params.size(); ++i) {
    const Param &param = callee.params[i];
    const Operand &operand = parts.arguments->elements[i];
    if (!param.inRegister) {
      frame.locals[param.name] = paramPlace(probe, param, operand);
      continue;
    }
    Builder builder(writer, caller, call);
    builder.take("uni");
    Row from = registerSource(builder, param, operand);
    builder.sets(frame.registers[param.reg]);
    emitMove(builder, program.registerRows[frame.registers[param.reg]], from,
             param.type);
  }
}

void Flattener::emitResults(const Function &callee, const Frame &frame,
                            const Frame &caller, const Instruction &call) {
  CallParts parts(call);
  for (size_t i = 0; i < callee.results.size(); ++i) {
    const Param &result = callee.results[i];
    if (!result.inRegister)
      continue;
    Builder builder(writer, caller, call);
    builder.take("uni");
    builder.reads(frame.registers[result.reg]);
    Row to = registerResult(builder, result, parts.results->elements[i]);
    emitMove(builder, to, program.registerRows[frame.registers[result.reg]],
             result.type);
  }
}

void Flattener::emitCall(const Frame &frame, const Instruction &in) {
  Builder builder(writer, frame, in);
  builder.take("uni");
  CallParts parts(in);
  const Function *callee = nullptr;
  bool isDirect = parts.target && parts.target->kind == Operand::Kind::Symbol;
  if (isDirect)
    callee = index.find(parts.target->name);
  const DeviceFunction *known =
      isDirect && !callee ? findDeviceFunction(parts.target->name) : nullptr;
  if (known) {
    buildDeviceCall(builder, *known, parts);
    builder.finish();
    return push(builder);
  }
  if (!parts.target || (isDirect && (!callee || callee->isEntry)))
    builder.refuse("expected a function with a body in this file");
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
  if (callee)
    emitCallOf(*callee, frame, in);
  else
    emitCallThrough(frame, in, parts);
  if (around)
    program.code[*around].target = uint32_t(program.code.size());
}

void Flattener::emitCallOf(const Function &callee, const Frame &frame,
                           const Instruction &in) {
  if (recursive.count(&callee))
    emitSubroutineCall(callee, frame, in);
  else
    emitFunction(callee, &frame, &in);
}

//===----------------------------------------------------------------------===//
// Calls through registers
//===----------------------------------------------------------------------===//

static bool isAlike(const std::vector<Param> &a, const std::vector<Param> &b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Param &x, const Param &y) {
                      return x.inRegister == y.inRegister &&
                             x.bytes == y.bytes &&
                             (x.type == Type::Pred) == (y.type == Type::Pred);
                    });
}

/// The functions that a call through a register may mean: those of its list, or
/// those whose address is taken and that are like its prototype.
std::vector<const Function *> Flattener::candidates(const Function &caller,
                                                    const CallParts &parts) {
  std::vector<const Function *> found;
  std::set<const Function *> seen; // an alias is the function it stands for
  if (!parts.prototype || parts.prototype->kind != Operand::Kind::Label)
    return found;
  const Function::CallPrototype &prototype =
      caller.callPrototypes[parts.prototype->value];
  comparisons += program.functionAddresses.size() *
                 std::max<size_t>(prototype.targets.size(), 1);
  if (comparisons > maxComparisons)
    throw Refusal{{caller.where, "more calls through registers, and functions "
                                 "that they may mean, than are covered"}};
  for (const auto &[name, address] : program.functionAddresses) {
    const Function *function = index.find(name);
    bool fits =
        prototype.listsTargets
            ? std::find(prototype.targets.begin(), prototype.targets.end(),
                        name) != prototype.targets.end()
            : isAlike(function->params, prototype.params) &&
                  isAlike(function->results, prototype.results);
    if (fits && seen.insert(function).second)
      found.push_back(function);
  }
  return found;
}

/// Row `d` = row `a` is not the address in `op.immediate`.
static void isOtherFunction(Warp &warp, const Op &op, Lanes lanes) {
  const auto *a = warp.row<uint64_t>(op.a);
  Lanes other = 0;
  for (Lanes left = lanes; left != 0; left &= left - 1)
    if (a[std::countr_zero(left)] != op.immediate)
      other |= left & -left;
  Lanes &d = warp.predicate(op.d);
  d = (d & ~lanes) | other;
}

static void noSuchFunction(Warp &warp, const Op &op, Lanes lanes) {
  unsigned lane = unsigned(std::countr_zero(lanes));
  warp.machine->find(FindingKind::OutOfBounds, warp, op, lane,
                     warp.row<uint64_t>(op.a)[lane],
                     "calls an address that is none of the functions its "
                     "prototype allows");
  throw Stop{Status::Stopped};
}

void Flattener::emitCallThrough(const Frame &frame, const Instruction &in,
                                const CallParts &parts) {
  Builder probe(writer, frame, in);
  std::vector<const Function *> functions = candidates(*frame.function, parts);
  if (functions.empty())
    probe.refuse("expected a prototype, or a list of targets, that a function "
                 "with a body is like");
  uint32_t other = writer.addRegister("no match", Type::Pred);
  std::vector<size_t> ends;
  for (const Function *function : functions) {
    Builder builder(writer, frame, in);
    builder.take("uni");
    builder.op.a = builder.source(*parts.target, Type::U64, true);
    builder.op.d = program.registerRows[other];
    builder.op.immediate = program.functionAddresses[function->name];
    builder.op.run = isOtherFunction;
    builder.finish();
    push(builder);
    Op skip;
    skip.flow = Flow::Branch;
    skip.guard = program.registerRows[other];
    size_t branch = program.code.size();
    pushPlain(skip);
    emitCallOf(*function, frame, in);
    Op leave;
    leave.flow = Flow::Branch;
    ends.push_back(program.code.size());
    pushPlain(leave);
    program.code[branch].target = uint32_t(program.code.size());
  }
  Builder builder(writer, frame, in);
  builder.take("uni");
  builder.op.a = builder.source(*parts.target, Type::U64, true);
  builder.op.run = noSuchFunction;
  builder.finish();
  push(builder);
  for (size_t end : ends)
    program.code[end].target = uint32_t(program.code.size());
}

//===----------------------------------------------------------------------===//
// Subroutines
//===----------------------------------------------------------------------===//

/// Functions on cycles of calls, or between cycles: what is left once functions
/// that call nothing left, and those that nothing left calls, are taken away.
void Flattener::findSubroutines(
    const std::vector<const Function *> &functions) {
  std::map<const Function *, std::set<const Function *>> callees, callers;
  for (const Function *function : functions)
    for (const Instruction &in : function->code) {
      if (in.opcode() != Opcode::Call)
        continue;
      CallParts parts(in);
      if (!parts.target)
        continue;
      std::vector<const Function *> targets;
      if (parts.target->kind != Operand::Kind::Symbol)
        targets = candidates(*function, parts);
      else if (const Function *callee = index.find(parts.target->name))
        targets = {callee};
      for (const Function *callee : targets) {
        callees[function].insert(callee);
        callers[callee].insert(function);
      }
    }
  recursive.insert(functions.begin(), functions.end());
  auto peel = [&](auto &out, auto &in) {
    std::vector<const Function *> bare;
    for (const Function *function : recursive)
      if (out[function].empty())
        bare.push_back(function);
    while (!bare.empty()) {
      const Function *function = bare.back();
      bare.pop_back();
      recursive.erase(function);
      for (const Function *next : in[function]) {
        out[next].erase(function);
        if (out[next].empty() && recursive.count(next))
          bare.push_back(next);
      }
      in[function].clear();
    }
  };
  peel(callees, callers);
  peel(callers, callees);
}

/// The number of the function's subroutine, which it is given if it has none.
uint32_t Flattener::subroutineOf(const Function &function) {
  auto [place, isNew] =
      subroutines.try_emplace(&function, uint32_t(program.subroutines.size()));
  if (!isNew)
    return place->second;
  uint32_t number = place->second;
  program.subroutines.emplace_back();
  program.subroutines[number].function = &function;
  std::optional<uint32_t> outer = std::exchange(owner, number);
  std::vector<LocalAddress> outerAddresses = std::move(newAddresses);
  uint32_t pointer = writer.addRegister("frame of " + function.name, Type::U64);
  program.subroutines[number].registers.push_back(pointer);
  program.subroutines[number].frame = program.registerRows[pointer];
  Frame frame = makeFrame(function);
  for (const std::vector<Param> *params : {&function.params, &function.results})
    for (const Param &param : *params)
      if (!param.inRegister)
        frame.locals[param.name] =
            placeLocal(param.name, param.bytes, param.align, function.where);
  subroutineFrames.push_back(std::move(frame));
  entryAddresses.push_back(std::move(newAddresses));
  newAddresses = std::move(outerAddresses);
  owner = outer;
  return number;
}

void Flattener::emitSubroutine(uint32_t number) {
  owner = number;
  const Function &function = *program.subroutines[number].function;
  program.subroutines[number].entry = uint32_t(program.code.size());
  newAddresses = entryAddresses[number];
  emitAddresses();
  Frame frame = subroutineFrames[number];
  emitBody(function, frame);
  Op end; // a body may end without `ret`
  end.flow = Flow::Return;
  pushPlain(end);
  owner.reset();
}

CallSite::Transfer Flattener::transferOf(const Param &param,
                                         const Operand &operand,
                                         const Frame &callee, Builder &builder,
                                         bool isResult) {
  CallSite::Transfer transfer;
  transfer.inRegister = param.inRegister;
  transfer.type = param.type;
  transfer.bytes = param.bytes;
  if (!param.inRegister) {
    Frame::Place place = paramPlace(builder, param, operand);
    transfer.outside =
        place.row != noRow ? place.row : writer.constant(place.address, 64);
    Row inside = callee.locals.at(param.name).row;
    for (const LocalAddress &local :
         entryAddresses[subroutines.at(callee.function)])
      if (program.registerRows[local.reg] == inside)
        transfer.offset = local.offset;
    return transfer;
  }
  transfer.outside = isResult ? registerResult(builder, param, operand)
                              : registerSource(builder, param, operand);
  transfer.outsideRegister = builder.registerIndex(operand);
  transfer.insideRegister = callee.registers[param.reg];
  return transfer;
}

void Flattener::emitSubroutineCall(const Function &callee, const Frame &frame,
                                   const Instruction &in) {
  CallParts parts(in);
  Builder call(writer, frame, in), results(writer, frame, in);
  call.take("uni");
  results.take("uni");
  checkCounts(callee, parts, call);
  CallSite site;
  site.subroutine = subroutineOf(callee);
  const Frame &inside = subroutineFrames[site.subroutine];
  for (size_t i = 0; i < callee.params.size(); ++i)
    site.arguments.push_back(transferOf(
        callee.params[i], parts.arguments->elements[i], inside, call, false));
  for (size_t i = 0; i < callee.results.size(); ++i)
    site.results.push_back(transferOf(
        callee.results[i], parts.results->elements[i], inside, results, true));
  call.op.flow = Flow::Call;
  results.op.run = takeResults;
  call.op.detail = results.op.detail = uint32_t(program.callSites.size());
  program.callSites.push_back(std::move(site));
  call.finish();
  push(call);
  results.finish();
  push(results);
}

} // namespace heddle::ptx
