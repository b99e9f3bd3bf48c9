// Notes to the user on stderr.
#pragma once

#include <cstdio>
#include <string>

namespace melgrad {

// Ignores write errors (a closed terminal, a full disk); fmt::print would throw.
inline void note_on_stderr(const std::string& line) { std::fputs((line + "\n").c_str(), stderr); }

}  // namespace melgrad
