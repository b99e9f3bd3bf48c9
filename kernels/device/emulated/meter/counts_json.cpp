#include "kernels/device/emulated/meter/counts_json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "kernels/device/emulated/device_memory.h"
#include "kernels/device/emulated/meter/sector_cache.h"
#include "kernels/device/emulated/meter/sources.h"

namespace emulated_cuda {
namespace {

using Json = nlohmann::ordered_json;

const Json columns = {
    "operation",       "kernel",          "blocks",          "threads",         "dynamic_shared_bytes",
    "idle_threads",    "read_bytes",      "written_bytes",   "dram_read_bytes", "dram_written_bytes",
    "l2_read_bytes",   "requested_bytes", "global_requests", "global_sectors",  "global_least",
    "shared_requests", "shared_passes",   "shared_least",    "warp_steps",      "races"};

Json row(const Measurement& m, const std::string& kernel) {
  const Traffic global = m.global(), shared = m.shared();
  return {m.operation,
          kernel,
          m.blocks,
          m.threads_of_block,
          m.dynamic_shared_bytes,
          m.idle_threads,
          m.read_bytes,
          m.written_bytes,
          sector_bytes * m.dram_read_sectors,
          sector_bytes * m.dram_written_sectors,
          sector_bytes * m.l2_read_sectors,
          global.bytes,
          global.requests,
          global.transactions,
          global.least,
          shared.requests,
          shared.transactions,
          shared.least,
          m.warp_steps,
          m.races.size()};
}

// A list with one element a line.
std::string lines(const std::vector<Json>& elements) {
  std::string text = "[";
  for (size_t i = 0; i < elements.size(); ++i) text += (i == 0 ? "\n  " : ",\n  ") + elements[i].dump();
  return text + "\n ]";
}

}  // namespace

std::string counts_json(const std::vector<Measurement>& measurements, const OtherCalls& other) {
  std::vector<uint64_t> kernels;
  for (const Measurement& m : measurements) kernels.push_back(m.kernel);
  auto sources = find_sources(kernels);
  std::vector<Json> launches, library;
  for (const Measurement& m : measurements) launches.push_back(row(m, sources[m.kernel].function));
  for (const LibraryCall& call : other.library) {
    library.push_back(
        {{"operation", call.operation}, {"shape", call.shape}, {"flops", call.flops}, {"bytes", call.bytes}});
  }
  Json calls = Json::object();
  for (const auto& [call, count] : other.calls) {
    calls[runtime_call_names[static_cast<int>(call)]] = {{"count", count}, {"bytes", other.bytes.at(call)}};
  }
  return "{\"columns\": " + columns.dump() + ",\n \"launches\": " + lines(launches) +
         ",\n \"library\": " + lines(library) + ",\n \"calls\": " + calls.dump() +
         fmt::format(",\n \"device_memory_bytes\": {}}}\n", device_memory_used());
}

}  // namespace emulated_cuda
