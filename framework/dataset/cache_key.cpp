#include "framework/dataset/cache_entry.h"

#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <type_traits>
#include <vector>

#include "kernels/device/error.h"

namespace melgrad {
namespace {

// Raise it when the layout of an entry or the arithmetic of the features changes.
constexpr uint64_t format_version = 3;

struct Header {
  char magic[8] = {'m', 'e', 'l', 'c', 'a', 'c', 'h', 'e'};
  uint64_t version = format_version;
  CacheKey key;
  int64_t n_mels = 0, frames = 0;
  double seconds = 0;
  uint64_t payload_hash = 0;
  uint64_t header_hash = 0;  // of the fields above
};
static_assert(std::is_trivially_copyable_v<Header> && sizeof(Header) == 80, "hashed and written as bytes: no padding");

uint64_t hash_of(const Header& header) { return XXH3_64bits(&header, offsetof(Header, header_hash)); }

}  // namespace

std::string to_text(const ContentHash& hash) { return fmt::format("{:016x}{:016x}", hash[0], hash[1]); }

std::string CacheKey::file_name() const { return fmt::format("{}-{:016x}.mel", to_text(content), settings); }

CacheKey make_cache_key(const std::filesystem::path& audio, const MelSettings& settings) {
  std::error_code unknown;
  const std::filesystem::file_status status = std::filesystem::status(audio, unknown);
  // Reading a pipe could block; reading a device might never end.
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    fail("cannot read {}: it is a {}; an audio file is expected", audio.string(),
         std::filesystem::is_directory(status) ? "folder" : "pipe or device");
  }
  errno = 0;
  std::ifstream file(audio, std::ios::binary);
  if (!file) fail("cannot read {}: {}", audio.string(), std::strerror(errno));
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), &XXH3_freeState);
  XXH3_128bits_reset(state.get());
  std::vector<char> piece(size_t{1} << 20);
  while (file) {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    XXH3_128bits_update(state.get(), piece.data(), static_cast<size_t>(file.gcount()));
  }
  if (file.bad()) fail("cannot read {}: {}", audio.string(), std::strerror(errno));
  const XXH128_hash_t content = XXH3_128bits_digest(state.get());
  const std::string line = description(settings);
  return {{content.high64, content.low64}, XXH3_64bits(line.data(), line.size())};
}

std::string encode_cache_entry(const CacheKey& key, const LogMel& clip) {
  const size_t payload_bytes = clip.db.size() * sizeof(float);
  Header header{.key = key, .n_mels = clip.n_mels, .frames = clip.frames, .seconds = clip.seconds};
  header.payload_hash = XXH3_64bits(clip.db.data(), payload_bytes);
  header.header_hash = hash_of(header);
  std::string bytes(sizeof header + payload_bytes, '\0');
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + sizeof header, clip.db.data(), payload_bytes);
  return bytes;
}

std::optional<LogMel> decode_cache_entry(std::string_view bytes, const CacheKey& key, int64_t n_mels) {
  Header header;
  if (bytes.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  const std::string_view payload = bytes.substr(sizeof header);
  const size_t frame_bytes = static_cast<size_t>(std::max<int64_t>(1, n_mels)) * sizeof(float);
  const bool sound = std::memcmp(header.magic, Header().magic, sizeof header.magic) == 0 &&
                     header.version == format_version && header.header_hash == hash_of(header) && header.key == key &&
                     header.n_mels == n_mels && header.frames > 0 && payload.size() % frame_bytes == 0 &&
                     payload.size() / frame_bytes == static_cast<size_t>(header.frames) &&
                     header.payload_hash == XXH3_64bits(payload.data(), payload.size());
  if (!sound) return std::nullopt;
  LogMel clip{.n_mels = header.n_mels, .frames = header.frames, .db = {}, .seconds = header.seconds};
  clip.db.resize(payload.size() / sizeof(float));
  std::memcpy(clip.db.data(), payload.data(), payload.size());
  return clip;
}

}  // namespace melgrad
