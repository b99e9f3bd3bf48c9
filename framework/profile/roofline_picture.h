// The roofline of a recording (Williams, Waterman and Patterson 2009): the speed of each kernel over its arithmetic
// intensity, below the limits that copies and multiply-adds set.
#pragma once

#include <filesystem>

#include "framework/profile/summary.h"

namespace melgrad {

// Draws the kernels of `device` to a PNG file. Throws Error if none of them computes with floating-point numbers, and
// WriteError if the file cannot be written.
void draw_roofline(const std::filesystem::path&, const ProfileSummary&, const Workload&, Device device,
                   const Ceilings&);

}  // namespace melgrad
