#include "kernels/device/emulated/meter/race_finder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace emulated_cuda {

void RaceFinder::begin_grid(uint32_t threads_of_block) {
  block_of_epoch_.assign(1, 0);
  epoch_ = 0;
  clocks_.assign(threads_of_block, {});
  released_.clear();
  races_.clear();
  writes_.clear();
}

void RaceFinder::argument(int position, const void* pointer) {
  if (position == 1) arguments_.clear();
  arguments_.push_back({reinterpret_cast<uintptr_t>(pointer), position});
}

void RaceFinder::begin_block(uint64_t index) {
  block_ = index;
  orderings_.clear();
  acquired_by_block_.clear();
  begin_epoch();
  first_epoch_ = epoch_;
}

void RaceFinder::begin_epoch() {
  ++epoch_;
  block_of_epoch_.push_back(block_);
  for (uint32_t thread = 0; thread < clocks_.size(); ++thread) {
    clocks_[thread] = {};
    clocks_[thread][thread % lanes] = 1;
  }
}

void RaceFinder::synchronize_block() {
  for (auto& [thread, ordering] : orderings_) {
    acquired_by_block_.insert(acquired_by_block_.end(), ordering.acquired.begin(), ordering.acquired.end());
    ordering.acquired.clear();
  }
  begin_epoch();
}

void RaceFinder::synchronize_warp(uint32_t warp, uint32_t mask) {
  std::array<uint16_t, lanes> joint{};
  const auto for_each_lane = [&](auto body) {
    for (uint32_t lane = 0; lane < lanes; ++lane) {
      if (mask >> lane & 1) body(lane, clocks_[warp * lanes + lane]);
    }
  };
  for_each_lane([&](uint32_t, const auto& clock) {
    for (uint32_t lane = 0; lane < lanes; ++lane) joint[lane] = std::max(joint[lane], clock[lane]);
  });
  for_each_lane([&](uint32_t lane, auto& clock) {
    clock = joint;
    ++clock[lane];
  });
}

void RaceFinder::fence(uint32_t thread) {
  Ordering& ordering = orderings_[thread];
  ordering.acquired.insert(ordering.acquired.end(), ordering.pending.begin(), ordering.pending.end());
  ordering.pending.clear();
  ordering.release = {.first_epoch = first_epoch_, .end_epoch = epoch_, .own_epoch = epoch_, .thread = thread};
  ordering.has_fenced = true;
}

void RaceFinder::atomic(const void* address, uint32_t thread) {
  Ordering& ordering = orderings_[thread];
  std::vector<Release>& releases = released_[address];
  ordering.pending.push_back({&releases, releases.size()});
  if (ordering.has_fenced) releases.push_back(ordering.release);
}

bool RaceFinder::Acquired::contains(Stamp stamp) const {
  // Blocks run one after another, so the releases are in the order of their epochs.
  const auto end = releases->begin() + static_cast<std::ptrdiff_t>(count);
  auto next = std::upper_bound(releases->begin(), end, stamp.epoch,
                               [](uint32_t epoch, const Release& release) { return epoch < release.first_epoch; });
  while (next != releases->begin()) {
    const Release& release = *--next;
    if (stamp.epoch < release.end_epoch) return true;
    if (stamp.epoch == release.own_epoch && stamp.thread == release.thread) return true;
    if (next == releases->begin() || std::prev(next)->first_epoch != release.first_epoch) return false;
  }
  return false;
}

// True if the stamped access is ordered before the present access of the thread.
bool RaceFinder::is_past(Stamp stamp, uint32_t thread) const {
  if (stamp.is_empty()) return true;
  if (stamp.epoch == epoch_) {
    if (stamp.thread == thread) return true;
    return stamp.thread / lanes == thread / lanes && clocks_[thread][stamp.thread % lanes] >= stamp.clock;
  }
  if (stamp.epoch >= first_epoch_) return true;
  const auto ordered = [&](const Acquired& acquired) { return acquired.contains(stamp); };
  if (std::ranges::any_of(acquired_by_block_, ordered)) return true;
  const auto own = orderings_.find(thread);
  return own != orderings_.end() && std::ranges::any_of(own->second.acquired, ordered);
}

