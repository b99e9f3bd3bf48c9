#include "framework/io/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "framework/io/atomic_file.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

static_assert(std::endian::native == std::endian::little,
              "the format is little-endian and bytes are copied as they are");

constexpr size_t length_bytes = sizeof(uint64_t);
constexpr size_t data_alignment = 8;
constexpr uint64_t longest_header = 100'000'000;  // the limit of the format's reference implementation
constexpr size_t deepest_header = 3;              // {name: {"shape": [...]}}
constexpr std::string_view metadata_key = "__metadata__";

constexpr std::array<std::pair<std::string_view, uint64_t>, 15> element_sizes{{{"BOOL", 1},
                                                                               {"U8", 1},
                                                                               {"I8", 1},
                                                                               {"F8_E5M2", 1},
                                                                               {"F8_E4M3", 1},
                                                                               {"U16", 2},
                                                                               {"I16", 2},
                                                                               {"F16", 2},
                                                                               {"BF16", 2},
                                                                               {"U32", 4},
                                                                               {"I32", 4},
                                                                               {"F32", 4},
                                                                               {"U64", 8},
                                                                               {"I64", 8},
                                                                               {"F64", 8}}};

// Escapes and shortens an untrusted text for an error message.
std::string in_quotes(std::string_view text) {
  constexpr size_t longest = 80;
  const std::string shown(text.substr(0, longest));
  return nlohmann::json(shown).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) +
         (text.size() > longest ? "..." : "");
}

uint64_t element_size(std::string_view dtype) {
  const auto* const found = std::ranges::find(element_sizes, dtype, &std::pair<std::string_view, uint64_t>::first);
  if (found == element_sizes.end()) fail("the dtype {} is unknown", in_quotes(dtype));
  return found->second;
}

uint64_t byte_count(std::string_view dtype, const std::vector<int64_t>& shape) {
  uint64_t count = element_size(dtype);
  for (const int64_t size : shape) {
    if (size < 0) fail("the shape has the negative size {}", size);
    if (__builtin_mul_overflow(count, static_cast<uint64_t>(size), &count)) fail("the shape's product overflows");
  }
  return count;
}

// ---- writing

std::vector<const SafeTensor*> in_order_of_data(const std::vector<SafeTensor>& tensors) {
  std::set<std::string_view> names{metadata_key};
  std::vector<const SafeTensor*> order;
  for (const SafeTensor& tensor : tensors) {
    if (!names.insert(tensor.name).second) fail("the tensor name {} is already in use", in_quotes(tensor.name));
    const uint64_t expected = byte_count(tensor.dtype, tensor.shape);
    if (tensor.bytes.size() != expected) {
      fail("tensor {} has {} bytes, but its shape and dtype need {}", in_quotes(tensor.name), tensor.bytes.size(),
           expected);
    }
    order.push_back(&tensor);
  }
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [](const SafeTensor* tensor) { return element_size(tensor->dtype); });
  return order;
}

std::string file_content(const SafeTensors& content) {
  const std::vector<const SafeTensor*> order = in_order_of_data(content.tensors);
  auto header = nlohmann::ordered_json::object();
  if (!content.metadata.empty()) header[std::string(metadata_key)] = content.metadata;
  size_t offset = 0;
  for (const SafeTensor* tensor : order) {
    const size_t end = offset + tensor->bytes.size();
    header[tensor->name] = {{"dtype", tensor->dtype}, {"shape", tensor->shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::type_error&) {
    fail("a tensor name or a text of the metadata is not UTF-8; rename its source");
  }
  text.resize((text.size() + data_alignment - 1) / data_alignment * data_alignment, ' ');
  const uint64_t length = text.size();
  if (length > longest_header)
    fail("the header has {} bytes, but the format allows at most {}", length, longest_header);

  std::string bytes(reinterpret_cast<const char*>(&length), length_bytes);
  bytes.reserve(length_bytes + text.size() + offset);
  bytes += text;
  for (const SafeTensor* tensor : order) {
    bytes.append(reinterpret_cast<const char*>(tensor->bytes.data()), tensor->bytes.size());
  }
  return bytes;
}

// ---- reading

// Rejects valid JSON that the format does not allow: a repeated key, which would hide an entry, and deeper nesting. The
// parser's own callback could do this, but it searches all previous entries after each entry, which takes minutes for a
// header of 17 MB.
class HeaderWatch : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool start_object(size_t) override { return descend(); }
  bool start_array(size_t) override { return descend(); }
  bool end_object() override { return ascend(); }
  bool end_array() override { return ascend(); }
  bool key(std::string& name) override {
    if (!keys_[depth_].insert(name).second) fail("the header has {} twice", in_quotes(name));
    return true;
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(nlohmann::json::number_integer_t) override { return true; }
  bool number_unsigned(uint64_t) override { return true; }
  bool number_float(double, const std::string&) override { return true; }
  bool string(std::string&) override { return true; }
  bool binary(nlohmann::json::binary_t&) override { return true; }
  // parse_header reports the error: it parses the same text again.
  bool parse_error(size_t, const std::string&, const nlohmann::json::exception&) override { return false; }

 private:
  bool descend() {
    if (depth_ == deepest_header) fail("the header is nested deeper than the format allows");
    keys_[++depth_].clear();
    return true;
  }
  bool ascend() {
    --depth_;
    return true;
  }

  size_t depth_ = 0;
  std::array<std::set<std::string>, deepest_header + 1> keys_;  // of the open object at each depth
};

nlohmann::json parse_header(std::string_view text) {
  // The parser would also accept a byte order mark or an array.
  if (!text.starts_with('{')) fail("the header does not begin with '{{'");
  {
    HeaderWatch watch;
    nlohmann::json::sax_parse(text, &watch);
  }
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    fail("the header is not valid JSON at byte {}", error.byte);
  } catch (const nlohmann::json::out_of_range&) {
    fail("the header has a number that exceeds the range of double");
  }
}

std::vector<uint64_t> numbers(const nlohmann::json& entry, const char* key) {
  const nlohmann::json& array = entry.at(key);
  const auto is_size = [](const nlohmann::json& value) {
    return value.is_number_unsigned() && std::in_range<int64_t>(value.get<uint64_t>());
  };
  if (!array.is_array() || !std::ranges::all_of(array, is_size)) fail("{} is not a list of sizes", key);
  return array.get<std::vector<uint64_t>>();
}

struct Entry {
  SafeTensor tensor;  // without its bytes
  uint64_t begin, end;
};

Entry parse_entry(const std::string& name, const nlohmann::json& entry) {
  if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") || !entry.contains("shape") ||
      !entry.contains("data_offsets")) {
    fail("the entry must consist of dtype, shape and data_offsets");
  }
  if (!entry.at("dtype").is_string()) fail("dtype is not a string");
  const std::vector<uint64_t> shape = numbers(entry, "shape"), offsets = numbers(entry, "data_offsets");
  if (offsets.size() != 2) fail("data_offsets has {} numbers, 2 are expected", offsets.size());
  Entry result{{name, entry.at("dtype").get<std::string>(), {shape.begin(), shape.end()}, {}}, offsets[0], offsets[1]};
  if (result.end < result.begin) fail("data_offsets [{}, {}] end before they begin", result.begin, result.end);
  const uint64_t expected = byte_count(result.tensor.dtype, result.tensor.shape);
  if (result.end - result.begin != expected) {
    fail("data_offsets [{}, {}] do not span the {} bytes of the shape and dtype", result.begin, result.end, expected);
  }
  return result;
}

