// TritonFolder.cpp - kernels that Triton compiled
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/TritonFolder.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include <nlohmann/json.hpp>

using namespace heddle::ptx;
using Json = nlohmann::json;

namespace fs = std::filesystem;

namespace {

constexpr uint64_t maxMetadataSize = 1 << 20;
constexpr unsigned warpLimit = 32;
constexpr unsigned clusterLimit = 16;
constexpr uint64_t sharedLimit = 1 << 20;
constexpr uint64_t scratchLimit = uint64_t(1) << 32;

/// Typed access to the keys of one JSON object. The first failure is kept and
/// later reads return their default, so that a caller checks once.
class Reader {
public:
  Reader(const Json &object, std::string where)
      : object(object), where(std::move(where)) {}

  uint64_t number(const char *key, uint64_t most,
                  std::optional<uint64_t> fallback);
  bool flag(const char *key);
  std::string text(const char *key, std::optional<std::string> fallback);
  const Json *find(const char *key, Json::value_t type, bool isRequired);
  void fail(const std::string &message) {
    if (!failure)
      failure = refuse(where, message);
  }

  std::optional<Failure> failure;

private:
  const Json &object;
  std::string where;
};

} // namespace

/// What a value is, in words of JSON.
static std::string describe(const Json &value) {
  if (value.is_structured())
    return value.type_name();
  return value.dump(-1, ' ', false, Json::error_handler_t::replace)
      .substr(0, 40);
}

const Json *Reader::find(const char *key, Json::value_t type, bool isRequired) {
  auto found = object.find(key);
  bool isAbsent = found == object.end() || found->is_null();
  if (!isAbsent && found->type() == type)
    return &*found;
  if (isAbsent && !isRequired)
    return nullptr;
  Json sample(type);
  fail(std::string("expected the key '") + key + "' with " +
       (sample.is_object() ? "an " : "a ") +
       (type == Json::value_t::string  ? "string"
        : type == Json::value_t::array ? "list"
                                       : sample.type_name()) +
       ", got " + (isAbsent ? "no such key" : describe(*found)));
  return nullptr;
}

uint64_t Reader::number(const char *key, uint64_t most,
                        std::optional<uint64_t> fallback) {
  auto found = object.find(key);
  bool isAbsent = found == object.end() || found->is_null();
  if (isAbsent && fallback)
    return *fallback;
  if (!isAbsent && found->is_number_unsigned() &&
      found->get<uint64_t>() <= most)
    return found->get<uint64_t>();
  fail(std::string("expected the key '") + key +
       "' with an integer from 0 to " + std::to_string(most) + ", got " +
       (isAbsent ? "no such key" : describe(*found)));
  return 0;
}

bool Reader::flag(const char *key) {
  const Json *value = find(key, Json::value_t::boolean, false);
  return value && value->get<bool>();
}

std::string Reader::text(const char *key, std::optional<std::string> fallback) {
  const Json *value = find(key, Json::value_t::string, !fallback.has_value());
  return value ? value->get<std::string>() : fallback.value_or("");
}

/// Triton stores the element type by the numbers of `tensormap.replace`; the
/// driver's differ for three of them.
static std::optional<TensorElement> elementOfTriton(uint64_t number) {
  switch (number) {
  case 8:
    return TensorElement::F32Ftz;
  case 9:
    return TensorElement::F64;
  case 10:
    return TensorElement::BF16;
  default:
    if (number <= static_cast<uint64_t>(TensorElement::F32))
      return static_cast<TensorElement>(number);
    return std::nullopt;
  }
}

