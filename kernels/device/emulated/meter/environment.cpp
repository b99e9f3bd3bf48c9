// Measures a whole program of the preset `metered`, controlled by environment variables:
//   METER=all        measures every launch
//   METER=profiled   measures the launches between cudaProfilerStart and cudaProfilerStop (melgrad train
//   --profile-steps) METER_JSON=FILE  writes the counts of every launch, in order; without it, a table is printed to
//   stderr at exit
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "kernels/device/emulated/meter/counts_json.h"
#include "kernels/device/emulated/meter/meter.h"
#include "kernels/device/emulated/meter/report.h"

namespace emulated_cuda {
namespace {

void write_json(const char* path) {
  FILE* const file = std::fopen(path, "w");
  const std::string text = counts_json(take_measurements(), take_other_calls());
  const bool is_written = file && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (!file || std::fclose(file) != 0 || !is_written) {
    fmt::print(stderr, "meter: {} cannot be written\n", path);
    std::_Exit(1);
  }
}

void report() {
  stop_meter();
  if (const char* path = std::getenv("METER_JSON")) return write_json(path);
  const auto measurements = summed(take_measurements());
  fmt::print(stderr, "{}{}{}", kernel_table(measurements), wasteful_lines(measurements),
             describe_races(measurements, true));
}

}  // namespace

// Called by the first CUDA call of a program, so that this file is linked.
void start_meter_by_environment() {
  const char* value = std::getenv("METER");
  if (!value) return;
  const std::string_view what = value;
  if (what != "all" && what != "profiled") {
    fmt::print(stderr, "meter: METER is '{}'; it must be all or profiled\n", what);
    std::exit(1);
  }
  start_meter({.only_profiled = what == "profiled", .sum_launches = !std::getenv("METER_JSON")});
  std::atexit(report);
}

}  // namespace emulated_cuda
