// Lines for people on stderr.
#pragma once

#include <cstdio>
#include <string>

namespace melgrad {

// Nobody may be left to read it (a closed terminal, a full disk): unlike fmt::print's, that stops nothing.
inline void note_on_stderr(const std::string& line) { std::fputs((line + "\n").c_str(), stderr); }

}  // namespace melgrad
