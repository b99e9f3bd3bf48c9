#include "kernels/device/error.h"

#include <gtest/gtest.h>

#include <type_traits>

#include "apps/command.h"
#include "framework/io/atomic_file.h"
#include "framework/terminal/interrupt.h"
#include "kernels/device/stream.h"

namespace melgrad {
namespace {

template <class Kind>
constexpr bool is_beside_error =
    std::is_base_of_v<Exception, Kind> && !std::is_base_of_v<Error, Kind> && !std::is_base_of_v<Kind, Error>;

// A handler of Error would silently catch a subclass of it.
static_assert(is_beside_error<DeviceError> && is_beside_error<OutOfMemory> && is_beside_error<WriteError> &&
              is_beside_error<Interrupted> && is_beside_error<UsageError> && is_beside_error<OutputLost>);

TEST(Error, ShowsNulBytes) { EXPECT_STREQ(Error(std::string("a\0b", 3)).what(), "a\\x00b"); }

TEST(Error, FailedCheckQuotesItsExpression) {
  const int rank = 3;
  try {
    MELGRAD_CHECK(rank == 4, "conv2d takes NHWC, got rank {}", rank);
    ADD_FAILURE() << "no exception";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "conv2d takes NHWC, got rank 3 [rank == 4]");
  }
}

}  // namespace
}  // namespace melgrad
