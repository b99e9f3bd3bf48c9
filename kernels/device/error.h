// Errors carry one line that names the value and what to do about it; the command line prints that line and no more.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace melgrad {

class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(whole(message)) {}

 private:
  // what() would end at the first NUL byte, and messages quote files.
  static std::string whole(std::string_view message) {
    std::string shown;
    for (const char letter : message) letter == '\0' ? shown += "\\x00" : shown += letter;
    return shown;
  }
};

template <class... T>
[[noreturn]] void fail(fmt::format_string<T...> message, T&&... values) {
  throw Error(fmt::format(message, std::forward<T>(values)...));
}

}  // namespace melgrad

// A broken contract between pieces of the program: the message carries the failing expression.
// MELGRAD_CHECK(x.rank() == 4, "conv2d takes NHWC, got {}", x.shape())
#define MELGRAD_CHECK(condition, ...)                                                   \
  do {                                                                                  \
    if (!(condition)) ::melgrad::fail("{} [{}]", fmt::format(__VA_ARGS__), #condition); \
  } while (false)
