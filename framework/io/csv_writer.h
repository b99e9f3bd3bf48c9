// Formats one record of a comma-separated file (RFC 4180): a field with a comma, a quote or a line break is put in
// quotes, and quotes in it are doubled. The record ends with CR LF.
#pragma once

#include <span>
#include <string>

namespace melgrad {

std::string csv_record(std::span<const std::string> fields);

}  // namespace melgrad
