// The sections of the report's page about single runs.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "apps/report/run_results.h"

namespace melgrad {

// The data of runs[index] for the page's template. `folder` is where the page will lie.
nlohmann::json run_section(const std::vector<RunResults>& runs, size_t index, const std::filesystem::path& folder);

}  // namespace melgrad
