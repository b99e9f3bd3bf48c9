// Checks of command-line arguments. Suggests the closest valid name for a mistyped argument, and rejects invalid values
// that CLI11 accepts.
#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace melgrad {

// Returns " (did you mean X?)", where X is the name that begins with `word`, otherwise the name with the fewest edits
// (insert, delete, replace, swap of neighbours). Empty if no name is close.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& names);

// Accepts one of `names`. The error message suggests the closest name.
CLI::Validator one_of(std::vector<std::string> names);
// Accept finite numbers: those above 0, and those of 0 or more.
CLI::Validator positive_number();
CLI::Validator non_negative_number();

// Accepts the values of uint64_t. Some versions of CLI11 read -1 as the largest of them.
CLI::Validator whole_number();

// Accepts 0, which has a meaning of its own, and the whole numbers from `first` to `last`.
CLI::Validator zero_or_range(int64_t first, int64_t last);

// The message for a command line that CLI11 could not parse. It suggests the closest option for an unknown one.
std::string parse_failure(const CLI::App& program, const CLI::Error& error);

// Throws Error naming the first option of the parsed command whose value is empty or not finite.
void require_plausible_values(const CLI::App& command);

}  // namespace melgrad
