// context.c - calls: bind, plan, pack the arena, run.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "model.h"
#include "region.h"
#include "status.h"
#include "workers.h"

/// What a context keeps per entry, so that a call allocates nothing. All arrays
/// lie in `memory`.
typedef struct entry_state {
  int planned;           // whether `symbols` and what follows from them hold
  int64_t arena_size;    // for `symbols`
  int64_t *symbols;      // of the last planned call
  int64_t *next_symbols; // of the call that is being bound
  int64_t *results;      // of the plan
  int64_t *offsets;      // of the arena buffers
  heddle_arena_buffer_t *buffers;
  uint32_t *order; // working memory of the packing
  uint32_t *placed;
  void **inputs;
  void **outputs;
  void *memory;
} entry_state_t;

struct heddle_context {
  heddle_model_t *model;
  heddle_workers_t *workers;
  heddle_region_t arena; // shared by the entries
  entry_state_t entries[];
};

static heddle_status_t prepare_entry(heddle_bound_entry_t bound,
                                     entry_state_t *state) {
  const heddle_abi_entry_t *entry = bound.entry;
  size_t buffers = entry->buffers.count;
  size_t numbers =
      2 * (size_t)entry->symbols.count + entry->result_count + buffers;
  size_t pointers = (size_t)entry->inputs.count + entry->outputs.count;
  // Members of eight bytes come first, so that all are aligned.
  state->memory = calloc(
      1, 1 + numbers * sizeof(int64_t) + pointers * sizeof(void *) +
             buffers * (sizeof(heddle_arena_buffer_t) + 2 * sizeof(uint32_t)));
  if (!state->memory)
    return heddle_fail(HEDDLE_OUT_OF_RESOURCES, "no memory for a context");
  state->symbols = state->memory;
  state->next_symbols = state->symbols + entry->symbols.count;
  state->results = state->next_symbols + entry->symbols.count;
  state->offsets = state->results + entry->result_count;
  state->inputs = (void **)(state->offsets + buffers);
  state->outputs = state->inputs + entry->inputs.count;
  state->buffers =
      (heddle_arena_buffer_t *)(state->outputs + entry->outputs.count);
  state->order = (uint32_t *)(state->buffers + buffers);
  state->placed = state->order + buffers;
  return HEDDLE_OK;
}

static heddle_status_t prepare(heddle_context_t *context,
                               const heddle_context_options_t *options) {
  uint64_t scratch = 0;
  for (size_t i = 0; i < heddle_model_entries(context->model); ++i) {
    heddle_bound_entry_t bound = heddle_model_bound_entry(context->model, i);
    heddle_status_t status = prepare_entry(bound, &context->entries[i]);
    if (status != HEDDLE_OK)
      return status;
    if (bound.entry->scratch_size > scratch)
      scratch = bound.entry->scratch_size;
  }
  return heddle_workers_create(options, scratch, &context->workers);
}

heddle_status_t heddle_context_create(heddle_model_t *model,
                                      const heddle_context_options_t *options,
                                      heddle_context_t **out_context) {
  if (!model || !out_context)
    return heddle_fail(HEDDLE_INVALID_ARGUMENT,
                       "heddle_context_create expects a model and an "
                       "out_context");
  if (!model->file.code)
    return heddle_fail(HEDDLE_INVALID_ARGUMENT,
                       "the model was loaded with HEDDLE_LOAD_INFO_ONLY");
  size_t entries = heddle_model_entries(model);
  heddle_context_t *context =
      calloc(1, sizeof *context + entries * sizeof context->entries[0]);
  if (!context)
    return heddle_fail(HEDDLE_OUT_OF_RESOURCES, "no memory for a context");
  heddle_model_retain(model);
  context->model = model;
  heddle_status_t status = prepare(context, options);
  if (status != HEDDLE_OK) {
    heddle_context_release(context);
    return status;
  }
  *out_context = context;
  return HEDDLE_OK;
}

void heddle_context_release(heddle_context_t *context) {
  if (!context)
    return;
  if (context->workers)
    heddle_workers_release(context->workers);
  heddle_region_release(&context->arena);
  for (size_t i = 0; i < heddle_model_entries(context->model); ++i)
    free(context->entries[i].memory);
  heddle_model_release(context->model);
  free(context);
}

uint32_t heddle_context_thread_count(const heddle_context_t *context) {
  return heddle_workers_count(context->workers);
}

