#include "framework/dataset/content_memo.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include "framework/io/atomic_file.h"

#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

using namespace std::chrono_literals;

TEST(ContentMemo, IsRightAfterEveryKindOfChange) {
  const TemporaryFolder folder;
  const fs::path file = write_text(folder / "song", "one");
  const auto check = [&] {
    ContentMemo memo(folder / "memo");
    EXPECT_EQ(memo.hash_of(file), content_hash(file));
    memo.save();
  };
  check();
  write_text(file, "two");  // same size, within the resolution of the times
  check();
  // The times of change cannot be set back, so the file counts as recent for two seconds.
  fs::last_write_time(file, fs::file_time_type::clock::now() - 1h);
  check();
  write_text(file, "six");
  fs::last_write_time(file, fs::file_time_type::clock::now() - 1h);
  check();
  fs::rename(write_text(folder / "other", "ten"), file);
  check();
}

TEST(ContentMemo, IgnoresADamagedFile) {
  const TemporaryFolder folder;
  const fs::path file = write_text(folder / "song", "one");
  for (const char* bytes : {"", "melmemo1", "melmemo1????????", "something else"}) {
    ContentMemo memo(write_text(folder / "memo", bytes));
    EXPECT_EQ(memo.hash_of(file), content_hash(file));
  }
}

// The memo is what makes the start fast, so a remembered file must not be opened.
TEST(ContentMemo, DoesNotReadARememberedFile) {
  const TemporaryFolder folder;
  const fs::path file = write_text(folder / "song", "one");
  std::this_thread::sleep_for(2100ms);
  const ContentHash content = content_hash(file);
  {
    ContentMemo memo(folder / "memo");
    memo.hash_of(file);
    memo.save();
  }
  ASSERT_TRUE(fs::exists(folder / "memo"));
  const auto before = fs::file_size(folder / "memo");
  ContentMemo again(folder / "memo");
  EXPECT_EQ(again.hash_of(file), content);
  fs::remove(folder / "memo");
  again.save();  // has nothing new
  EXPECT_FALSE(fs::exists(folder / "memo"));
  EXPECT_EQ(before, 8u + 72 + 8);
}

}  // namespace
}  // namespace melgrad::test
