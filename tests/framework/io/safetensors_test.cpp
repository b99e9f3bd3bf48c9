#include "framework/io/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "framework/io/atomic_file.h"
#include "tests/support/errors.h"
#include "tests/support/paths.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

template <class T>
SharedBytes bytes_of(const std::vector<T>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return SharedBytes(std::move(bytes));
}

class SafetensorsTest : public testing::Test {
 protected:
  fs::path file() const { return folder_ / "model.safetensors"; }

  // Writes a file with this header and data.
  fs::path file_of(const std::string& header, const std::string& data = "") const {
    const uint64_t length = header.size();
    write_file_atomically(file(), std::string(reinterpret_cast<const char*>(&length), 8) + header + data);
    return file();
  }

  // Expects reading to fail with one line that names the file and contains `reason`.
  void expect_refused(const fs::path& path, const std::string& reason) const {
    const std::string message = error_of([&] { read_safetensors(path); });
    expect_contains(message, reason);
    expect_contains(message, path.string());
    expect_contains(message, "fetch it again or train again");
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    EXPECT_LT(message.size(), 1000u);
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(SafetensorsTest, ReadsAFileOfTheReferenceImplementation) {
  const SafeTensors content = read_safetensors(fixtures() / "safetensors.safetensors");
  const std::map<std::string, std::string> metadata{{"labels", R"(["blues", "música"])"}};
  EXPECT_EQ(content.metadata, metadata);

  std::vector<float> weight;
  for (int i = 0; i < 12; ++i) weight.push_back(static_cast<float>(i) / 4 - 1);
  const std::vector<SafeTensor> expected{
      {"step", "U64", {1}, bytes_of<uint64_t>({~0ull})},
      {"bn1.num_batches_tracked", "I64", {}, bytes_of<int64_t>({7'000'000'000})},
      {"conv1.weight", "F32", {2, 3, 1, 2}, bytes_of(weight)},
      {"empty", "F16", {0, 5}, {}},
      {"mask", "BOOL", {3}, bytes_of<uint8_t>({1, 0, 1})},
  };
  ASSERT_EQ(content.tensors.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(content.tensors[i].name, expected[i].name);
    EXPECT_EQ(content.tensors[i].dtype, expected[i].dtype);
    EXPECT_EQ(content.tensors[i].shape, expected[i].shape);
    EXPECT_EQ(content.tensors[i].bytes, expected[i].bytes) << expected[i].name;
  }
}

TEST_F(SafetensorsTest, WritesByteForByteWhatTheReferenceImplementationWrites) {
  const fs::path fixture = fixtures() / "safetensors.safetensors";
  const SafeTensors content = read_safetensors(fixture);
  write_safetensors(file(), content);
  EXPECT_EQ(read_file(file()), read_file(fixture));
}

TEST_F(SafetensorsTest, OrdersByElementSizeAndPads) {
  write_safetensors(file(), {{{"a", "1"}},
                             {{"byte", "U8", {1}, bytes_of<uint8_t>({1})},
                              {"first", "F32", {1}, bytes_of<float>({2})},
                              {"long", "I64", {1}, bytes_of<int64_t>({3})},
                              {"second", "F32", {}, bytes_of<float>({4})}}});
  const std::string header = R"({"__metadata__":{"a":"1"},)"
                             R"("long":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},)"
                             R"("first":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},)"
                             R"("second":{"dtype":"F32","shape":[],"data_offsets":[12,16]},)"
                             R"("byte":{"dtype":"U8","shape":[1],"data_offsets":[16,17]}})";
  const std::string bytes = read_file(file());
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  EXPECT_EQ(length % 8, 0u);
  EXPECT_LT(length, header.size() + 8);
  EXPECT_EQ(bytes.substr(8, length), header + std::string(length - header.size(), ' '));
  EXPECT_EQ(bytes.size(), 8 + length + 17);
}

TEST_F(SafetensorsTest, ReadsEmptyAndUnorderedFiles) {
  EXPECT_TRUE(read_safetensors(file_of("{}")).tensors.empty());
  write_safetensors(file(), {});
  EXPECT_TRUE(read_safetensors(file()).tensors.empty());

  const SafeTensors content = read_safetensors(file_of(
      R"({"b":{"shape":[1],"data_offsets":[1,2],"dtype":"U8"},"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}  )",
      "xy"));
  ASSERT_EQ(content.tensors.size(), 2u);
  EXPECT_EQ(content.tensors[0].name, "a");
  EXPECT_EQ(content.tensors[1].bytes, bytes_of<char>({'y'}));
}

TEST_F(SafetensorsTest, RefusesAWrongLengthField) {
  expect_error([&] { read_safetensors(file()); }, file().string());
  write_file_atomically(file(), "");
  expect_refused(file(), "0 bytes");
  write_file_atomically(file(), std::string(8, '\xff'));
  expect_refused(file(), "a header of 18446744073709551615 bytes");
  write_file_atomically(file(), std::string("\x09\0\0\0\0\0\0\0{}", 10));
  expect_refused(file(), "9 bytes, but only 2 bytes follow");
}

TEST_F(SafetensorsTest, RefusesAHeaderThatIsNotAFlatObject) {
  for (const char* const header : {"", "[]", "null", " {}", "\xef\xbb\xbf{}"}) {
    expect_refused(file_of(header), "does not begin with");
  }
  for (const char* const header : {"{", "{}{}", "{\"a\":}", "{\"\xff\":1}", "{'a':1}", "{}//"}) {
    expect_refused(file_of(header), "is not valid JSON at byte");
  }
  expect_refused(file_of(R"({"a":1e999})"), "exceeds the range of double");
  const size_t deep = 1'000'000;
  expect_refused(file_of("{\"a\":" + std::string(deep, '[') + std::string(deep, ']') + "}"), "nested deeper");
  expect_refused(file_of(R"({"a":1,"a":2})"), R"("a" twice)");
  expect_refused(file_of(R"({"__metadata__":{"k":"1","k":"2"}})"), R"("k" twice)");
  expect_refused(file_of(R"({"a":{"dtype":"U8","dtype":"I8"}})"), R"("dtype" twice)");
  for (const char* const metadata : {"1", "[\"a\"]", R"({"a":1})", R"({"a":{}})"}) {
    expect_refused(file_of("{\"__metadata__\":" + std::string(metadata) + "}"), "not an object of strings");
  }
}

// Reading must take time proportional to the length of the header; quadratic time would be minutes here.
TEST_F(SafetensorsTest, ReadsAHeaderOfManyTensors) {
  constexpr int count = 100'000;
  const std::string entry = R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  std::string header = "{";
  for (int i = 0; i < count; ++i) header += (i > 0 ? ",\"" : "\"") + std::to_string(i) + entry;
  EXPECT_EQ(read_safetensors(file_of(header + "}")).tensors.size(), static_cast<size_t>(count));
  expect_refused(file_of(header + ",\"7" + entry + "}"), R"("7" twice)");
}

TEST_F(SafetensorsTest, RefusesAnInvalidEntry) {
  const auto refused = [&](const std::string& entry, const std::string& reason) {
    expect_refused(file_of("{\"conv\":" + entry + "}", "12345678"), "tensor \"conv\": " + reason);
  };
  for (const char* const entry : {"1", "[]", "{}", R"({"dtype":"U8","shape":[8]})",
                                  R"({"dtype":"U8","shape":[8],"data_offsets":[0,8],"strides":[1]})"}) {
    refused(entry, "the entry must consist of");
  }
  refused(R"({"dtype":1,"shape":[8],"data_offsets":[0,8]})", "dtype is not a string");
  refused(R"({"dtype":"f32","shape":[2],"data_offsets":[0,8]})", R"(the dtype "f32" is unknown)");
  refused(R"({"dtype":"a\n\u001b","shape":[2],"data_offsets":[0,8]})", R"(the dtype "a\n\u001b" is unknown)");
  for (const char* const shape : {"8", "[-8]", "[8.0]", "[\"8\"]", "[true]", "[9223372036854775808]", "[1e3]"}) {
    refused(R"({"dtype":"U8","shape":)" + std::string(shape) + R"(,"data_offsets":[0,8]})", "shape is not a list");
  }
  for (const char* const offsets : {"null", "[-1,7]", "[0,8.5]", "[0,99999999999999999999]"}) {
    refused(R"({"dtype":"U8","shape":[8],"data_offsets":)" + std::string(offsets) + "}", "data_offsets is not a list");
  }
  refused(R"({"dtype":"U8","shape":[8],"data_offsets":[0]})", "data_offsets has 1 numbers");
  refused(R"({"dtype":"U8","shape":[8],"data_offsets":[8,0]})", "data_offsets [8, 0] end before they begin");
  refused(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})", "data_offsets [0, 8] do not span the 12 bytes");
  refused(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]})", "the shape's product overflows");
  refused(R"({"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]})", "the shape's product overflows");
}