/// Packs the arena for the sizes that the plan has just computed.
static heddle_status_t pack_arena(heddle_bound_entry_t bound,
                                  entry_state_t *state) {
  size_t count = bound.entry->buffers.count;
  for (size_t i = 0; i < count; ++i) {
    const heddle_abi_buffer_t *buffer =
        heddle_manifest_record(bound.manifest, bound.entry->buffers, i);
    state->buffers[i].size = state->results[buffer->size_result];
    state->buffers[i].first = buffer->first_dispatch;
    state->buffers[i].last = buffer->last_dispatch;
  }
  state->arena_size = heddle_arena_pack(state->buffers, count, state->order,
                                        state->placed, state->offsets);
  if (state->arena_size < 0)
    return heddle_fail(HEDDLE_OUT_OF_RESOURCES,
                       "the shapes need more working memory than an address "
                       "space holds");
  return HEDDLE_OK;
}

/// Brings the plan and the packing up to date with `next_symbols`.
static heddle_status_t plan_call(heddle_bound_entry_t bound,
                                 heddle_plan_fn_t plan, entry_state_t *state) {
  size_t size = bound.entry->symbols.count * sizeof *state->symbols;
  if (state->planned && memcmp(state->symbols, state->next_symbols, size) == 0)
    return HEDDLE_OK;
  state->planned = 0;
  heddle_status_t status =
      heddle_plan(bound, plan, state->next_symbols, state->results);
  if (status == HEDDLE_OK)
    status = pack_arena(bound, state);
  if (status != HEDDLE_OK)
    return status;
  memcpy(state->symbols, state->next_symbols, size);
  state->planned = 1;
  return HEDDLE_OK;
}

static heddle_status_t report_fault(heddle_bound_entry_t bound, int32_t fault,
                                    int64_t detail) {
  uint32_t index = (uint32_t)fault - 1;
  if (index >= bound.entry->faults.count)
    return heddle_fail(HEDDLE_CORRUPT_FILE,
                       "the module reports fault %u, it has %u", index,
                       bound.entry->faults.count);
  const heddle_abi_fault_t *record =
      heddle_manifest_record(bound.manifest, bound.entry->faults, index);
  return heddle_fail(HEDDLE_DATA_FAULT, "%s, got %lld",
                     heddle_manifest_text(bound.manifest, record->sentence),
                     (long long)detail);
}

heddle_status_t heddle_model_run(heddle_context_t *context, size_t entry,
                                 const heddle_tensor_t *inputs,
                                 size_t input_count,
                                 const heddle_tensor_t *outputs,
                                 size_t output_count) {
  if (!context || (!inputs && input_count) || (!outputs && output_count))
    return heddle_fail(HEDDLE_INVALID_ARGUMENT,
                       "heddle_model_run expects a context, inputs and "
                       "outputs");
  const heddle_model_t *model = context->model;
  heddle_status_t status = heddle_model_check_entry(model, entry);
  if (status != HEDDLE_OK)
    return status;
  heddle_bound_entry_t bound = heddle_model_bound_entry(model, entry);
  entry_state_t *state = &context->entries[entry];

  // 1. Shapes: everything that can be refused is refused here.
  status = heddle_bind_inputs(bound, inputs, input_count, state->next_symbols,
                              state->inputs);
  if (status == HEDDLE_OK)
    status = plan_call(bound, model->code[entry].plan, state);
  if (status == HEDDLE_OK)
    status = heddle_bind_outputs(bound, outputs, output_count, state->symbols,
                                 state->results, state->outputs);
  if (status != HEDDLE_OK)
    return status;

  // 2. Memory.
  if (!heddle_region_reserve(&context->arena, (uint64_t)state->arena_size))
    return heddle_fail(HEDDLE_OUT_OF_RESOURCES,
                       "no memory for an arena of %lld bytes",
                       (long long)state->arena_size);

  // 3. Work.
  heddle_call_t call = {
      .symbols = state->symbols,
      .inputs = state->inputs,
      .outputs = state->outputs,
      .arena = context->arena.base,
      .offsets = state->offsets,
      .weights = model->weights.bytes,
  };
  int64_t detail;
  int32_t fault = heddle_workers_run(context->workers, model->code[entry].run,
                                     &call, &detail);
  return fault ? report_fault(bound, fault, detail) : HEDDLE_OK;
}
