#include "framework/dataset/cache_entry.h"

#include <gtest/gtest.h>

namespace melgrad::test {
namespace {

TEST(CacheEntry, IsRefusedIfAnyByteIsDamaged) {
  const CacheKey key{.content = {1, 2}, .settings = 3};
  const LogMel clip{.n_mels = 2, .frames = 3, .db = {-80, -1, 0, 1, 2, 3.5}, .seconds = 0.25};
  const std::string entry = encode_cache_entry(key, clip);
  ASSERT_TRUE(decode_cache_entry(entry, key, 2));
  const LogMel decoded = *decode_cache_entry(entry, key, 2);
  EXPECT_EQ(decoded.n_mels, clip.n_mels);
  EXPECT_EQ(decoded.frames, clip.frames);
  EXPECT_EQ(decoded.seconds, clip.seconds);
  EXPECT_EQ(decoded.db, clip.db);
  for (size_t i = 0; i < entry.size(); ++i) {
    for (const int flip : {1, 0x80, 0xFF}) {
      std::string damaged = entry;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      EXPECT_FALSE(decode_cache_entry(damaged, key, 2)) << "byte " << i;
    }
    EXPECT_FALSE(decode_cache_entry(entry.substr(0, i), key, 2)) << "length " << i;
  }
  EXPECT_FALSE(decode_cache_entry(entry + '\0', key, 2));
  EXPECT_FALSE(decode_cache_entry(entry, {.content = {1, 3}, .settings = 3}, 2));
  EXPECT_FALSE(decode_cache_entry(entry, {.content = {1, 2}, .settings = 4}, 2));
  EXPECT_FALSE(decode_cache_entry(entry, key, 3));
}

}  // namespace
}  // namespace melgrad::test
