#include "framework/dataset/shard_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <thread>

#include "framework/io/atomic_file.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

CacheKey key_of(uint64_t i) { return {.content = {i, 7}, .settings = 9}; }

// Blob i has a length and values of its own.
std::vector<std::byte> blob_of(uint64_t i) { return std::vector<std::byte>(100 + i, static_cast<std::byte>(i)); }

void add(ShardStore& store, uint64_t i) {
  store.add(key_of(i), BlobKind::samples, {static_cast<double>(i), 2, 0.5}, blob_of(i));
}

void expect_blob(ShardStore& store, uint64_t i) {
  const auto record = store.find(key_of(i));
  ASSERT_TRUE(record) << i;
  EXPECT_EQ(record->numbers[0], static_cast<double>(i));
  const auto data = store.data(*record);
  ASSERT_TRUE(data) << i;
  EXPECT_EQ(reinterpret_cast<uintptr_t>(data.get()) % 64, 0u);
  EXPECT_TRUE(std::ranges::equal(std::span(data.get(), record->bytes), blob_of(i)));
  EXPECT_EQ(record->hash, blob_hash(blob_of(i)));
}

TEST(ShardStore, HoldsWhatSeveralStoresAdd) {
  const TemporaryFolder folder;
  ShardStore first(folder / "shards"), second(folder / "shards");
  EXPECT_FALSE(first.find(key_of(1)));
  add(first, 1);
  expect_blob(first, 1);
  expect_blob(second, 1);
  add(second, 2);  // into another shard, because the first one is being filled
  add(second, 1);  // is there already
  add(first, 3);
  for (const uint64_t i : {1, 2, 3}) {
    expect_blob(first, i);
    expect_blob(second, i);
  }
  ShardStore later(folder / "shards");
  EXPECT_EQ(later.use().blobs[BlobKind::samples], 3u);
  for (const uint64_t i : {1, 2, 3}) expect_blob(later, i);
}

TEST(ShardStore, ContinuesTheShardOfAnEndedProcess) {
  const TemporaryFolder folder;
  for (const uint64_t i : {1, 2, 3}) {
    ShardStore store(folder / "shards");
    add(store, i);
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "shards"), fs::directory_iterator()), 2);
  ShardStore store(folder / "shards");
  for (const uint64_t i : {1, 2, 3}) expect_blob(store, i);
}

TEST(ShardStore, IgnoresRecordsWithAnyDamagedByte) {
  const TemporaryFolder folder;
  {
    ShardStore store(folder / "shards");
    add(store, 1);
  }
  fs::path index;
  for (const auto& entry : fs::directory_iterator(folder / "shards")) {
    if (entry.path().extension() == ".index") index = entry.path();
  }
  const std::string bytes = read_file(index);
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x40);
    write_text(index, damaged);
    EXPECT_FALSE(ShardStore(folder / "shards").find(key_of(1))) << "byte " << i;
    write_text(index, bytes.substr(0, i));
    EXPECT_FALSE(ShardStore(folder / "shards").find(key_of(1))) << "length " << i;
  }
  // The next blob is found behind a damaged record.
  std::string damaged = bytes;
  damaged[20] = static_cast<char>(damaged[20] ^ 1);
  write_text(index, damaged);
  {
    ShardStore store(folder / "shards");
    add(store, 2);
  }
  ShardStore store(folder / "shards");
  expect_blob(store, 2);
}

TEST(ShardStore, DiscardsABlobForAllLaterReaders) {
  const TemporaryFolder folder;
  ShardStore store(folder / "shards");
  add(store, 1);
  add(store, 2);
  store.discard(key_of(1));
  EXPECT_FALSE(store.find(key_of(1)));
  EXPECT_FALSE(ShardStore(folder / "shards").find(key_of(1)));
  expect_blob(store, 2);
  add(store, 1);
  expect_blob(store, 1);
}