static Result<TritonDescriptor> parseDescriptor(const Json &entry,
                                                size_t index) {
  std::string where = "tensordesc_meta[" + std::to_string(index) + "]: ";
  if (!entry.is_object())
    return refuse(where, "expected an object, got ", describe(entry));
  Reader reader(entry, where);
  TritonDescriptor descriptor;
  descriptor.swizzle =
      static_cast<TensorSwizzle>(reader.number("swizzle", 3, std::nullopt));
  auto element = elementOfTriton(reader.number("elem_type", 15, std::nullopt));
  uint64_t size = reader.number("elem_size", 8, std::nullopt);
  if (!element)
    reader.fail("the element type is not one that a tensor map has");
  else if (size != elementBytes(*element))
    reader.fail("elem_size " + std::to_string(size) +
                " contradicts elem_type, whose elements have " +
                std::to_string(elementBytes(*element)) + " bytes");
  if (reader.flag("fp4_padded") || reader.flag("is_im2col"))
    reader.fail("fp4-padded and im2col descriptors are not supported");
  const Json *block = reader.find("block_size", Json::value_t::array, true);
  for (const Json &extent : block ? *block : Json::array()) {
    bool isExtent = extent.is_number_unsigned() && extent >= 1 && extent <= 256;
    if (!isExtent)
      reader.fail("expected block_size to hold integers from 1 to 256, got " +
                  describe(extent));
    descriptor.blockSize.push_back(isExtent ? extent.get<uint32_t>() : 1);
  }
  if (block && (block->empty() || block->size() > 5))
    reader.fail("expected a block_size of 1 to 5 dimensions, got " +
                std::to_string(block->size()));
  if (reader.failure)
    return *reader.failure;
  descriptor.element = *element;
  return descriptor;
}

static Result<std::vector<TritonDescriptor>> parseDescriptors(Reader &reader) {
  std::vector<TritonDescriptor> descriptors;
  const Json *list =
      reader.find("tensordesc_meta", Json::value_t::array, false);
  if (!list)
    return descriptors;
  for (size_t i = 0; i < list->size(); ++i) {
    Result<TritonDescriptor> descriptor = parseDescriptor((*list)[i], i);
    if (!descriptor)
      return descriptor.failure();
    descriptors.push_back(std::move(*descriptor));
  }
  return descriptors;
}

static void readTarget(const Json &object, Reader &reader,
                       TritonKernel &kernel) {
  const Json *target = reader.find("target", Json::value_t::object, true);
  if (!target)
    return;
  Reader inner(*target, "target: ");
  std::string backend = inner.text("backend", std::nullopt);
  kernel.sm = static_cast<unsigned>(inner.number("arch", 999, std::nullopt));
  uint64_t warp = inner.number("warp_size", 64, 32);
  if (backend != "cuda")
    inner.fail("expected the backend cuda, got " + backend);
  if (warp != 32)
    inner.fail("expected a warp_size of 32, got " + std::to_string(warp));
  if (inner.failure)
    reader.fail(inner.failure->message);
  // Some versions repeat the size of a warp at the top level.
  if (object.contains("warp_size") && object["warp_size"] != 32)
    reader.fail("expected a warp_size of 32, got " +
                describe(object["warp_size"]));
}

Result<TritonKernel> heddle::ptx::parseTritonMetadata(const std::string &text) {
  Json object = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object())
    return refuse("expected a JSON object, got ", object.is_discarded()
                                                      ? "text that is not JSON"
                                                      : object.type_name());
  Reader reader(object, "");
  TritonKernel kernel;
  kernel.name = reader.text("name", std::nullopt);
  kernel.tritonVersion = reader.text("triton_version", "unknown");
  kernel.numWarps = static_cast<unsigned>(
      reader.number("num_warps", warpLimit, std::nullopt));
  kernel.numCtas =
      static_cast<unsigned>(reader.number("num_ctas", clusterLimit, 1));
  kernel.shared = reader.number("shared", sharedLimit, std::nullopt);
  kernel.globalScratchSize =
      reader.number("global_scratch_size", scratchLimit, 0);
  kernel.profileScratchSize =
      reader.number("profile_scratch_size", scratchLimit, 0);
  kernel.isCooperative = reader.flag("launch_cooperative_grid");
  kernel.usesDependentLaunch = reader.flag("launch_pdl");
  readTarget(object, reader, kernel);
  if (kernel.numWarps == 0)
    reader.fail("expected num_warps to be at least 1, got 0");
  if (kernel.numCtas == 0)
    reader.fail("expected num_ctas to be at least 1, got 0");
  auto descriptors = parseDescriptors(reader);
  if (reader.failure)
    return *reader.failure;
  if (!descriptors)
    return descriptors.failure();
  kernel.descriptors = std::move(*descriptors);
  return kernel;
}

