// The report of the meter. With METER=1 in the environment, a metered program prints it to stderr at exit: a table of
// its kernels, the lines with the most wasted traffic, and the races.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "kernels/device/emulated/meter.h"

namespace emulated_cuda {

std::vector<Launch> summed(const std::vector<Launch>& launches) {
  std::vector<Launch> result;
  for (const Launch& launch : launches) {
    const auto same = std::ranges::find_if(result, [&](const Launch& l) { return l.kernel == launch.kernel; });
    if (same == result.end()) {
      result.push_back(launch);
      continue;
    }
    Launch& l = *same;
    l.launches += launch.launches;
    l.blocks += launch.blocks;
    l.seconds += launch.seconds;
    for (int k = 0; k < kinds; ++k) l.traffic[k].add(launch.traffic[k]);
    for (auto [to, from] : {std::pair{&l.read_bytes, launch.read_bytes},
                            {&l.written_bytes, launch.written_bytes},
                            {&l.read_sectors, launch.read_sectors},
                            {&l.written_sectors, launch.written_sectors},
                            {&l.l2_read_sectors, launch.l2_read_sectors},
                            {&l.dram_read_sectors, launch.dram_read_sectors},
                            {&l.dram_written_sectors, launch.dram_written_sectors},
                            {&l.warp_steps, launch.warp_steps},
                            {&l.lane_steps, launch.lane_steps},
                            {&l.accesses, launch.accesses}}) {
      *to += from;
    }
    for (const auto& [at, site] : launch.sites) {
      Site& sum = l.sites[at];
      sum.add(site);
      sum.kind = site.kind;
      sum.size = site.size;
    }
    for (const Race& race : launch.races) {
      const auto known = std::ranges::find_if(l.races, [&](const Race& r) {
        return r.first_instruction == race.first_instruction && r.second_instruction == race.second_instruction;
      });
      if (known == l.races.end()) {
        l.races.push_back(race);
        continue;
      }
      known->bytes += race.bytes;
      known->harmless &= race.harmless;
    }
  }
  return result;
}

void print_report(const std::vector<Launch>& all, FILE* out, bool lines) {
  const std::vector<Launch> launches = summed(all);
  std::vector<uint64_t> addresses;
  for (const Launch& l : launches) {
    addresses.push_back(l.kernel);
    for (const auto& [at, site] : l.sites)
      addresses.push_back(at - 1);  // sites hold return addresses; the call is before
    for (const Race& r : l.races)
      addresses.insert(addresses.end(), {r.first_instruction - 1, r.second_instruction - 1});
  }
  std::ranges::sort(addresses);
  addresses.erase(std::ranges::unique(addresses).begin(), addresses.end());
  auto sources = find_sources(addresses);
  const auto name = [&](const Launch& l) {
    std::string n = sources[l.kernel].function;  // void a::b<float, 4>(float const*)
    int depth = 0;
    size_t end = n.size();
    for (size_t i = 0; i < n.size() && end == n.size(); ++i) {
      depth += n[i] == '<' ? 1 : n[i] == '>' ? -1 : 0;
      if (n[i] == '(' && depth == 0 && !n.substr(i).starts_with("(anonymous")) end = i;
    }
    n.resize(end);
    for (const char* noise : {"melgrad::kernel::cuda::", "(anonymous namespace)::", "melgrad::", "void "}) {
      for (size_t at; (at = n.find(noise)) != n.npos;) n.erase(at, std::strlen(noise));
    }
    return n;
  };
  const auto per = [](uint64_t a, uint64_t b) { return b ? static_cast<double>(a) / static_cast<double>(b) : 0.0; };
  const auto mb = [](uint64_t sectors) { return static_cast<double>(sectors) * 32e-6; };
  fmt::print(
      out,
      "{:46} {:>4} |{:>9}{:>6}{:>6} |{:>9}{:>6}{:>6} |{:>8}{:>8}{:>6} |{:>6} |{:>8}{:>8}{:>8}{:>8}{:>8} |{:>6}{:>5}\n",
      "kernel", "runs", "ld.req", "s/rq", "eff%", "st.req", "s/rq", "eff%", "sh.req", "passes", "x", "lanes", "asked",
      "L2rd", "DRAMrd", "uniq.rd", "uniq.wr", "sec", "race");
  for (const Launch& l : launches) {
    Traffic shared = l.traffic[shared_load], store = l.traffic[global_store];
    shared.add(l.traffic[shared_store]);
    shared.add(l.traffic[shared_atomic]);
    store.add(l.traffic[global_atomic]);
    const Traffic& load = l.traffic[global_load];
    fmt::print(out,
               "{:46} {:4} |{:9}{:6.2f}{:6.1f} |{:9}{:6.2f}{:6.1f} |{:8}{:8}{:6.2f} |{:6.1f} "
               "|{:8.2f}{:8.2f}{:8.2f}{:8.2f}{:8.2f} |{:6.2f}{:5}\n",
               name(l).substr(0, 46), l.launches, load.requests, per(load.units, load.requests),
               100 * per(load.least, load.units), store.requests, per(store.units, store.requests),
               100 * per(store.least, store.units), shared.requests, shared.units, per(shared.units, shared.least),
               per(l.lane_steps, l.warp_steps), static_cast<double>(load.bytes + store.bytes) * 1e-6,
               mb(l.l2_read_sectors), mb(l.dram_read_sectors), static_cast<double>(l.read_bytes) * 1e-6,
               static_cast<double>(l.written_bytes) * 1e-6, l.seconds, l.races.size());
  }
  static constexpr const char* names[] = {"load", "store", "atomic", "shared load", "shared store", "shared atomic"};
  if (const char* file = std::getenv("METER_SITES")) {  // to compare with the instructions that nvcc generates
    FILE* const table = std::fopen(file, "a");
    for (const Launch& l : launches) {
      for (const auto& [at, site] : l.sites) {
        fmt::print(table, "{}\t{}\t{}\t{}\t{}\t{}\n", name(l), names[site.kind], site.size, site.requests, site.units,
                   sources[at - 1].lines);
      }
    }
    std::fclose(table);
  }
  for (const Launch& l : launches) {
    if (lines) {
      std::vector<std::pair<uint64_t, const Site*>> wasteful;
      for (const auto& [at, site] : l.sites) {
        if (site.units > site.least * 1.05 && site.units - site.least > 8) wasteful.push_back({at, &site});
      }
      std::ranges::sort(wasteful, [](auto& a, auto& b) {
        return a.second->units - a.second->least > b.second->units - b.second->least;
      });
      if (wasteful.size() > 4) wasteful.resize(4);
      for (const auto& [at, site] : wasteful) {
        const bool shared = site->kind >= shared_load;
        fmt::print(
            out, "{}: {} of {} bytes per lane: {:.2f} {}/request instead of {:.2f}, {:.2f} MB wasted\n    at {}\n",
            name(l), names[site->kind], site->size, per(site->units, site->requests), shared ? "passes" : "sectors",
            per(site->least, site->requests), shared ? 0 : mb(site->units - site->least), sources[at - 1].lines);
      }
    }
    for (const Race& r : l.races) {
      fmt::print(out,
                 "{} in {} on {} ({} bytes): {} by thread {} of block {}\n    at {}\n  and {} by thread {} of block "
                 "{}\n    at {}\n",
                 r.harmless ? "RACE (of equal values)" : "RACE", name(l), r.memory, r.bytes, r.first, r.first_thread,
                 r.first_block, sources[r.first_instruction - 1].lines, r.second, r.second_thread, r.second_block,
                 sources[r.second_instruction - 1].lines);
    }
  }
}

namespace {

// Sums per kernel, because a training run has millions of launches.
const bool wanted = [] {
  if (!std::getenv("METER")) return false;
  measure(true);
  std::atexit([] {
    measure(false);
    print_report(take_launches(), stderr, true);
  });
  return true;
}();

}  // namespace
}  // namespace emulated_cuda
