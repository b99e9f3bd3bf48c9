#include "framework/io/npy.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>

#include "framework/io/atomic_file.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

static_assert(std::endian::native == std::endian::little,
              "values are written to .npy files in the byte order of memory");

constexpr std::string_view magic = "\x93NUMPY";
constexpr size_t most_dimensions = 64;  // numpy's own limit
constexpr size_t alignment = 64;        // of the first value, as numpy writes it

// The number of elements; -1 for an invalid shape.
int64_t element_count(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t extent : shape) {
    if (extent < 0 || __builtin_mul_overflow(count, extent, &count)) return -1;
  }
  return count;
}

// The text after 'key': in the header, which is a Python dictionary; empty if the key is absent.
std::string_view value_of(std::string_view header, std::string_view key) {
  const std::string quoted = fmt::format("'{}':", key);
  const size_t position = header.find(quoted);
  if (position == std::string_view::npos) return {};
  header.remove_prefix(position + quoted.size());
  header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  return header;
}

// A Python tuple, such as "(128, 1293)", "(5,)" or "()".
std::optional<std::vector<int64_t>> parse_shape(std::string_view text) {
  if (!text.starts_with('(') || text.find(')') == std::string_view::npos) return std::nullopt;
  std::vector<int64_t> shape;
  for (const char *at = text.data() + 1, *end = text.data() + text.find(')'); at != end;) {
    if (*at == ' ' || *at == ',') {
      ++at;
      continue;
    }
    const auto [next, error] = std::from_chars(at, end, shape.emplace_back());
    if (error != std::errc{} || shape.size() > most_dimensions) return std::nullopt;
    at = next;
  }
  return shape;
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
  if (bytes.size() < 12 || !bytes.starts_with(magic))
    fail("{} is not an .npy file; save it with numpy.save", path.string());
  const bool version_1 = bytes[6] == 1;
  const size_t begin = version_1 ? 10 : 12;
  const size_t length = version_1 ? byte(8) | byte(9) << 8 : byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24;
  if (length > bytes.size() - begin) fail("{} is truncated within its header; save it again", path.string());
  const std::string_view header = std::string_view(bytes).substr(begin, length);
  const auto shape = parse_shape(value_of(header, "shape"));
  if (!value_of(header, "descr").starts_with("'<f4'") || !value_of(header, "fortran_order").starts_with("False") ||
      !shape) {
    fail("{} does not contain little-endian float32 in C order; save it with array.astype('<f4', order='C')",
         path.string());
  }
  NpyArray array{.shape = *shape, .values = {}};
  const int64_t count = element_count(array.shape);
  const size_t held = bytes.size() - begin - length;
  if (count < 0 || static_cast<size_t>(count) > held / sizeof(float) ||
      held != static_cast<size_t>(count) * sizeof(float)) {
    fail("{} has {} bytes of values, which does not match its shape {}; save it again", path.string(), held,
         array.shape);
  }
  array.values.resize(static_cast<size_t>(count));
  if (count > 0) std::memcpy(array.values.data(), bytes.data() + begin + length, held);
  return array;
}

}  // namespace melgrad
