// What is said of arguments that cannot be: the nearest name that there is, in place of silence, and the values that
// CLI11 lets through.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

namespace melgrad {

// "; did you mean X?" with the name that begins with `word`, or that is the fewest edits (insert, delete, replace, swap
// neighbours) from it; empty where none is near.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& names);

// A name out of `names`; another is refused with the nearest of them.
CLI::Validator one_of(std::vector<std::string> names);
// Finite, and above 0 or from 0.
CLI::Validator positive_number();
CLI::Validator non_negative_number();

// Takes what uint64_t holds: some versions of CLI11 take -1 for the largest of them.
CLI::Validator whole_number();

// The line for a command line that CLI11 could not parse: of an unknown option, with the nearest known one.
std::string parse_failure(const CLI::App& program, const CLI::Error& error);

// Throws Error naming the option of the parsed command whose value is empty or no finite number.
void require_plausible_values(const CLI::App& command);

}  // namespace melgrad
