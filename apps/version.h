// The output of `melgrad --version`: one line; with --json the build, its libraries and the devices.
#pragma once

#include <string>

namespace melgrad {

std::string version_number();  // "0.2.0"
std::string version_line();
std::string version_json();

}  // namespace melgrad
