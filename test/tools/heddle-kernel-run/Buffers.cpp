//===- Buffers.cpp - arguments of a kernel under test ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Buffers.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Errc.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>
#include <random>
#include <sys/mman.h>
#include <vector>

using namespace mlir;
using namespace heddle::kernelrun;

/// What memory holds that nobody has written; a NaN in every float type.
static constexpr unsigned char kPoison = 0xff;
static constexpr size_t kPage = 4096;

static int64_t bytesOf(Type type) {
  return std::max(1u, type.getIntOrFloatBitWidth() / 8);
}

Buffer::Buffer(RankedTensorType type, ArrayRef<int64_t> sizes,
               ArrayRef<int64_t> givenStrides, Placement placement)
    : elementType(type.getElementType()), elementBytes(bytesOf(elementType)),
      sizes(sizes), strides(givenStrides) {
  if (strides.empty()) {
    int64_t stride = 1;
    strides.resize(sizes.size());
    for (size_t i = sizes.size(); i-- > 0; stride *= sizes[i])
      strides[i] = stride;
  }
  int64_t last = 0;
  for (auto [size, stride] : llvm::zip_equal(sizes, strides))
    last += std::max<int64_t>(size - 1, 0) * stride;
  extentBytes = getNumElements() == 0 ? 0 : (last + 1) * elementBytes;
  mappedBytes = llvm::alignTo(extentBytes, kPage) + kPage;
  mapping =
      static_cast<char *>(mmap(nullptr, mappedBytes, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (mapping == MAP_FAILED)
    llvm::report_fatal_error("out of memory");
  data = mapping;
  if (placement == Placement::BeforeGuard) {
    mprotect(mapping + mappedBytes - kPage, kPage, PROT_NONE);
    data = mapping + mappedBytes - kPage - extentBytes;
  }
  poison();

  int64_t pointer;
  std::memcpy(&pointer, &data, sizeof(pointer));
  descriptor = {pointer, pointer, 0};
  llvm::append_range(descriptor, sizes);
  llvm::append_range(descriptor, strides);
}

Buffer::~Buffer() { munmap(mapping, mappedBytes); }

int64_t Buffer::getNumElements() const {
  int64_t count = 1;
  for (int64_t size : sizes)
    count *= size;
  return count;
}

char *Buffer::address(int64_t index) const {
  int64_t offset = 0;
  for (size_t i = sizes.size(); i-- > 0; index /= sizes[i])
    offset += index % sizes[i] * strides[i];
  return data + offset * elementBytes;
}

double Buffer::get(int64_t index) const {
  uint64_t bits = 0;
  std::memcpy(&bits, address(index), elementBytes);
  if (auto type = dyn_cast<FloatType>(elementType)) {
    llvm::APFloat value(type.getFloatSemantics(),
                        llvm::APInt(type.getWidth(), bits));
    bool lossy;
    value.convert(llvm::APFloat::IEEEdouble(),
                  llvm::APFloat::rmNearestTiesToEven, &lossy);
    return value.convertToDouble();
  }
  return static_cast<double>(llvm::SignExtend64(bits, 8 * elementBytes));
}

void Buffer::poison() { std::memset(data, kPoison, extentBytes); }

void Buffer::fillZero() {
  for (int64_t i = 0, e = getNumElements(); i < e; ++i)
    std::memset(address(i), 0, elementBytes);
}

void Buffer::fillRandom(uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::uniform_real_distribution<double> numbers(-1.0, 1.0);
  for (int64_t i = 0, e = getNumElements(); i < e; ++i) {
    uint64_t bits;
    if (auto type = dyn_cast<FloatType>(elementType)) {
      llvm::APFloat value(numbers(generator));
      bool lossy;
      value.convert(type.getFloatSemantics(),
                    llvm::APFloat::rmNearestTiesToEven, &lossy);
      bits = value.bitcastToAPInt().getZExtValue();
    } else {
      bits = generator() % (elementType.isInteger(1) ? 2 : 100);
    }
    std::memcpy(address(i), &bits, elementBytes);
  }
}

llvm::Error Buffer::load(StringRef path) {
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
  if (!file)
    return llvm::createFileError(path, file.getError());
  StringRef bytes = (*file)->getBuffer();
  int64_t expected = getNumElements() * elementBytes;
  if (static_cast<int64_t>(bytes.size()) != expected)
    return llvm::createStringError(
        llvm::errc::invalid_argument, "%s: expects %lld bytes, got %zu",
        path.str().c_str(), static_cast<long long>(expected), bytes.size());
  for (int64_t i = 0, e = getNumElements(); i < e; ++i)
    std::memcpy(address(i), bytes.data() + i * elementBytes, elementBytes);
  return llvm::Error::success();
}

llvm::Error Buffer::save(StringRef path) const {
  std::error_code error;
  llvm::raw_fd_ostream file(path, error);
  for (int64_t i = 0, e = getNumElements(); !error && i < e; ++i)
    file.write(address(i), elementBytes);
  return error ? llvm::createFileError(path, error) : llvm::Error::success();
}

void Buffer::copyFrom(const Buffer &other) {
  for (int64_t i = 0, e = getNumElements(); i < e; ++i)
    std::memcpy(address(i), other.address(i), elementBytes);
}

int64_t Buffer::getStrayWrites() const {
  std::vector<bool> isElement(extentBytes);
  for (int64_t i = 0, e = getNumElements(); i < e; ++i)
    std::fill_n(isElement.begin() + (address(i) - data), elementBytes, true);
  // The page's bytes before the buffer are zero from the system.
  int64_t strays =
      std::count_if(mapping, data, [](char byte) { return byte != 0; });
  for (int64_t i = 0; i < extentBytes; ++i)
    strays += !isElement[i] && static_cast<unsigned char>(data[i]) != kPoison;
  return strays;
}

//===----------------------------------------------------------------------===//
// Command line
//===----------------------------------------------------------------------===//

/// Numbers between `separator`s.
static bool parseNumbers(StringRef text, char separator,
                         SmallVectorImpl<int64_t> &numbers) {
  SmallVector<StringRef> parts;
  if (!text.empty())
    text.split(parts, separator);
  for (StringRef part : parts)
    if (part.getAsInteger(10, numbers.emplace_back()))
      return false;
  return true;
}

llvm::Expected<ArgumentSpec> heddle::kernelrun::parseArgument(StringRef text,
                                                              Type type) {
  auto invalid = [&](const char *expected) {
    return llvm::createStringError(llvm::errc::invalid_argument,
                                   "argument '%s': expects %s",
                                   text.str().c_str(), expected);
  };
  ArgumentSpec spec;
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor) {
    if (text.getAsInteger(10, spec.number))
      return invalid("a number");
    return spec;
  }
  auto [sizes, rest] = text.split(':');
  if (!parseNumbers(sizes == "scalar" ? "" : sizes, 'x', spec.sizes) ||
      static_cast<int64_t>(spec.sizes.size()) != tensor.getRank())
    return invalid("one size per axis, separated by x");
  for (auto [size, fixed] : llvm::zip_equal(spec.sizes, tensor.getShape()))
    if (size < 0 || (!ShapedType::isDynamic(fixed) && size != fixed))
      return invalid("the sizes of the kernel's argument");
  while (!rest.empty()) {
    StringRef part;
    std::tie(part, rest) = rest.split(':');
    if (!part.consume_front("strides="))
      spec.init = part.str();
    else if (!parseNumbers(part, ',', spec.strides) ||
             spec.strides.size() != spec.sizes.size())
      return invalid("one stride per axis");
  }
  return spec;
}
