#include "framework/io/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <climits>
#include <thread>

#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

class AtomicFile : public testing::Test {
 protected:
  fs::perms mode_of(const fs::path& path) const { return fs::status(path).permissions(); }
  size_t entries() const { return static_cast<size_t>(std::distance(fs::directory_iterator(folder_.path()), {})); }

  TemporaryFolder folder_;
};

TEST_F(AtomicFile, AnExistingFileKeepsItsMode) {
  const fs::path file = write_text(folder_ / "a", "old");
  const auto mode = fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read | fs::perms::others_exec;
  fs::permissions(file, mode);
  write_file_atomically(file, "new");
  EXPECT_EQ(read_file(file), "new");
  EXPECT_EQ(mode_of(file), mode);
  EXPECT_EQ(entries(), 1u);
}

TEST_F(AtomicFile, ALinkStaysAndItsTargetIsWritten) {
  write_text(folder_ / "real/target", "old");
  fs::create_symlink("real/target", folder_ / "one");
  fs::create_symlink("one", folder_ / "two");
  write_file_atomically(folder_ / "two", "new");
  EXPECT_TRUE(fs::is_symlink(folder_ / "two"));
  EXPECT_TRUE(fs::is_symlink(folder_ / "one"));
  EXPECT_EQ(read_file(folder_ / "real/target"), "new");
  fs::create_symlink("real/absent", folder_ / "dangling");
  write_file_atomically(folder_ / "dangling", "made");
  EXPECT_EQ(read_file(folder_ / "real/absent"), "made");
}

TEST_F(AtomicFile, ALinkThatLeadsToItselfIsRefused) {
  fs::create_symlink("b", folder_ / "a");
  fs::create_symlink("a", folder_ / "b");
  expect_error([&] { write_file_atomically(folder_ / "a", "x"); }, "remove the link that leads to itself");
}

TEST_F(AtomicFile, APipeIsWrittenAndStays) {
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::string got;
  std::thread reader([&] { got = read_file(pipe); });
  write_file_atomically(pipe, "through the pipe");
  reader.join();
  EXPECT_EQ(got, "through the pipe");
  EXPECT_TRUE(fs::is_fifo(pipe));
}

TEST_F(AtomicFile, DevicesAreWrittenAndStay) {
  write_file_atomically("/dev/null", "x");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  expect_error([] { write_file_atomically("/dev/full", "x"); }, "cannot write /dev/full: No space left on device");
  fs::create_symlink("/dev/null", folder_ / "sink");
  write_file_atomically(folder_ / "sink", "x");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(AtomicFile, AnOpenDescriptorIsWrittenWhereItIs) {
  FILE* const file = std::fopen((folder_ / "a").c_str(), "w");
  std::fputs("before ", file);
  std::fflush(file);
  write_file_atomically("/dev/fd/" + std::to_string(fileno(file)), "inside");
  fs::create_symlink("/dev/fd/" + std::to_string(fileno(file)), folder_ / "link");
  write_file_atomically(folder_ / "link", " linked");
  std::fputs(" after", file);
  std::fclose(file);
  EXPECT_EQ(read_file(folder_ / "a"), "before inside linked after");
}

TEST_F(AtomicFile, TheLongestNameOfTheSystemIsWritten) {
  const std::string longest(NAME_MAX, 'n');
  write_file_atomically(folder_ / longest, "x");
  EXPECT_EQ(read_file(folder_ / longest), "x");
  expect_error([&] { write_file_atomically(folder_ / (longest + "n"), "x"); },
               "its name has 256 bytes, at most 255 are allowed; choose a shorter name");
}

TEST_F(AtomicFile, AFolderIsRefused) {
  expect_error([&] { write_file_atomically(folder_.path(), "x"); }, "Is a directory; give the name of a file");
}

}  // namespace
}  // namespace melgrad::test