std::map<std::string, std::string> parse_metadata(const nlohmann::json& metadata) {
  if (!metadata.is_object() || !std::ranges::all_of(metadata, [](const auto& value) { return value.is_string(); })) {
    fail("{} is not an object of strings", metadata_key);
  }
  return metadata.get<std::map<std::string, std::string>>();
}

// The elements can be read in place only if they are aligned, which the format does not promise.
SharedBytes aligned(const SharedBytes& bytes) {
  constexpr uintptr_t largest_element = 8;
  if (reinterpret_cast<uintptr_t>(bytes.data()) % largest_element == 0) return bytes;
  return SharedBytes(std::vector<std::byte>(bytes.data(), bytes.data() + bytes.size()));
}

// Gives the tensors their bytes. The entries must cover the data without gaps or overlaps.
std::vector<SafeTensor> take_tensors(std::vector<Entry> entries, const SharedBytes& data) {
  std::ranges::sort(entries, {}, [](const Entry& entry) { return std::pair(entry.begin, entry.end); });
  std::vector<SafeTensor> tensors;
  uint64_t expected = 0;
  for (Entry& entry : entries) {
    if (entry.end > data.size()) {
      fail("tensor {} ends at byte {} of {} bytes of data: the file is cut short or damaged",
           in_quotes(entry.tensor.name), entry.end, data.size());
    }
    if (entry.begin != expected) {
      fail("tensor {} begins at byte {} of the data, {} is expected: a gap or an overlap", in_quotes(entry.tensor.name),
           entry.begin, expected);
    }
    expected = entry.end;
    entry.tensor.bytes = aligned(data.part(entry.begin, entry.end));
    tensors.push_back(std::move(entry.tensor));
  }
  if (expected != data.size()) fail("{} bytes follow the last tensor", data.size() - expected);
  return tensors;
}

SafeTensors parse_file(const SharedBytes& file) {
  std::string_view bytes(reinterpret_cast<const char*>(file.data()), file.size());
  if (bytes.size() < length_bytes) fail("the file has only {} bytes, fewer than the length of a header", bytes.size());
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), length_bytes);
  bytes.remove_prefix(length_bytes);
  if (length > longest_header) fail("a header of {} bytes exceeds the format's limit of {}", length, longest_header);
  if (length > bytes.size()) fail("the header should have {} bytes, but only {} bytes follow", length, bytes.size());

  SafeTensors content;
  std::vector<Entry> entries;
  const nlohmann::json header = parse_header(bytes.substr(0, length));
  for (const auto& [name, entry] : header.items()) {
    if (name == metadata_key) {
      content.metadata = parse_metadata(entry);
      continue;
    }
    try {
      entries.push_back(parse_entry(name, entry));
    } catch (const Error& error) {
      fail("tensor {}: {}", in_quotes(name), error.what());
    }
  }
  content.tensors = take_tensors(std::move(entries), file.part(length_bytes + length, file.size()));
  return content;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const SafeTensors& content) {
  std::string bytes;
  try {
    bytes = file_content(content);
  } catch (const Error& error) {
    fail("cannot write {}: {}", path.string(), error.what());
  }
  write_file_atomically(path, bytes);
}

SafeTensors read_safetensors(const std::filesystem::path& path) {
  const SharedBytes file = read_shared(path);
  try {
    return parse_file(file);
  } catch (const Error& error) {
    fail("{} is not a valid safetensors file: {}; fetch it again or train again", path.string(), error.what());
  }
}

std::vector<float> float_values(const SafeTensor& tensor) {
  MELGRAD_CHECK(tensor.dtype == "F32", "{} is {} instead of F32", tensor.name, tensor.dtype);
  std::vector<float> values(tensor.bytes.size() / sizeof(float));
  std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

}  // namespace melgrad