TEST_F(SafetensorsTest, RefusesGapsAndOverlapsOfTheData) {
  const auto two = [](int begin, int end) {
    return R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[)" +
           std::to_string(end - begin) + R"(],"data_offsets":[)" + std::to_string(begin) + "," + std::to_string(end) +
           "]}}";
  };
  EXPECT_EQ(read_safetensors(file_of(two(4, 8), "12345678")).tensors.size(), 2u);
  expect_refused(file_of(two(4, 8), "1234567"), R"(tensor "b" ends at byte 8 of 7)");
  expect_refused(file_of(two(3, 8), "12345678"), R"(tensor "b" begins at byte 3 of the data, 4 is expected)");
  expect_refused(file_of(two(0, 4), "1234"), "a gap or an overlap");
  expect_refused(file_of(two(5, 8), "12345678"), R"(tensor "b" begins at byte 5 of the data, 4 is expected)");
  expect_refused(file_of(two(4, 8), "123456789"), "1 bytes follow the last tensor");
}

TEST_F(SafetensorsTest, SurvivesEveryTruncationAndManyBitFlips) {
  const std::string whole = read_file(fixtures() / "safetensors.safetensors");
  for (size_t length = 0; length < whole.size(); ++length) {
    write_file_atomically(file(), whole.substr(0, length));
    expect_refused(file(), "is not a valid safetensors file");
  }
  // A flipped bit in a name or in the data cannot be detected. Any other must be refused. None may crash the reader.
  const size_t header_end = 0x188;
  for (size_t i = 0; i < header_end; ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << (i % 8)));
    write_file_atomically(file(), damaged);
    const std::string message = error_of([&] { read_safetensors(file()); });
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

TEST_F(SafetensorsTest, RefusesToWriteAnInvalidFile) {
  const auto refused = [&](const SafeTensors& content, const std::string& reason) {
    const std::string message = error_of([&] { write_safetensors(file(), content); });
    expect_contains(message, reason);
    expect_contains(message, file().string());
    EXPECT_FALSE(std::filesystem::exists(file()));
  };
  const SafeTensor good{"a", "U8", {1}, bytes_of<uint8_t>({1})};
  refused({{}, {good, good}}, R"(the tensor name "a" is already in use)");
  refused({{}, {{"__metadata__", "U8", {1}, good.bytes}}}, "is already in use");
  refused({{}, {{"a", "F32", {1}, good.bytes}}}, R"(tensor "a" has 1 bytes, but its shape and dtype need 4)");
  refused({{}, {{"a", "float", {1}, good.bytes}}}, R"(the dtype "float" is unknown)");
  refused({{}, {{"a", "U8", {-1}, good.bytes}}}, "negative size -1");
  refused({{{"labels", "caf\xe9"}}, {}}, "is not UTF-8");
  refused({{}, {{"\xff", "U8", {1}, good.bytes}}}, "is not UTF-8");
}

}  // namespace
}  // namespace melgrad::test
