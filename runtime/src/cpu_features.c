// cpu_features.c - detection through CPUID (Intel SDM vol. 2A; AMD APM vol. 3).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "cpu_features.h"

#include <stddef.h>

#include "heddle/module_abi.h"

const char *heddle_cpu_machine_name(uint32_t machine) {
  switch (machine) {
  case HEDDLE_MACHINE_X86_64:
    return "x86-64";
  case HEDDLE_MACHINE_AARCH64:
    return "aarch64";
  }
  return "unknown";
}

#ifdef __x86_64__

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

uint32_t heddle_cpu_machine(void) { return HEDDLE_MACHINE_X86_64; }

typedef enum cpuid_register { EAX, EBX, ECX, EDX } cpuid_register_t;

/// The state components (XCR0) that the operating system must save before a
/// feature's registers may be used.
typedef enum register_state {
  STATE_NONE = 0,
  STATE_AVX = 0x6,
  STATE_AVX512 = 0xe6,
  STATE_AMX = 0x60000,
} register_state_t;

typedef struct feature {
  const char *name;
  uint32_t leaf;
  uint32_t subleaf;
  cpuid_register_t where;
  uint32_t bit;
  register_state_t state;
} feature_t;

static const feature_t features[HEDDLE_X86_FEATURE_COUNT] = {
    [HEDDLE_X86_SSE4_2] = {"sse4.2", 1, 0, ECX, 20, STATE_NONE},
    [HEDDLE_X86_POPCNT] = {"popcnt", 1, 0, ECX, 23, STATE_NONE},
    [HEDDLE_X86_AVX] = {"avx", 1, 0, ECX, 28, STATE_AVX},
    [HEDDLE_X86_AVX2] = {"avx2", 7, 0, EBX, 5, STATE_AVX},
    [HEDDLE_X86_FMA] = {"fma", 1, 0, ECX, 12, STATE_AVX},
    [HEDDLE_X86_F16C] = {"f16c", 1, 0, ECX, 29, STATE_AVX},
    [HEDDLE_X86_BMI] = {"bmi", 7, 0, EBX, 3, STATE_NONE},
    [HEDDLE_X86_BMI2] = {"bmi2", 7, 0, EBX, 8, STATE_NONE},
    [HEDDLE_X86_LZCNT] = {"lzcnt", 0x80000001, 0, ECX, 5, STATE_NONE},
    [HEDDLE_X86_MOVBE] = {"movbe", 1, 0, ECX, 22, STATE_NONE},
    [HEDDLE_X86_AVX512F] = {"avx512f", 7, 0, EBX, 16, STATE_AVX512},
    [HEDDLE_X86_AVX512BW] = {"avx512bw", 7, 0, EBX, 30, STATE_AVX512},
    [HEDDLE_X86_AVX512CD] = {"avx512cd", 7, 0, EBX, 28, STATE_AVX512},
    [HEDDLE_X86_AVX512DQ] = {"avx512dq", 7, 0, EBX, 17, STATE_AVX512},
    [HEDDLE_X86_AVX512VL] = {"avx512vl", 7, 0, EBX, 31, STATE_AVX512},
    [HEDDLE_X86_AVX512VBMI] = {"avx512vbmi", 7, 0, ECX, 1, STATE_AVX512},
    [HEDDLE_X86_AVX512VNNI] = {"avx512vnni", 7, 0, ECX, 11, STATE_AVX512},
    [HEDDLE_X86_AVX512BF16] = {"avx512bf16", 7, 1, EAX, 5, STATE_AVX512},
    [HEDDLE_X86_AVX512FP16] = {"avx512fp16", 7, 0, EDX, 23, STATE_AVX512},
    [HEDDLE_X86_AVXVNNI] = {"avxvnni", 7, 1, EAX, 4, STATE_AVX},
    [HEDDLE_X86_AMX_TILE] = {"amx-tile", 7, 0, EDX, 24, STATE_AMX},
    [HEDDLE_X86_AMX_BF16] = {"amx-bf16", 7, 0, EDX, 22, STATE_AMX},
    [HEDDLE_X86_AMX_INT8] = {"amx-int8", 7, 0, EDX, 25, STATE_AMX},
};

/// XCR0, or 0 where the operating system does not use XSAVE.
static uint64_t saved_states(void) {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
    return 0;
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

static int has_bit(uint32_t leaf, uint32_t subleaf, cpuid_register_t where,
                   uint32_t bit) {
  uint32_t registers[4];
  if (!__get_cpuid_count(leaf, subleaf, &registers[EAX], &registers[EBX],
                         &registers[ECX], &registers[EDX]))
    return 0;
  return registers[where] >> bit & 1;
}

uint64_t heddle_cpu_features(void) {
  uint64_t states = saved_states();
  uint64_t found = 0;
  for (uint32_t i = 0; i < HEDDLE_X86_FEATURE_COUNT; ++i) {
    const feature_t *feature = &features[i];
    if ((states & feature->state) == (uint64_t)feature->state &&
        has_bit(feature->leaf, feature->subleaf, feature->where, feature->bit))
      found |= UINT64_C(1) << i;
  }
  return found;
}

const char *heddle_cpu_feature_name(uint32_t bit) {
  return bit < HEDDLE_X86_FEATURE_COUNT ? features[bit].name : NULL;
}

int heddle_cpu_request(uint64_t wanted) {
  // Linux keeps the large tile state off until a process asks for it.
  const long request_permission = 0x1023; // ARCH_REQ_XCOMP_PERM
  const long tile_data = 18;              // XFEATURE_XTILEDATA
  if (!(wanted >> HEDDLE_X86_AMX_TILE & 1))
    return 1;
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

int heddle_cpu_has_sha(void) {
  // -1 until asked; every thread that races here stores the same value.
  static _Atomic int known = -1;
  if (known < 0)
    known = has_bit(7, 0, EBX, 29) && has_bit(1, 0, ECX, 19) &&
            has_bit(1, 0, ECX, 9);
  return known;
}

#else

uint32_t heddle_cpu_machine(void) {
#ifdef __aarch64__
  return HEDDLE_MACHINE_AARCH64;
#else
  return 0;
#endif
}

uint64_t heddle_cpu_features(void) { return 0; }

const char *heddle_cpu_feature_name(uint32_t bit) {
  (void)bit;
  return NULL;
}

int heddle_cpu_request(uint64_t wanted) { return wanted == 0; }

int heddle_cpu_has_sha(void) { return 0; }

#endif
