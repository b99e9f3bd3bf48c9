#include "kernels/device/emulated/meter/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/device/emulated/meter/sector_cache.h"

namespace emulated_cuda {
namespace {

double per(uint64_t a, uint64_t b) { return b ? static_cast<double>(a) / static_cast<double>(b) : 0; }
double megabytes(uint64_t bytes) { return static_cast<double>(bytes) * 1e-6; }

std::string kernel_row(const Measurement& m, const std::string& name) {
  Traffic store = m.of(AccessKind::global_store);
  store.add(m.of(AccessKind::global_atomic));
  const Traffic &load = m.of(AccessKind::global_load), shared = m.shared();
  return fmt::format(
      "{:46} {:4} {:9}{:7.2f}{:6.1f} {:9}{:7.2f}{:6.1f} {:9}{:7.2f} {:6.1f}{:6.1f} {:8.2f}{:8.2f}{:8.2f}{:8.2f} {:5}\n",
      name.substr(0, 46), m.launches, load.requests, per(load.transactions, load.requests),
      100 * per(load.least, load.transactions), store.requests, per(store.transactions, store.requests),
      100 * per(store.least, store.transactions), shared.requests, per(shared.transactions, shared.least),
      per(m.lane_steps, m.warp_steps), 100 * per(m.idle_threads, m.blocks * m.threads_of_block),
      megabytes(load.bytes + store.bytes), megabytes(sector_bytes * m.l2_read_sectors), megabytes(m.read_bytes),
      megabytes(m.written_bytes), m.races.size());
}

}  // namespace

std::string kernel_table(const std::vector<Measurement>& all) {
  const auto measurements = summed(all);
  std::vector<uint64_t> kernels;
  for (const Measurement& m : measurements) kernels.push_back(m.kernel);
  auto sources = find_sources(kernels);
  std::string table = fmt::format(
      "{:46} {:>4} {:>22} {:>22} {:>16} {:>12} {:>32} {:>5}\n"
      "{:46} {:>4} {:>9}{:>7}{:>6} {:>9}{:>7}{:>6} {:>9}{:>7} {:>6}{:>6} {:>8}{:>8}{:>8}{:>8} {:>5}\n",
      "", "", "loads", "stores and atomics", "shared memory", "threads", "MB", "", "kernel", "runs", "requests",
      "sect/r", "eff%", "requests", "sect/r", "eff%", "requests", "passes", "lanes", "idle%", "asked", "L2 read",
      "read", "written", "races");
  for (const Measurement& m : measurements) table += kernel_row(m, sources[m.kernel].function);
  return table;
}

std::string wasteful_lines(const std::vector<Measurement>& all) {
  constexpr double tolerated = 1.05;
  constexpr uint64_t negligible = 8;
  constexpr size_t most_lines = 4;
  const auto measurements = summed(all);
  auto sources = find_sources(measurements);
  std::string text;
  for (const Measurement& m : measurements) {
    std::vector<std::pair<uint64_t, Site>> wasteful;
    for (const auto& [instruction, site] : m.sites) {
      const auto least = static_cast<double>(site.least);
      if (static_cast<double>(site.transactions) > least * tolerated && site.transactions - site.least > negligible) {
        wasteful.push_back({instruction, site});
      }
    }
    std::ranges::sort(wasteful, std::ranges::greater{},
                      [](const auto& entry) { return entry.second.transactions - entry.second.least; });
    if (wasteful.size() > most_lines) wasteful.resize(most_lines);
    for (const auto& [instruction, site] : wasteful) {
      text += fmt::format("{}: {} of {} bytes per lane: {:.2f} {} per request instead of {:.2f}, at {}\n",
                          sources[m.kernel].function, name_of(site.kind), site.bytes_per_lane,
                          per(site.transactions, site.requests), is_shared(site.kind) ? "passes" : "sectors",
                          per(site.least, site.requests), sources[call_before(instruction)].lines);
    }
  }
  return text;
}

std::string describe(const Race& race, const std::string& kernel, const std::map<uint64_t, Source>& sources) {
  const auto lines = [&](uint64_t instruction) {
    const auto source = sources.find(call_before(instruction));
    return source == sources.end() ? std::string() : source->second.lines;
  };
  return fmt::format(
      "{}race in {} on {} ({} bytes): {} by thread {} of block {} at {}; {} by thread {} of block {} at {}",
      race.harmless ? "harmless " : "", kernel, race.memory, race.bytes, race.first, race.first_thread,
      race.first_block, lines(race.first_instruction), race.second, race.second_thread, race.second_block,
      lines(race.second_instruction));
}

std::string describe_races(const std::vector<Measurement>& all, bool with_harmless) {
  std::vector<Measurement> racing;
  for (const Measurement& m : all) {
    if (!m.races.empty()) racing.push_back(m);
  }
  if (racing.empty()) return "";
  racing = summed(racing);
  auto sources = find_sources(racing);
  std::string text;
  for (const Measurement& m : racing) {
    for (const Race& race : m.races) {
      if (with_harmless || !race.harmless) text += describe(race, sources[m.kernel].function, sources) + "\n";
    }
  }
  return text;
}

}  // namespace emulated_cuda
