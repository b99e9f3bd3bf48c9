// A recording as a JSON file in the trace event format ("Trace Event Format", Google, 2016), which ui.perfetto.dev and
// chrome://tracing draw: one row for each thread and one for the stream of a GPU, one slice for each range, with the
// arguments, the operations and the bytes of kernels.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "kernels/device/profiler.h"

namespace melgrad {

// Times are in microseconds since the recording began.
nlohmann::ordered_json trace_events(const Profile&);

}  // namespace melgrad