TEST(ShardStore, KeepsTheDataOfAShardThatAnotherRemoves) {
  const TemporaryFolder folder;
  {
    ShardStore store(folder / "shards");
    add(store, 1);
  }
  ShardStore reader(folder / "shards");
  const auto record = reader.find(key_of(1));
  const auto data = reader.data(*record);
  ShardStore(folder / "shards").clear();
  EXPECT_TRUE(fs::is_empty(folder / "shards"));
  EXPECT_TRUE(std::ranges::equal(std::span(data.get(), record->bytes), blob_of(1)));
}

TEST(ShardStore, WritesABlobAnewAfterAnotherRemovedIt) {
  const TemporaryFolder folder;
  {
    ShardStore store(folder / "shards");
    add(store, 1);
    add(store, 2);
  }
  ShardStore store(folder / "shards");
  const auto record = store.find(key_of(1));
  ASSERT_TRUE(record);
  ShardStore(folder / "shards").clear();
  EXPECT_FALSE(store.data(*record));
  add(store, 1);
  expect_blob(store, 1);
}

TEST(ShardStore, LeavesNoFilesOfAShardThatAnotherRemoved) {
  const TemporaryFolder folder;
  {
    ShardStore store(folder / "shards");
    add(store, 1);
  }
  ShardStore store(folder / "shards");
  ShardStore(folder / "shards").clear();
  add(store, 2);  // into a new shard
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "shards"), fs::directory_iterator()), 2);
  expect_blob(store, 2);
}

TEST(ShardStore, ClearsDataWithoutAnIndex) {
  const TemporaryFolder folder;
  write_text(folder / "shards/0000-1.data", "of a process that was killed while it removed the shard");
  ShardStore(folder / "shards").clear();
  EXPECT_TRUE(fs::is_empty(folder / "shards"));
}

// A new shard may be locked by another store between its creation and its lock.
TEST(ShardStore, BeginsShardsInManyStoresAtATime) {
  for (int round = 0; round < 50; ++round) {
    const TemporaryFolder folder;
    std::vector<std::thread> threads;
    std::atomic<int> failures = 0;
    for (uint64_t i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        try {
          ShardStore store(folder / "shards");
          add(store, i);
        } catch (const WriteError&) {
          ++failures;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(failures, 0) << "round " << round;
    ShardStore store(folder / "shards");
    for (uint64_t i = 0; i < 8; ++i) expect_blob(store, i);
  }
}

TEST(ShardStore, DoesNotClearAShardThatIsBeingFilled) {
  const TemporaryFolder folder;
  ShardStore writer(folder / "shards");
  add(writer, 1);
  ShardStore(folder / "shards").clear();
  add(writer, 2);
  ShardStore reader(folder / "shards");
  expect_blob(reader, 1);
  expect_blob(reader, 2);
}

TEST(ShardStore, RemovesTheShardsThatWereNotUsedForTheLongestTime) {
  const TemporaryFolder folder;
  // Three stores at a time fill three shards.
  {
    ShardStore a(folder / "shards"), b(folder / "shards"), c(folder / "shards");
    add(a, 1);
    add(b, 2);
    add(c, 3);
  }
  std::vector<fs::path> indices;
  for (const auto& entry : fs::directory_iterator(folder / "shards")) {
    if (entry.path().extension() == ".index") indices.push_back(entry.path());
  }
  ASSERT_EQ(indices.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    fs::last_write_time(indices[i], fs::file_time_type::clock::now() - std::chrono::hours(3 - i));
  }
  ShardStore store(folder / "shards", 20'000);  // a shard of one blob takes two blocks of 4096 bytes
  EXPECT_GT(store.shrink(), 0u);
  EXPECT_FALSE(fs::exists(indices[0]));
  EXPECT_TRUE(fs::exists(indices[1]) && fs::exists(indices[2]));
  EXPECT_EQ(store.shrink(), 0u);
}

TEST(ShardStore, IsFilledByManyThreads) {
  const TemporaryFolder folder;
  ShardStore store(folder / "shards");
  std::vector<std::thread> threads;
  for (uint64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&store, thread] {
      for (uint64_t i = 0; i < 100; ++i) add(store, (i + 25 * thread) % 100);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store.use().blobs[BlobKind::samples], 100u);
  for (uint64_t i = 0; i < 100; ++i) expect_blob(store, i);
}

}  // namespace
}  // namespace melgrad::test