static Result<TritonKernel> readMetadataFile(const fs::path &json) {
  Result<std::string> text = readTextFile(json.string(), maxMetadataSize);
  if (!text)
    return text.failure();
  Result<TritonKernel> kernel = parseTritonMetadata(*text);
  if (!kernel)
    return refuse("'", json.string(), "': ", kernel.failure().message);
  kernel->stem = json.stem().string();
  kernel->jsonPath = json.string();
  auto sibling = [&](const char *extension) {
    fs::path path = json;
    path.replace_extension(extension);
    std::error_code error;
    return fs::is_regular_file(path, error) ? path.string() : std::string();
  };
  kernel->ptxPath = sibling(".ptx");
  kernel->cubinPath = sibling(".cubin");
  kernel->ttirPath = sibling(".ttir");
  return kernel;
}

/// Whether a .json file describes a kernel: its code lies beside it. The lists
/// of a cache entry's files and the results of autotuning have none.
static bool hasCode(fs::path json) {
  std::error_code error;
  return fs::is_regular_file(json.replace_extension(".ptx"), error) ||
         fs::is_regular_file(json.replace_extension(".cubin"), error);
}

/// The .json files of kernels directly in `folder`, sorted.
static std::vector<fs::path> listMetadata(const fs::path &folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const fs::directory_entry &entry : fs::directory_iterator(folder, error))
    if (entry.path().extension() == ".json" && hasCode(entry.path()))
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

bool heddle::ptx::isTritonPath(const std::string &path) {
  std::error_code error;
  return fs::is_directory(path, error) || fs::path(path).extension() == ".json";
}

Result<std::vector<TritonKernel>>
heddle::ptx::readTritonFolder(const std::string &path) {
  std::error_code error;
  std::vector<fs::path> files;
  if (!fs::is_directory(path, error)) {
    files.push_back(path);
  } else if (files = listMetadata(path); files.empty()) {
    for (const fs::directory_entry &entry : fs::directory_iterator(path, error))
      if (entry.is_directory(error))
        for (fs::path &file : listMetadata(entry.path()))
          files.push_back(std::move(file));
    std::sort(files.begin(), files.end());
  }
  if (files.empty())
    return refuse("'", path, "' holds no .json file of a Triton kernel with a ",
                  ".ptx or .cubin beside it");
  std::vector<TritonKernel> kernels;
  for (const fs::path &file : files) {
    Result<TritonKernel> kernel = readMetadataFile(file);
    if (!kernel)
      return kernel.failure();
    kernels.push_back(std::move(*kernel));
  }
  return kernels;
}

/// The texts of a list with commas between, cut off after twenty.
template <typename List, typename Text>
static std::string joined(const List &list, Text text) {
  std::string result;
  size_t count = 0;
  for (const auto &item : list) {
    if (count++ == 20)
      return result + ", ...";
    result += (count > 1 ? ", " : "") + text(item);
  }
  return result;
}

Result<TritonKernel> heddle::ptx::readTritonKernel(const std::string &path,
                                                   const std::string &entry) {
  Result<std::vector<TritonKernel>> kernels = readTritonFolder(path);
  if (!kernels)
    return kernels.failure();
  std::vector<TritonKernel *> byStem, byName;
  std::set<std::string> names;
  for (TritonKernel &kernel : *kernels) {
    names.insert(kernel.stem);
    if (entry.empty() || kernel.stem == entry)
      byStem.push_back(&kernel);
    if (kernel.name == entry)
      byName.push_back(&kernel);
  }
  // A stem is what the user sees in the folder, so it goes first.
  std::vector<TritonKernel *> &matches = byStem.empty() ? byName : byStem;
  if (matches.size() == 1)
    return std::move(*matches.front());
  if (!entry.empty() && matches.size() > 1)
    return refuse("'", path, "' has several kernels called '", entry,
                  "'; name one .json file: ", joined(matches, [](auto *kernel) {
                    return kernel->jsonPath;
                  }));
  std::string known = joined(names, [](auto &name) { return name; });
  if (entry.empty())
    return refuse("'", path, "' holds ", kernels->size(),
                  " kernels; name one with --entry: ", known);
  return refuse("'", path, "' has no kernel called '", entry,
                "'; expected one of: ", known);
}
