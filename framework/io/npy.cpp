#include "framework/io/npy.h"

#include <fmt/ranges.h>

#include <bit>
#include <cstring>
#include <regex>
#include <string>

#include "framework/io/atomic_file.h"
#include "kernels/error.h"

namespace melgrad {
namespace {

static_assert(std::endian::native == std::endian::little, ".npy files are written as the values lie in memory");

constexpr std::string_view magic = "\x93NUMPY";
constexpr size_t alignment = 64;  // of the first value, as numpy writes it

// The number of elements; -1 for a shape that no array can have.
int64_t element_count(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t extent : shape) {
    if (extent < 0 || __builtin_mul_overflow(count, extent, &count)) return -1;
  }
  return count;
}

}  // namespace

void write_npy(const std::filesystem::path& path, std::span<const float> values, const std::vector<int64_t>& shape) {
  MELGRAD_CHECK(element_count(shape) == static_cast<int64_t>(values.size()), "cannot write {}: {} values, shape {}",
                path.string(), values.size(), shape);
  std::string header = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}{}), }}",
                                   fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  const size_t preamble = magic.size() + 4;
  header.append(alignment - (preamble + header.size() + 1) % alignment, ' ');
  header += '\n';

  std::string bytes(magic);
  bytes += {'\1', '\0', static_cast<char>(header.size() & 0xFF), static_cast<char>(header.size() >> 8)};
  bytes.reserve(bytes.size() + header.size() + values.size_bytes());
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  write_file_atomically(path, bytes);
}

NpyArray read_npy(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  const auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<unsigned char>(bytes[i])); };
  if (bytes.size() < 12 || !bytes.starts_with(magic)) fail("{} is not an .npy file", path.string());
  const bool version_1 = bytes[6] == 1;
  const size_t begin = version_1 ? 10 : 12;
  const size_t length = version_1 ? byte(8) | byte(9) << 8 : byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24;
  if (length > bytes.size() - begin) fail("{} is truncated within its header", path.string());
  const std::string header = bytes.substr(begin, length);

  static const std::regex float32("'descr': *'<f4'"), c_order("'fortran_order': *False"),
      shape("'shape': *\\(([^)]*)\\)");
  std::smatch match;
  if (!std::regex_search(header, float32) || !std::regex_search(header, c_order) ||
      !std::regex_search(header, match, shape)) {
    fail("{} does not hold little-endian float32 in C order; save it with array.astype('<f4', order='C')",
         path.string());
  }
  NpyArray array;
  static const std::regex number("[0-9]+");
  const std::string extents = match[1];
  for (std::sregex_iterator it(extents.begin(), extents.end(), number), end; it != end; ++it) {
    array.shape.push_back(std::strtoll(it->str().c_str(), nullptr, 10));
  }
  const int64_t count = element_count(array.shape);
  const size_t held = bytes.size() - begin - length;
  if (count < 0 || static_cast<size_t>(count) > held / sizeof(float) ||
      held != static_cast<size_t>(count) * sizeof(float)) {
    fail("{} holds {} bytes of values; its shape {} needs another number", path.string(), held, array.shape);
  }
  array.values.resize(static_cast<size_t>(count));
  if (count > 0) std::memcpy(array.values.data(), bytes.data() + begin + length, held);
  return array;
}

}  // namespace melgrad
