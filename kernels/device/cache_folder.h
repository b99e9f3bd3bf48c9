// Where the program keeps what it could compute again.
#pragma once

#include <filesystem>

namespace melgrad {

// $MELGRAD_CACHE, else $XDG_CACHE_HOME/melgrad, else ~/.cache/melgrad; empty where there is no home.
std::filesystem::path default_cache_folder();

}  // namespace melgrad
