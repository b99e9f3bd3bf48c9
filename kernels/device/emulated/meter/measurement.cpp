#include "kernels/device/emulated/meter/measurement.h"

#include <algorithm>

namespace emulated_cuda {
namespace {

void merge(std::vector<Race>& races, const Race& race) {
  const auto known = std::ranges::find_if(races, [&](const Race& r) {
    return r.first_instruction == race.first_instruction && r.second_instruction == race.second_instruction;
  });
  if (known == races.end()) {
    races.push_back(race);
  } else {
    known->bytes += race.bytes;
    known->harmless &= race.harmless;
  }
}

}  // namespace

const char* name_of(AccessKind kind) {
  static constexpr const char* names[] = {"load", "store", "atomic", "shared load", "shared store", "shared atomic"};
  return names[static_cast<int>(kind)];
}

void Traffic::add(const Traffic& other) {
  requests += other.requests;
  transactions += other.transactions;
  least += other.least;
  bytes += other.bytes;
}

Traffic Measurement::global() const {
  Traffic sum;
  for (int kind = 0; kind < access_kinds; ++kind) {
    if (!is_shared(static_cast<AccessKind>(kind))) sum.add(traffic[kind]);
  }
  return sum;
}

Traffic Measurement::shared() const {
  Traffic sum;
  for (int kind = 0; kind < access_kinds; ++kind) {
    if (is_shared(static_cast<AccessKind>(kind))) sum.add(traffic[kind]);
  }
  return sum;
}

void Measurement::add(const Measurement& other) {
  static constexpr uint64_t Measurement::*sums[] = {&Measurement::launches,
                                                    &Measurement::blocks,
                                                    &Measurement::idle_threads,
                                                    &Measurement::read_bytes,
                                                    &Measurement::written_bytes,
                                                    &Measurement::read_sectors,
                                                    &Measurement::written_sectors,
                                                    &Measurement::l2_read_sectors,
                                                    &Measurement::dram_read_sectors,
                                                    &Measurement::warp_steps,
                                                    &Measurement::dram_written_sectors,
                                                    &Measurement::lane_steps};
  for (const auto sum : sums) this->*sum += other.*sum;
  static_shared_bytes = std::max(static_shared_bytes, other.static_shared_bytes);
  dynamic_shared_bytes = std::max(dynamic_shared_bytes, other.dynamic_shared_bytes);
  for (int kind = 0; kind < access_kinds; ++kind) traffic[kind].add(other.traffic[kind]);
  for (const auto& [instruction, site] : other.sites) {
    Site& sum = sites[instruction];
    sum.add(site);
    sum.kind = site.kind;
    sum.bytes_per_lane = site.bytes_per_lane;
  }
  for (const Race& race : other.races) merge(races, race);
}

std::vector<Measurement> summed(const std::vector<Measurement>& measurements) {
  std::vector<Measurement> result;
  for (const Measurement& measurement : measurements) {
    const auto same = std::ranges::find_if(result, [&](const Measurement& m) {
      return m.kernel == measurement.kernel && m.operation == measurement.operation;
    });
    if (same == result.end()) {
      result.push_back(measurement);
    } else {
      same->add(measurement);
    }
  }
  return result;
}

}  // namespace emulated_cuda
