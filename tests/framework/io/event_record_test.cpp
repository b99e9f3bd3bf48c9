#include "framework/io/event_record.h"

#include <gtest/gtest.h>

#include "framework/io/crc32c.h"
#include "tests/support/errors.h"

namespace melgrad::test {
namespace {

std::string bytes_from(int first, int step) {
  std::string bytes;
  for (int i = 0; i < 32; ++i) bytes += static_cast<char>(first + step * i);
  return bytes;
}

// RFC 3720, appendix B.4, whose bytes are in the order of transmission: "aa 36 91 8a" is 0x8A9136AA.
TEST(Crc32c, EqualsTheExamplesOfTheStandard) {
  EXPECT_EQ(crc32c(bytes_from(0, 0)), 0x8A9136AAu);
  EXPECT_EQ(crc32c(bytes_from(0xFF, 0)), 0x62A8AB43u);
  EXPECT_EQ(crc32c(bytes_from(0, 1)), 0x46DD794Eu);
  EXPECT_EQ(crc32c(bytes_from(31, -1)), 0x113FDB5Cu);
  EXPECT_EQ(
      crc32c(std::string("\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x14\0\0\0\0\0\x04\0\0\0\0\x14\0\0\0\x18\x28\0\0\0\0"
                         "\0\0\0\x02\0\0\0\0\0\0\0",
                         48)),
      0xD9963A56u);
}

// An event file of TensorFlow begins with these 12 bytes: its first record has 24 bytes.
TEST(EventRecord, HasTheFrameOfTensorFlow) {
  const std::string record = tf_record(std::string(24, 'x'));
  EXPECT_EQ(record.substr(0, 12), std::string("\x18\0\0\0\0\0\0\0\xA3\x7F\x4B\x22", 12));
  EXPECT_EQ(record.size(), 8u + 4 + 24 + 4);
}

TEST(EventRecord, RefusesAPictureThatIsNoPng) {
  expect_error([] { picture_record(0, 1, "x", "GIF89a"); }, "6 bytes are no PNG file");
}

}  // namespace
}  // namespace melgrad::test
