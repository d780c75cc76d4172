//===- Heddle.td - every op of the heddle dialect ------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

include "dialects/heddle/HeddleOps.td"
include "dialects/heddle/HeddleProgramOps.td"
include "dialects/heddle/HeddleScalarOps.td"
