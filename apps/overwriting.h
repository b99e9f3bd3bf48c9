// Keeps commands from overwriting the files that they read.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/dataset/dataset.h"

namespace melgrad {

// Throws UsageError if one of the outputs, which `option` names, is one of the inputs, also by another path or through
// a link. Paths may be empty or lead to no file.
void require_no_input(const std::string& option, const std::vector<std::filesystem::path>& outputs,
                      const std::vector<std::filesystem::path>& inputs);

// The files that melgrad train writes into the folder of a run. Not all of them need to exist.
std::vector<std::filesystem::path> files_of_run(const std::filesystem::path& folder);

// The manifest or the table of labels, and the audio files.
std::vector<std::filesystem::path> files_of(const DatasetSource& source, const Dataset& dataset);

}  // namespace melgrad
