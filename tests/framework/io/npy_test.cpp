#include "framework/io/npy.h"

#include <gtest/gtest.h>

#include <limits>

#include "framework/io/atomic_file.h"
#include "tests/support/music_folder.h"
#include "tests/support/paths.h"

namespace melgrad {
namespace {

using test::error_of;

TEST(Npy, ComesBackAsWritten) {
  const test::TemporaryFolder folder;
  const std::vector<std::vector<int64_t>> shapes = {{6}, {2, 3}, {1, 2, 3}, {}, {0, 5}};
  for (const auto& shape : shapes) {
    int64_t count = 1;
    for (const int64_t extent : shape) count *= extent;
    std::vector<float> values;
    for (int64_t i = 0; i < count; ++i) values.push_back(static_cast<float>(i) / 3 - 1);
    write_npy(folder / "a.npy", values, shape);
    const NpyArray array = read_npy(folder / "a.npy");
    EXPECT_EQ(array.shape, shape);
    EXPECT_EQ(array.values, values);
  }
}

// numpy.save of numpy.arange(6, dtype='<f4').reshape(2, 3) / 4, by numpy 2.4: header and values, byte for byte.
TEST(Npy, ReadsAndWritesWhatNumpyWrites) {
  const NpyArray array = read_npy(test::fixtures() / "npy_numpy.npy");
  EXPECT_EQ(array.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(array.values, (std::vector<float>{0, 0.25, 0.5, 0.75, 1, 1.25}));
  const test::TemporaryFolder folder;
  write_npy(folder / "a.npy", array.values, array.shape);
  EXPECT_EQ(read_file(folder / "a.npy"), read_file(test::fixtures() / "npy_numpy.npy"));
}

TEST(Npy, NamesTheFileThatItCannotRead) {
  const test::TemporaryFolder folder;
  const auto message_of = [&](const std::string& bytes) {
    write_file_atomically(folder / "a.npy", bytes);
    std::string message = error_of([&] { read_npy(folder / "a.npy"); });
    EXPECT_NE(message.find("a.npy"), std::string::npos) << message;
    return message;
  };
  write_npy(folder / "good.npy", std::vector<float>(6), {2, 3});
  const std::string good = read_file(folder / "good.npy");
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string bytes = good;
    return bytes.replace(bytes.find(from), from.size(), to);
  };
  EXPECT_NE(message_of("RIFF and so on and on").find("not an .npy file"), std::string::npos);
  EXPECT_NE(message_of("").find("not an .npy file"), std::string::npos);
  EXPECT_NE(message_of(good.substr(0, 40)).find("truncated"), std::string::npos);
  EXPECT_NE(message_of(good.substr(0, good.size() - 1)).find("23 bytes"), std::string::npos);
  EXPECT_NE(message_of(with("<f4", "<f8")).find("float32"), std::string::npos);
  EXPECT_NE(message_of(with("False", "True ")).find("C order"), std::string::npos);
  EXPECT_NE(message_of(with("(2, 3)", "(9999999999, 9999999999)")).find("shape"), std::string::npos);
  EXPECT_NE(error_of([&] { read_npy(folder / "absent.npy"); }).find("absent.npy"), std::string::npos);
}

TEST(Npy, RefusesAShapeThatDoesNotHoldTheValues) {
  const test::TemporaryFolder folder;
  EXPECT_NE(error_of([&] { write_npy(folder / "a.npy", std::vector<float>(5), {2, 3}); }), "");
  EXPECT_FALSE(std::filesystem::exists(folder / "a.npy"));
}

}  // namespace
}  // namespace melgrad
