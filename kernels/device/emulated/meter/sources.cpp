#include "kernels/device/emulated/meter/sources.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace emulated_cuda {
namespace {

// "void melgrad::kernel::cuda::(anonymous namespace)::f<float, 4>(float const*)" -> "f<float, 4>"
std::string short_name(std::string name) {
  int depth = 0;
  for (size_t i = 0; i < name.size(); ++i) {
    depth += name[i] == '<' ? 1 : name[i] == '>' ? -1 : 0;
    if (name[i] == '(' && depth == 0 && !name.substr(i).starts_with("(anonymous")) name.resize(i);
  }
  for (const char* noise :
       {"melgrad::kernel::cuda::", "(anonymous namespace)::", "melgrad::kernel::", "melgrad::", "void "}) {
    for (size_t at; (at = name.find(noise)) != std::string::npos;) name.erase(at, std::strlen(noise));
  }
  return name;
}

}  // namespace

std::map<uint64_t, Source> find_sources(std::vector<uint64_t> addresses) {
  std::ranges::sort(addresses);
  addresses.erase(std::ranges::unique(addresses).begin(), addresses.end());
  std::map<uint64_t, Source> result;
  std::string command = fmt::format("addr2line -aifCs -e /proc/{}/exe", getpid());
  for (const uint64_t address : addresses) command += fmt::format(" {:x}", address);
  FILE* const pipe = popen(command.c_str(), "r");
  char text[4096];
  Source* source = nullptr;
  std::string function;
  // For each address: "0x<address>", then lines with a function and lines with its position, in turn.
  for (bool is_function = true; pipe && std::fgets(text, sizeof text, pipe);) {
    const std::string line(text, std::strcspn(text, "\n"));
    if (line.starts_with("0x") && line.find(' ') == std::string::npos) {
      source = &result[std::strtoull(line.c_str(), nullptr, 16)];
      is_function = true;
    } else if (std::exchange(is_function, !is_function)) {
      source->function = short_name(line);
    } else {
      source->lines += (source->lines.empty() ? "" : " < ") + line.substr(0, line.find(' '));
    }
  }
  if (pipe) pclose(pipe);
  return result;
}

std::map<uint64_t, Source> find_sources(const std::vector<Measurement>& measurements) {
  std::vector<uint64_t> addresses;
  for (const Measurement& m : measurements) {
    addresses.push_back(m.kernel);
    for (const auto& [instruction, site] : m.sites) addresses.push_back(call_before(instruction));
    for (const Race& race : m.races) {
      addresses.push_back(call_before(race.first_instruction));
      addresses.push_back(call_before(race.second_instruction));
    }
  }
  return find_sources(std::move(addresses));
}

}  // namespace emulated_cuda
