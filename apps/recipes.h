// Recipes: named sets of the options of melgrad train, to start from.
#pragma once

#include <string>
#include <vector>

namespace melgrad {

std::vector<std::string> recipe_names();

// The options of the recipe, as on a command line; every recipe sets the same ones. Empty for an unknown name.
std::vector<std::string> recipe_arguments(const std::string& name);

}  // namespace melgrad
