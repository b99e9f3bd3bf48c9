// What `melgrad --version` prints: a line for people; with --json the build, its libraries and the devices it finds.
#pragma once

#include <string>

namespace melgrad {

std::string version_line();
std::string version_json();

}  // namespace melgrad
