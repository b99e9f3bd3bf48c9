// One record of a comma-separated file as RFC 4180 has it: fields with a comma, a quote or a line break stand in
// quotes, quotes within are doubled, the record ends with CR LF.
#pragma once

#include <span>
#include <string>

namespace melgrad {

std::string csv_record(std::span<const std::string> fields);

}  // namespace melgrad
