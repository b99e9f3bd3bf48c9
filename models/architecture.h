// The structure of a model, for drawings: its modules, their outputs and the shortcuts around them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/module.h"

namespace melgrad {

struct ArchitectureNode {
  std::string name, description;        // as Module gives them
  Shape output;                         // of one example: [1, H, W, C] or [1, features]
  int64_t parameters = 0;               // of the module and of all below it
  Fused fused = Fused::nothing;         // what the module computed after its own function
  std::vector<ArchitectureNode> parts;  // the children that ran, in the order in which they finished
};

// Runs the model once, in evaluation mode, on zeros of shape [1, n_mels, frames, 1].
ArchitectureNode architecture_of(Module& model, int64_t n_mels, int64_t frames);

// The structure as an SVG element: a box for each layer or block from top to bottom, the shapes between them, and
// arrows for the shortcuts. Equal blocks in a row are drawn once. `standalone` makes a file with a white background;
// otherwise an element for a page, which gives it its text colour.
std::string architecture_svg(const ArchitectureNode& model, const std::string& title, const Shape& input,
                             bool standalone);

}  // namespace melgrad