void RaceFinder::access(const MemoryAccess& access) {
  constexpr uint64_t largest_clock = 511;
  const Stamp now{epoch_, access.thread,
                  std::min<uint64_t>(largest_clock, clocks_[access.thread][access.thread % lanes]), access.atomic,
                  access.site};
  for (uint32_t at = access.offset, end = at + access.bytes; at < end;) {
    const uint32_t begin_in_page = at % Page::bytes, end_in_page = std::min(Page::bytes, begin_in_page + (end - at));
    Page& page = access.region.pages[at / Page::bytes];
    page.fit(begin_in_page, end_in_page);
    for (uint32_t cell = begin_in_page / page.granule; cell < end_in_page / page.granule; ++cell) {
      visit(page.cells[cell], at - begin_in_page + cell * page.granule, page.granule, now, access);
    }
    at += end_in_page - begin_in_page;
  }
}

void RaceFinder::visit(Cell& cell, uint32_t offset, uint32_t bytes, Stamp now, const MemoryAccess& access) {
  const auto meet = [&](Stamp before, const char* what) {
    if (!is_past(before, access.thread)) report(access, offset, bytes, before, what, now);
  };
  if (!(access.atomic && cell.writer.atomic)) meet(cell.writer, cell.writer.atomic ? "atomic" : "write");
  if (access.write) {
    meet(cell.reader[0], "read");
    meet(cell.reader[1], "read");
    cell.writer = now;
  } else if (is_past(cell.reader[0], access.thread)) {
    cell.reader[0] = now;
  } else if (is_past(cell.reader[1], access.thread) || cell.reader[1].epoch < first_epoch_) {
    cell.reader[1] = now;
  }
}

void RaceFinder::report(const MemoryAccess& access, uint32_t offset, uint32_t bytes, Stamp before, const char* what,
                        Stamp now) {
  const auto [entry, is_new] = races_.try_emplace(uint64_t{before.site} << 12 | now.site);
  Race& race = entry->second;
  if (is_new) {
    race = {.memory = describe(access.region, offset),
            .first_instruction = sites_.instruction(before.site),
            .second_instruction = sites_.instruction(now.site),
            .first = what,
            .second = access.atomic  ? "atomic"
                      : access.write ? "write"
                                     : "read",
            .first_block = block_of_epoch_[before.epoch],
            .second_block = block_,
            .first_thread = static_cast<uint32_t>(before.thread),
            .second_thread = access.thread};
  }
  race.bytes += bytes;
  if (access.write && *what == 'w') {
    const char* const memory = reinterpret_cast<const char*>(access.region.begin + offset);
    stores_.read_latest(memory, bytes, writes_.emplace_back(Write{&race, memory, bytes, {}}).before);
  } else {
    race.harmless = false;
  }
}

std::string RaceFinder::describe(const Region& region, uint32_t offset) const {
  if (region.shared) return fmt::format("shared '{}' + {}", region.shared, offset);
  uintptr_t base = region.begin;
  std::string name = fmt::format("a device block of {} bytes", region.end - region.begin);
  for (const auto& [pointer, position] : arguments_) {
    if (pointer < base || pointer > region.begin + offset) continue;
    base = pointer;
    name = fmt::format("argument {}", position);
  }
  return fmt::format("{} + {}", name, region.begin + offset - base);
}

// A race of two writes is harmless only if the second did not change the bytes.
void RaceFinder::settle() {
  for (const Write& write : writes_) {
    if (std::memcmp(write.memory, write.before, write.bytes) != 0) write.race->harmless = false;
  }
  writes_.clear();
}

std::vector<Race> RaceFinder::take_races() {
  settle();
  std::vector<Race> races;
  for (const auto& [sites, race] : races_) races.push_back(race);
  return races;
}

}  // namespace emulated_cuda
