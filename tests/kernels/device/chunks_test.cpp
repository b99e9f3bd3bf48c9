#include "kernels/device/chunks.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace melgrad::test {
namespace {

TEST(Chunks, CoverEveryArrayInOrder) {
  const auto n = kernel::chunk_elements;
  const std::vector<int64_t> sizes{1, 0, n, n + 1};
  const auto chunks = kernel::cut_into_chunks(sizes);
  const std::vector<std::pair<int, int>> expected{{0, 0}, {2, 0}, {3, 0}, {3, 1}};
  ASSERT_EQ(chunks.size(), expected.size());
  for (size_t i = 0; i < chunks.size(); ++i) EXPECT_EQ(std::pair(chunks[i].array, chunks[i].index), expected[i]);
}

}  // namespace
}  // namespace melgrad::test
