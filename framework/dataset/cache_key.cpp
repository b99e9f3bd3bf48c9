#include "framework/dataset/cache_key.h"

#include <xxhash.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

#include "kernels/device/error.h"

namespace melgrad {

std::string to_text(const ContentHash& hash) { return fmt::format("{:016x}{:016x}", hash[0], hash[1]); }

ContentHash content_hash(const std::filesystem::path& audio) {
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
  return {content.high64, content.low64};
}

uint64_t settings_hash(std::string_view description) { return XXH3_64bits(description.data(), description.size()); }

}  // namespace melgrad
