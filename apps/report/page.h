// The page of melgrad report: one HTML file that needs nothing else.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "apps/report/run_results.h"
#include "framework/dataset/checkup.h"

namespace melgrad {

// A data set of the runs, and what melgrad check found in it.
struct CheckedData {
  std::string path;
  size_t tracks = 0, labels = 0, groups = 0;
  std::optional<Checkup> checkup;  // empty: not checked
  std::vector<std::string> warnings;
};

// `folder` is where the page will lie; the players refer to the audio files relative to it.
std::string report_page(const std::vector<RunResults>& runs, const std::vector<CheckedData>& data,
                        const std::filesystem::path& folder);

}  // namespace melgrad
