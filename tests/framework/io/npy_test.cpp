#include "framework/io/npy.h"

#include <gtest/gtest.h>

#include <limits>

#include "framework/io/atomic_file.h"
#include "tests/support/errors.h"
#include "tests/support/paths.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

TEST(Npy, ReadsWhatItWrote) {
  const TemporaryFolder folder;
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

// The fixture is numpy.save of numpy.arange(6, dtype='<f4').reshape(2, 3) / 4, by numpy 2.4.
TEST(Npy, ReadsAndWritesWhatNumpyWrites) {
  const NpyArray array = read_npy(fixtures() / "npy_numpy.npy");
  EXPECT_EQ(array.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(array.values, (std::vector<float>{0, 0.25, 0.5, 0.75, 1, 1.25}));
  const TemporaryFolder folder;
  write_npy(folder / "a.npy", array.values, array.shape);
  EXPECT_EQ(read_file(folder / "a.npy"), read_file(fixtures() / "npy_numpy.npy"));
}

TEST(Npy, NamesTheFileThatItCannotRead) {
  const TemporaryFolder folder;
  const auto message_of = [&](const std::string& bytes) {
    write_file_atomically(folder / "a.npy", bytes);
    std::string message = error_of([&] { read_npy(folder / "a.npy"); });
    expect_contains(message, "a.npy");
    return message;
  };
  write_npy(folder / "good.npy", std::vector<float>(6), {2, 3});
  const std::string good = read_file(folder / "good.npy");
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string bytes = good;
    return bytes.replace(bytes.find(from), from.size(), to);
  };
  expect_contains(message_of("RIFF and so on and on"), "not an .npy file");
  expect_contains(message_of(""), "not an .npy file");
  expect_contains(message_of(good.substr(0, 40)), "truncated");
  expect_contains(message_of(good.substr(0, good.size() - 1)), "23 bytes");
  expect_contains(message_of(with("<f4", "<f8")), "float32");
  expect_contains(message_of(with("False", "True ")), "C order");
  expect_contains(message_of(with("(2, 3)", "(9999999999, 9999999999)")), "shape");
  expect_error([&] { read_npy(folder / "absent.npy"); }, "absent.npy");
}

TEST(Npy, RefusesAShapeThatDoesNotFitTheValues) {
  const TemporaryFolder folder;
  EXPECT_NE(error_of([&] { write_npy(folder / "a.npy", std::vector<float>(5), {2, 3}); }), "");
  EXPECT_FALSE(std::filesystem::exists(folder / "a.npy"));
}

}  // namespace
}  // namespace melgrad::test
