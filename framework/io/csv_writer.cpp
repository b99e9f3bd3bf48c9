#include "framework/io/csv_writer.h"

#include <string_view>

namespace melgrad {
namespace {

void append_field(std::string& record, std::string_view field) {
  if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
    record += field;
    return;
  }
  record += '"';
  for (const char character : field) {
    if (character == '"') record += '"';
    record += character;
  }
  record += '"';
}

}  // namespace

std::string csv_record(std::span<const std::string> fields) {
  std::string record;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) record += ',';
    append_field(record, fields[i]);
  }
  return record + "\r\n";
}

}  // namespace melgrad
