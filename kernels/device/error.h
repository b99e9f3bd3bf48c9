// The exceptions of melgrad. Each carries one line that names the file or value at fault and says what to do; the
// command line prints that line and nothing else.
//
// The hierarchy is flat: every kind derives from Exception, so `catch (const Error&)` takes no other kind. Further
// kinds are OutOfMemory (memory.h), WriteError and Interrupted (framework), OutputLost (apps). Code below the top
// level of a program must not catch Exception.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace melgrad {

class Exception : public std::runtime_error {
 public:
  explicit Exception(const std::string& message) : std::runtime_error(without_nul(message)) {}

 private:
  // what() would end at the first NUL byte, and messages quote files.
  static std::string without_nul(std::string_view message) {
    std::string shown;
    for (const char letter : message) letter == '\0' ? shown += "\\x00" : shown += letter;
    return shown;
  }
};

// Bad input, a bad value or a broken contract.
class Error : public Exception {
 public:
  using Exception::Exception;
};

// Options that contradict each other or the data.
class UsageError : public Exception {
 public:
  using Exception::Exception;
};

// The device or one of its libraries failed; no file and no value is at fault. Further work on the device in the same
// process usually fails in the same way.
class DeviceError : public Exception {
 public:
  using Exception::Exception;
};

template <class... T>
[[noreturn]] void fail(fmt::format_string<T...> message, T&&... values) {
  throw Error(fmt::format(message, std::forward<T>(values)...));
}

}  // namespace melgrad

// Throws Error when the condition is false. The message ends with the failing expression.
// MELGRAD_CHECK(x.rank() == 4, "conv2d takes NHWC, got {}", x.shape())
#define MELGRAD_CHECK(condition, ...)                                                   \
  do {                                                                                  \
    if (!(condition)) ::melgrad::fail("{} [{}]", fmt::format(__VA_ARGS__), #condition); \
  } while (false)
