//===- ExternalData.cpp - where the bytes of a tensor are -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/load/ExternalData.h"
#include "frontends/onnx/load/ModelWalk.h"
#include "frontends/onnx/load/TensorSize.h"
#include "frontends/onnx/load/WireFormat.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace heddle;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

namespace {

/// What a model says about external data, as text.
struct ExternalEntry {
  StringRef location;
  std::optional<StringRef> offset;
  std::optional<StringRef> length;
};

class Resolver {
public:
  Resolver(WeightStore &weights, const LoadOptions &options,
           const ModelLocations &locations);

  LogicalResult resolveModel(pb::ModelProto &model);
  std::vector<WeightSpan> takeSpans() { return std::move(spans); }

private:
  LogicalResult resolveAttribute(pb::AttributeProto &attribute,
                                 Location location);
  LogicalResult resolveTensor(pb::TensorProto &tensor, StringRef what,
                              Location location);
  FailureOr<ExternalEntry> readEntry(const pb::TensorProto &tensor,
                                     StringRef what, Location location);
  LogicalResult openFile(StringRef name, StringRef what, Location location);
  FailureOr<std::string> findFile(StringRef name, StringRef what,
                                  Location location);
  LogicalResult readRange(const ExternalEntry &entry, uint64_t needed,
                          StringRef what, Location location, WeightSpan &span);

  WeightStore &weights;
  const ModelLocations &locations;
  std::string modelName; ///< of the model's own file in the store
  /// Where data files are looked for, and where they may lie; both resolved.
  std::vector<std::string> folders;
  std::vector<std::string> allowed;
  std::vector<WeightSpan> spans;
};

} // namespace

/// The folder of a file, `.` for one without.
static std::string folderOf(StringRef file) {
  StringRef folder = path::parent_path(file);
  return folder.empty() ? "." : folder.str();
}

Resolver::Resolver(WeightStore &weights, const LoadOptions &options,
                   const ModelLocations &locations)
    : weights(weights), locations(locations),
      modelName(path::filename(locations.getPath()).str()) {
  llvm::SmallString<128> resolved;
  if (!fs::real_path(folderOf(locations.getPath()), resolved))
    folders.push_back(resolved.str().str());
  if (!fs::real_path(locations.getPath(), resolved))
    folders.push_back(folderOf(resolved));
  allowed = folders;
  for (const std::string &folder : options.allowExternal)
    if (!fs::real_path(folder, resolved))
      allowed.push_back(resolved.str().str());
}

/// True if `file`, an absolute path without links, lies below `folder`.
static bool liesIn(StringRef file, StringRef folder) {
  return file.consume_front(folder) &&
         (folder.ends_with("/") || file.starts_with("/"));
}

FailureOr<ExternalEntry> Resolver::readEntry(const pb::TensorProto &tensor,
                                             StringRef what,
                                             Location location) {
  ExternalEntry entry;
  std::optional<StringRef> name, checksum;
  for (const pb::StringStringEntryProto &pair : tensor.external_data()) {
    std::optional<StringRef> *field =
        llvm::StringSwitch<std::optional<StringRef> *>(pair.key())
            .Case("location", &name)
            .Case("offset", &entry.offset)
            .Case("length", &entry.length)
            .Case("checksum", &checksum)
            .Default(nullptr);
    if (!field)
      return emitError(location)
             << what << " expects external data of location, offset, length "
             << "and checksum, got " << inQuotes(pair.key());
    if (*field)
      return emitError(location)
             << what << " expects external data to have one " << pair.key()
             << ", got two";
    *field = pair.value();
  }
  entry.location = name.value_or("");
  return entry;
}

/// Refuses names that lead out of a folder or cannot be a file's.
static LogicalResult checkFileName(StringRef name, StringRef what,
                                   Location location) {
  bool climbs = llvm::is_contained(
      llvm::make_range(path::begin(name), path::end(name)), "..");
  if (!name.empty() && !path::is_absolute(name) && !climbs &&
      !name.contains('\0'))
    return success();
  return emitError(location)
         << what << " expects external data in a file below the model's "
         << "folder, got " << inQuotes(name);
}

FailureOr<std::string> Resolver::findFile(StringRef name, StringRef what,
                                          Location location) {
  llvm::SmallString<128> resolved;
  for (const std::string &folder : folders) {
    llvm::SmallString<128> candidate(folder);
    path::append(candidate, name);
    if (fs::real_path(candidate, resolved))
      continue;
    if (llvm::any_of(allowed, [&](const std::string &permitted) {
          return liesIn(resolved, permitted);
        }))
      return resolved.str().str();
    return emitError(location)
           << what << " expects external data in the model's folder or one "
           << "given by --allow-external, got " << inQuotes(name)
           << ", which leads to " << inQuotes(resolved);
  }
  return emitError(location) << what << " expects external data in the file "
                             << inQuotes(name) << ", which does not exist";
}

