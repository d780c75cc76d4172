//===- HeddleAttrs.cpp - weights, targets, schedules ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/heddle/HeddleDialect.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/CheckedArithmetic.h"

using namespace mlir;
using namespace heddle;

#include "dialects/heddle/HeddleEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/heddle/HeddleAttrs.cpp.inc"

void HeddleDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/heddle/HeddleAttrs.cpp.inc"
      >();
}

/// `<"file", offset, length> : type`
Attribute WeightAttr::parse(AsmParser &parser, Type type) {
  std::string file;
  int64_t offset = 0, length = 0;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseString(&file) || parser.parseComma() ||
      parser.parseInteger(offset) || parser.parseComma() ||
      parser.parseInteger(length) || parser.parseGreater())
    return {};
  auto tensorType = dyn_cast_or_null<RankedTensorType>(type);
  if (!tensorType) {
    parser.emitError(loc, "expects a weight to have a ranked tensor type");
    return {};
  }
  return parser.getChecked<WeightAttr>(parser.getContext(), StringRef(file),
                                       offset, length, tensorType);
}

void WeightAttr::print(AsmPrinter &printer) const {
  printer << '<';
  printer.printString(getFile());
  printer << ", " << getOffset() << ", " << getLength() << '>';
}

/// The size of a tensor of static shape in bytes, with elements of less than a
/// byte packed; nothing on overflow.
static std::optional<int64_t> byteSize(RankedTensorType type) {
  int64_t bits = type.getElementTypeBitWidth();
  if (type.getElementType().isInteger(1))
    bits = 8; // ONNX stores a bool in a byte
  std::optional<int64_t> total = bits;
  for (int64_t size : type.getShape())
    if (!(total = llvm::checkedMul(*total, size)))
      return std::nullopt;
  return llvm::divideCeilSigned(*total, 8);
}

LogicalResult
WeightAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                   StringRef file, int64_t offset, int64_t length,
                   RankedTensorType type) {
  // (C1)
  if (!type.hasStaticShape() || !type.getElementType().isIntOrFloat())
    return emitError() << "expects a weight of static shape and number type, "
                          "got "
                       << type;
  // (C2)
  std::optional<int64_t> expected = byteSize(type);
  if (!expected || *expected != length)
    return emitError() << "expects a weight of type " << type << " to have "
                       << expected.value_or(-1) << " bytes, got " << length;
  // (C3)
  if (offset < 0)
    return emitError() << "expects a weight offset of 0 or more, got "
                       << offset;
  return success();
}
