#include "apps/recipes.h"

#include <algorithm>

namespace melgrad {
namespace {

struct Recipe {
  const char* name;
  std::vector<std::string> arguments;
};

// A network as published, trained on crops that are not changed.
std::vector<std::string> plain(const char* model) {
  return {"--model",           model, "--epochs",     "80", "--dropout",    "0",  "--label-smoothing", "0",
          "--pitch-shift",     "0",   "--equalizer",  "0",  "--level",      "0",  "--mixup",           "0",
          "--frequency-masks", "0",   "--time-masks", "0",  "--statistics", "off"};
}

const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> all{
      // The defaults of melgrad train. docs/recipe.md describes the recipes.
      {"best", {"--model",           "resnet_small",
                "--epochs",          "160",
                "--dropout",         "0.3",
                "--label-smoothing", "0.1",
                "--pitch-shift",     "4",
                "--equalizer",       "4",
                "--level",           "6",
                "--mixup",           "0.3",
                "--frequency-masks", "2",
                "--time-masks",      "2",
                "--statistics",      "auto"}},
      {"customer-cnn", plain("cnn")},
      {"customer-resnet", plain("resnet18")},
  };
  return all;
}

}  // namespace

std::vector<std::string> recipe_names() {
  std::vector<std::string> names;
  for (const Recipe& recipe : recipes()) names.emplace_back(recipe.name);
  return names;
}

std::vector<std::string> recipe_arguments(const std::string& name) {
  const auto found = std::ranges::find(recipes(), name, &Recipe::name);
  return found == recipes().end() ? std::vector<std::string>() : found->arguments;
}

}  // namespace melgrad
