#include "kernels/device/kernel.h"

#include <string_view>

namespace melgrad::kernel {
namespace {

// "x" of "const Maxima<uint8_t, void> x": the last word of a declaration.
std::string name_in(std::string_view declaration) {
  const size_t end = declaration.find_last_not_of(" *");
  const size_t begin = declaration.find_last_of(" *", end);
  return std::string(declaration.substr(begin + 1, end - begin));
}

// Splits at commas outside of angle brackets.
std::vector<std::string> parameter_names(std::string_view parameters) {
  std::vector<std::string> names;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i < parameters.size(); ++i) {
    depth += (parameters[i] == '<') - (parameters[i] == '>');
    if (parameters[i] != ',' || depth > 0) continue;
    names.push_back(name_in(parameters.substr(begin, i - begin)));
    begin = i + 1;
  }
  names.push_back(name_in(parameters.substr(begin)));
  return names;
}

}  // namespace

KernelArguments name_arguments(const char* parameters, const std::vector<std::string>& texts) {
  const std::vector<std::string> names = parameter_names(parameters);
  KernelArguments arguments;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (!texts[i].empty()) arguments.emplace_back(names.at(i), texts[i]);
  }
  return arguments;
}

}  // namespace melgrad::kernel
