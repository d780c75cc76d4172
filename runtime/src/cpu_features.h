// cpu_features.h - what the processor that we run on can do.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_SRC_CPU_FEATURES_H_
#define HEDDLE_SRC_CPU_FEATURES_H_

#include <stdint.h>

/// The machine that this runtime was compiled for, a heddle_abi_machine_t, and
/// a machine's name.
uint32_t heddle_cpu_machine(void);
const char *heddle_cpu_machine_name(uint32_t machine);

/// The features of this processor that the operating system lets us use, as
/// bits of the machine's feature enumeration in module_abi.h.
uint64_t heddle_cpu_features(void);

/// The name of a feature bit of this machine, NULL for a bit that it has not.
const char *heddle_cpu_feature_name(uint32_t bit);

/// Asks the operating system for the features in `features` that a process gets
/// only on request (AMX tiles). Returns 0 when it refuses.
int heddle_cpu_request(uint64_t features);

/// Whether the SHA-256 instructions are there.
int heddle_cpu_has_sha(void);

#endif // HEDDLE_SRC_CPU_FEATURES_H_
