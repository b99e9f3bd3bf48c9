// The first section of the report: what the runs reach, and compared with what.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/report/run_results.h"

namespace melgrad {

// Adds the members verdicts, scale and notes to the data of the page's template.
void add_answer(nlohmann::json& page, const std::vector<RunResults>& runs);

}  // namespace melgrad