LogicalResult Resolver::openFile(StringRef name, StringRef what,
                                 Location location) {
  if (weights.contains(name))
    return success();
  if (failed(checkFileName(name, what, location)))
    return failure();
  FailureOr<std::string> file = findFile(name, what, location);
  if (failed(file))
    return failure();
  if (llvm::Error error = weights.openFile(name, *file))
    return emitError(location)
           << what << " expects external data in the file " << inQuotes(name)
           << ", which cannot be read: " << llvm::toString(std::move(error));
  return success();
}

LogicalResult Resolver::readRange(const ExternalEntry &entry, uint64_t needed,
                                  StringRef what, Location location,
                                  WeightSpan &span) {
  span.offset = 0;
  span.length = needed;
  if ((entry.offset && entry.offset->getAsInteger(10, span.offset)) ||
      (entry.length && entry.length->getAsInteger(10, span.length)))
    return emitError(location)
           << what << " expects offset and length of external data to be "
           << "decimal numbers, got " << inQuotes(entry.offset.value_or(""))
           << " and " << inQuotes(entry.length.value_or(""));
  if (span.length != needed)
    return emitError(location) << what << " expects " << needed
                               << " bytes of data, got " << span.length;
  uint64_t size = weights.contents(span.file).size();
  if (span.offset > size || span.length > size - span.offset)
    return emitError(location)
           << what << " expects " << span.length << " bytes at offset "
           << span.offset << " of " << inQuotes(span.file) << ", got a file of "
           << size << " bytes";
  return success();
}

LogicalResult Resolver::resolveTensor(pb::TensorProto &tensor, StringRef what,
                                      Location location) {
  if (tensor.data_location() != pb::TensorProto::EXTERNAL)
    return success();
  FailureOr<ExternalEntry> entry = readEntry(tensor, what, location);
  if (failed(entry))
    return failure();
  WeightSpan span;
  span.file =
      entry->location == modelLocation ? modelName : entry->location.str();
  if (failed(openFile(span.file, what, location)))
    return failure();
  FailureOr<uint64_t> needed = storedBytes(tensor, what, location);
  if (failed(needed) ||
      failed(readRange(*entry, *needed, what, location, span)))
    return failure();

  tensor.clear_external_data();
  pb::StringStringEntryProto *index = tensor.add_external_data();
  index->set_key("location");
  index->set_value("#" + std::to_string(spans.size()));
  spans.push_back(std::move(span));
  return success();
}

LogicalResult Resolver::resolveAttribute(pb::AttributeProto &attribute,
                                         Location location) {
  std::string what = "attribute " + inQuotes(attribute.name());
  if (attribute.has_t() &&
      failed(resolveTensor(*attribute.mutable_t(), what, location)))
    return failure();
  for (pb::TensorProto &tensor : *attribute.mutable_tensors())
    if (failed(resolveTensor(tensor, what, location)))
      return failure();
  return success();
}

LogicalResult Resolver::resolveModel(pb::ModelProto &model) {
  auto initialisers = [&](pb::GraphProto &graph, unsigned) {
    for (pb::TensorProto &tensor : *graph.mutable_initializer())
      if (failed(resolveTensor(tensor, "initialiser " + inQuotes(tensor.name()),
                               locations.file())))
        return failure();
    return success();
  };
  auto attributes = [&](pb::NodeProto &node, const OperatorSets &) {
    for (pb::AttributeProto &attribute : *node.mutable_attribute())
      if (failed(resolveAttribute(attribute, locations.node(node))))
        return failure();
    return success();
  };
  if (failed(walkGraphs(model, initialisers)) ||
      failed(walkNodes(model, attributes)))
    return failure();
  for (pb::FunctionProto &function : *model.mutable_functions())
    for (pb::AttributeProto &attribute : *function.mutable_attribute_proto())
      if (failed(resolveAttribute(attribute, locations.file())))
        return failure();
  return success();
}

FailureOr<std::vector<WeightSpan>>
heddle::resolveExternalData(pb::ModelProto &model, WeightStore &weights,
                            const LoadOptions &options,
                            const ModelLocations &locations) {
  Resolver resolver(weights, options, locations);
  if (failed(resolver.resolveModel(model)))
    return failure();
  return resolver.takeSpans();
}

const WeightSpan *heddle::spanOf(const pb::TensorProto &tensor,
                                 ArrayRef<WeightSpan> spans) {
  if (tensor.data_location() != pb::TensorProto::EXTERNAL)
    return nullptr;
  size_t index = 0;
  StringRef(tensor.external_data(0).value())
      .drop_front()
      .getAsInteger(10, index);
  return &spans[index];
}
