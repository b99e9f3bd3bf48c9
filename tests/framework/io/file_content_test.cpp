#include "framework/io/file_content.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string_view>
#include <thread>

#include "framework/io/atomic_file.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

std::string text_of(const SharedBytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

TEST(FileContent, StaysWhenTheFileIsReplacedOrRemoved) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "file", "first");
  const SharedBytes first = read_shared(folder / "file");
  const SharedBytes part = read_shared(folder / "file").part(1, 4);
  write_file_atomically(folder / "file", "another");
  EXPECT_EQ(text_of(first), "first");
  EXPECT_EQ(text_of(read_shared(folder / "file")), "another");
  fs::remove(folder / "file");
  EXPECT_EQ(text_of(first), "first");
  EXPECT_EQ(text_of(part), "irs") << "a part keeps the memory";
}

TEST(FileContent, OfPipesAndOfEmptyFilesIsRead) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "empty", "");
  EXPECT_TRUE(read_shared(folder / "empty").empty());
  const std::string pipe = folder / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&pipe] { write_file_atomically(pipe, "through a pipe"); });
  EXPECT_EQ(text_of(read_shared(pipe)), "through a pipe");
  writer.join();
}

TEST(FileContent, OfAFolderOrOfNothingIsAnError) {
  const TemporaryFolder folder;
  expect_error([&] { read_shared(folder / "absent"); }, "absent: No such file");
  expect_error([&] { read_shared(folder / "."); }, "is a folder");
}

}  // namespace
}  // namespace melgrad::test
