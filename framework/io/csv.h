// Comma-separated values as RFC 4180 has them: fields in quotes may hold commas, line ends and doubled quotes. Lines
// end in LF or CRLF; a UTF-8 byte order mark and blank lines are passed over.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace melgrad {

struct CsvRow {
  size_t line;  // where the row starts, from 1
  std::vector<std::string> fields;
};

// `name` is what errors call the text. Throws Error with name:line: a quote never closed, text after a closing quote,
// UTF-16.
std::vector<CsvRow> parse_csv(std::string_view text, std::string_view name);

}  // namespace melgrad
