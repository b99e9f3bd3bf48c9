// Reads comma-separated values (RFC 4180): a field in quotes may contain commas, line ends and doubled quotes. Blanks
// around the quotes are ignored. Lines end in LF or CRLF. A UTF-8 byte order mark and blank lines are ignored.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace melgrad {

struct CsvRow {
  size_t line;  // the line in which the row starts, from 1
  std::vector<std::string> fields;
};

// `name` identifies the text in errors. Throws Error with name:line for an unclosed quote and for text after a closing
// quote, and Error with the name for UTF-16.
std::vector<CsvRow> parse_csv(std::string_view text, std::string_view name, char separator = ',');

// The separator that occurs most often outside quotes in the first line: a comma, semicolon, tab or vertical bar; a
// comma if none occurs.
char find_separator(std::string_view text);

}  // namespace melgrad
