// Makes untrusted text, such as the name of a file or a label from a checkpoint, safe to print.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace melgrad {

// The length in bytes of the UTF-8 character (RFC 3629) at the beginning of `text`; 0 if there is none.
size_t utf8_length(std::string_view text);
bool is_utf8(std::string_view text);

// One line without control characters: they and bytes that are not UTF-8 are replaced by escapes such as \n, \t and
// \x1B. The middle of a text of more than 4000 bytes is left out.
std::string one_line(std::string_view text);

// Quotes `text` as one word of a POSIX shell, with single quotes only if they are needed.
std::string shell_quoted(std::string_view text);

// Hours, minutes and seconds: "1:02:03", or "2:03" below an hour.
std::string clock_time(double seconds);

// At least three digits and a decimal unit: "2.18 kB", "345 MB", "1234 GB".
std::string size_text(uint64_t bytes);

// The value, but NaN without a sign, which has no meaning and would be printed as "-nan".
double without_nan_sign(double value);

}  // namespace melgrad
