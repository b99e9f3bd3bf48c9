// Text from files and file systems. One name may be written in two ways: "ú" as one code point (NFC) or as "u" and an
// accent (NFD), which macOS prefers. They look alike, but file systems and string comparisons tell them apart.
#pragma once

#include <string>
#include <string_view>

namespace melgrad {

// The text in the composed form NFC (Unicode Standard Annex 15). Text that is not UTF-8 is returned unchanged.
std::string to_nfc(std::string_view text);

// The text with the letters A to Z in lower case.
std::string lower_case(std::string text);
// The text without blanks, tabs and carriage returns at its ends.
std::string trimmed(std::string_view text);

// True if the text begins with the byte order mark of UTF-16.
bool is_utf16(std::string_view text);

// UTF-8 text from the bytes of a text file: UTF-8 with or without a byte order mark, UTF-16 with one, otherwise
// Windows-1252, whose lower half is ASCII.
std::string decode_text(std::string_view bytes);

}  // namespace melgrad
