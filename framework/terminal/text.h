// Text of unknown origin, such as a file's name or a label from a stranger's checkpoint, made fit to be shown.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace melgrad {

// Bytes of the UTF-8 character (RFC 3629) that `text` begins with; 0 where it begins with none.
size_t utf8_length(std::string_view text);
bool is_utf8(std::string_view text);

// One line that a terminal shows as it is: control characters and bytes that are no UTF-8 become \n, \t or \x1B, and
// the middle of what is longer than some thousand bytes is left out.
std::string one_line(std::string_view text);

// One word of a POSIX shell, in single quotes where it would not be one without.
std::string shell_quoted(std::string_view text);

}  // namespace melgrad
