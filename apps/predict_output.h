// Prints the answers of `melgrad predict` on the standard output.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "framework/prediction/prediction_writer.h"

namespace melgrad {

// One line per file: "FILE:  jazz 0.812  blues 0.101", the `top` most probable labels; "unsure" precedes them.
std::unique_ptr<PredictionWriter> text_writer(const std::vector<std::string>& labels, int top);

// One line per segment: "0:00-1:32 jazz 0.81". With several inputs, a line "FILE:" precedes those of each.
std::unique_ptr<PredictionWriter> segment_text_writer(bool several_inputs);

// Prints a list with one object per file at the end: {"file", "label", "predictions"}, for a timeline {"file",
// "seconds", "segments"}, or {"file", "error"}.
std::unique_ptr<PredictionWriter> json_writer(const std::vector<std::string>& labels, int top, bool timeline);

// Prints "  0:07 |########  | jazz 0.81" for a step of a timeline.
void print_step(const Answer& step);

// 75.3 -> "1:15", 3675 -> "1:01:15"; with tenths if `seconds` is not whole.
std::string clock_time_with_tenths(double seconds);

}  // namespace melgrad
