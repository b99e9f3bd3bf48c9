// The folder for data that can be computed again: features, convolution plans.
#pragma once

#include <filesystem>

namespace melgrad {

// $MELGRAD_CACHE, else $XDG_CACHE_HOME/melgrad, else ~/.cache/melgrad; empty if there is no home folder.
std::filesystem::path default_cache_folder();

}  // namespace melgrad
