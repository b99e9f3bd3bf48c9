// The emulated device runs one lane after another between two synchronisations. The meter records the accesses and
// basic blocks of each lane. When all lanes of a warp have paused, it merges the records into the instructions of the
// warp: the unfinished lanes at the lowest instruction address execute next, together. Code is laid out in the order of
// the source, so lanes that left a branch or a loop early wait behind it for the others, as on a GPU (S. Collange,
// "Stack-less SIMT reconvergence at low cost", 2011).
//
// Races are found by happens-before analysis: every byte has a stamp (epoch, thread, clock) of its last writer and of
// two readers.
#include "kernels/device/emulated/meter.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <utility>

#include "kernels/device/emulated/device_memory.h"
#include "kernels/device/emulated/observer.h"

extern "C" const char __executable_start;  // start address of the program

namespace emulated_cuda {

void Traffic::add(const Traffic& other) {
  requests += other.requests;
  units += other.units;
  least += other.least;
  bytes += other.bytes;
}

namespace {

constexpr uint32_t lanes = 32, sector = 32;

uint64_t environment(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value ? std::strtoull(value, nullptr, 10) : otherwise;
}

// A 16-way cache of 128-byte lines, filled by sectors, that replaces the least recently used line.
class Cache {
 public:
  explicit Cache(uint64_t bytes)
      : sets_(std::bit_floor(std::max<uint64_t>(1, bytes / 128 / ways))), lines_(sets_ * ways) {}
  void clear() { ++age_; }
  // Loads the sector. Returns true if it was present. Adds the sectors that were written back.
  bool access(uint64_t number, bool write, uint64_t& written_back) {
    const uint64_t tag = number / 4;
    const auto bit = static_cast<uint8_t>(1 << number % 4);
    Line* const set = &lines_[(tag ^ tag / sets_) % sets_ * ways];
    Line* line = set;
    for (Line* l = set; l < set + ways; ++l) {
      if (l->age == age_ && l->tag == tag) {
        line = l;
        break;
      }
      if (l->age != age_ || (line->age == age_ && l->used < line->used)) line = l;
    }
    if (line->age != age_ || line->tag != tag) {
      if (line->age == age_) written_back += static_cast<uint64_t>(std::popcount(line->dirty));
      *line = {.tag = tag, .age = age_};
    }
    line->used = ++clock_;
    const bool held = line->held & bit;
    line->held |= bit;
    if (write) line->dirty |= bit;
    return held;
  }
  uint64_t dirty() const {
    uint64_t result = 0;
    for (const Line& line : lines_) result += line.age == age_ ? static_cast<uint64_t>(std::popcount(line.dirty)) : 0;
    return result;
  }

 private:
  static constexpr uint64_t ways = 16;
  struct Line {
    uint64_t tag = 0, used = 0;
    uint32_t age = 0;
    uint8_t held = 0, dirty = 0;
  };
  uint64_t sets_, clock_ = 0;
  uint32_t age_ = 1;
  std::vector<Line> lines_;
};

// The access that last touched some bytes, in 64 bits. Epoch 0: none.
struct Stamp {
  uint64_t epoch : 32, thread : 10, clock : 9, atomic : 1, site : 12;
  bool nobody() const { return epoch == 0; }
};
struct Cell {
  Stamp writer, reader[2];
};

// The stamps of 256 bytes, in cells of 1 to 16 bytes: the size of the smallest access to the page.
struct Page {
  static constexpr uint32_t bytes = 256;
  uint32_t granule = 0;  // 0: untouched
  std::unique_ptr<Cell[]> cells;

  void refine(uint32_t wanted) {
    if (granule == 0) {
      cells.reset(new Cell[bytes / wanted]());
    } else {
      std::unique_ptr<Cell[]> finer(new Cell[bytes / wanted]);
      for (uint32_t i = 0; i < bytes / wanted; ++i) finer[i] = cells[i * wanted / granule];
      cells = std::move(finer);
    }
    granule = wanted;
  }
};

struct Region {
  uintptr_t begin, end;
  const char* shared;  // name of a shared array, or null for device memory
  std::vector<Page> pages;

  Region(uintptr_t b, uintptr_t e, const char* name)
      : begin(b), end(e), shared(name), pages((e - b) / Page::bytes + 1) {}
};

struct Note {
  uint64_t address;
  uint32_t instruction;  // offset from the start of the program
  uint16_t size;
  uint8_t kind;
};

thread_local bool launching = false;  // other host threads may run instrumented code at the same time

class Meter final : public Observer {
 public:
  std::vector<Launch> launches;

  void begin_grid(const char* name, const void* kernel, uint32_t threads) override {
    launch_ = {.operation = name, .kernel = offset(kernel), .blocks = 0, .threads_of_block = threads};
    device_.clear();
    for (const auto& [begin, end] : usable_device_memory()) device_.emplace_back(begin, end, nullptr);
    epochs_.assign(1, 0);
    epoch_ = 0;
    sites_.assign(site_slots, {});
    races_.clear();
    overwritten_.clear();
    for (auto& notes : notes_) notes.clear();
    clocks_.assign(threads, {});
    if (!warm_) l2_.clear();
    start_ = std::clock();
    launching = true;
  }
  void argument(int position, const void* pointer) override {
    if (position == 1) arguments_.clear();
    arguments_.push_back({reinterpret_cast<uintptr_t>(pointer), position});
  }
  void begin_block(uint64_t index) override {
    ++launch_.blocks;
    block_ = index;
    shared_.clear();
    l1_.clear();
    begin_epoch();
    first_epoch_ = epoch_;
  }
  void declare_shared(const char* name, const void* begin, size_t bytes) override {
    const auto address = reinterpret_cast<uintptr_t>(begin);
    shared_.emplace_back(address, address + bytes, name);
  }
  void resume(uint32_t thread) override { thread_ = thread; }
  void block_synchronized() override { begin_epoch(); }
  void warp_synchronized(uint32_t warp, uint32_t mask) override {
    std::array<uint16_t, lanes> joint{};
    const auto each = [&](auto body) {
      for (uint32_t l = 0; l < lanes; ++l) {
        if (mask >> l & 1) body(l, clocks_[warp * lanes + l]);
      }
    };
    each([&](uint32_t, auto& clock) {
      for (uint32_t l = 0; l < lanes; ++l) joint[l] = std::max(joint[l], clock[l]);
    });
    each([&](uint32_t l, auto& clock) {
      clock = joint;
      ++clock[l];
    });
  }
  void atomic(const void* address, size_t bytes, const void* instruction) override {
    if (launching) access(reinterpret_cast<uintptr_t>(address), static_cast<uint32_t>(bytes), true, true, instruction);
  }
  void end_grid() override {
    launching = false;
    launch_.seconds = static_cast<double>(std::clock() - start_) / CLOCKS_PER_SEC;
    for (const Region& region : device_) count_footprint(region);
    if (!warm_) launch_.dram_written_sectors += l2_.dirty();
    for (const auto& [instruction, site] : sites_) {
      if (site.requests == 0) continue;
      launch_.traffic[site.kind].add(site);
      launch_.sites[instruction] = site;
    }
    settle();
    for (const auto& [pair, race] : races_) launch_.races.push_back(race);
    launches.push_back(std::move(launch_));
    if (launches.size() > 100) launches = summed(launches);
    device_.clear();
  }

  // The running lane entered a basic block.
  void step(const void* instruction) {
    settle();
    notes_[thread_ % lanes].push_back({0, offset(instruction), 0, Kind::block});
  }

  void access(uintptr_t address, uint32_t size, bool write, bool is_atomic, const void* instruction) {
    Region* const region = find(address);
    if (!region) return;  // the stack (registers on a GPU), constants, or memory of the emulated device
    settle();
    ++launch_.accesses;
    const int kind = (region->shared ? shared_load : global_load) + (is_atomic ? 2 : write ? 1 : 0);
    const uint32_t at = offset(instruction);
    notes_[thread_ % lanes].push_back({address, at, static_cast<uint16_t>(size), static_cast<uint8_t>(kind)});
    if (check_races_) stamp(*region, address, size, write, is_atomic, at);
  }

  // All lanes of a warp have paused: merges their records.
  void warp_paused() override {
    settle();
    uint32_t at[lanes] = {}, live[lanes], count = 0;
    for (uint32_t l = 0; l < lanes; ++l) {
      if (!notes_[l].empty()) live[count++] = l;
    }
    while (count > 0) {
      uint32_t lowest = UINT32_MAX;
      for (uint32_t i = 0; i < count; ++i) lowest = std::min(lowest, notes_[live[i]][at[live[i]]].instruction);
      const Note* together[lanes];
      uint32_t n = 0, left = 0;
      for (uint32_t i = 0; i < count; ++i) {
        const uint32_t l = live[i];
        const Note& note = notes_[l][at[l]];
        if (note.instruction == lowest) together[n++] = &note, ++at[l];
        if (at[l] < notes_[l].size()) live[left++] = l;
      }
      count = left;
      request(together, n);
    }
    for (auto& notes : notes_) notes.clear();
  }

 private:
  static constexpr uint32_t site_slots = 4096;

  static uint32_t offset(const void* instruction) {
    return static_cast<uint32_t>(static_cast<const char*>(instruction) - &__executable_start);
  }

  void begin_epoch() {
    ++epoch_;
    epochs_.push_back(block_);
    for (uint32_t t = 0; t < clocks_.size(); ++t) {
      clocks_[t] = {};
      clocks_[t][t % lanes] = 1;
    }
  }

  Region* find(uintptr_t address) {
    for (Region& region : shared_) {
      if (address - region.begin < region.end - region.begin) return &region;
    }
    if (last_ < device_.size() && address - device_[last_].begin < device_[last_].end - device_[last_].begin) {
      return &device_[last_];
    }
    auto next = std::ranges::upper_bound(device_, address, {}, &Region::begin);
    if (next == device_.begin() || address >= (--next)->end) return nullptr;
    last_ = static_cast<size_t>(next - device_.begin());
    return &*next;
  }

  uint32_t site_of(uint32_t instruction) {
    uint32_t slot = instruction * 2654435769u >> 20;
    while (sites_[slot].first != instruction && sites_[slot].first != 0) slot = (slot + 1) % site_slots;
    sites_[slot].first = instruction;
    return slot;
  }

  void request(const Note* const* notes, uint32_t n) {
    if (notes[0]->kind == Kind::block) {
      ++launch_.warp_steps;
      launch_.lane_steps += n;
      return;
    }
    Site& site = sites_[site_of(notes[0]->instruction)].second;
    for (uint32_t begin = 0, end; begin < n; begin = end) {  // one instruction may access both memories
      for (end = begin + 1; end < n && notes[end]->kind == notes[begin]->kind;) ++end;
      const auto kind = static_cast<Kind>(notes[begin]->kind);
      site.kind = kind;
      site.size = notes[begin]->size;
      ++site.requests;
      site.bytes += uint64_t{site.size} * (end - begin);
      kind >= shared_load ? pass(notes + begin, end - begin, site) : coalesce(notes + begin, end - begin, kind, site);
    }
  }

  void coalesce(const Note* const* notes, uint32_t n, Kind kind, Site& site) {
    uint64_t touched[2 * lanes];
    uint32_t mask[2 * lanes], count = 0, bytes = 0;
    for (uint32_t i = 0; i < n; ++i) {
      for (uint64_t a = notes[i]->address, end = a + notes[i]->size; a < end;) {
        const uint64_t number = a / sector, stop = std::min(end, (number + 1) * sector);
        const auto wanted = static_cast<uint32_t>(((uint64_t{1} << (stop - a)) - 1) << a % sector);
        uint32_t k = count;
        while (k > 0 && touched[k - 1] != number) --k;
        if (k == 0) touched[count] = number, mask[count] = 0, k = ++count;
        mask[k - 1] |= wanted;
        a = stop;
      }
    }
    for (uint32_t k = 0; k < count; ++k) {
      bytes += static_cast<uint32_t>(std::popcount(mask[k]));
      uint64_t none = 0;
      const bool write = kind != global_load;
      if (!write && l1_.access(touched[k], false, none)) continue;
      if (!write) ++launch_.l2_read_sectors;
      const bool held = l2_.access(touched[k], write, launch_.dram_written_sectors);
      if (!write && !held) ++launch_.dram_read_sectors;
    }
    site.units += count;
    site.least += (bytes + sector - 1) / sector;
  }

  // 32 banks of 4 bytes; lanes that access the same word share it. Accesses of 8 and 16 bytes are processed by half and
  // quarter warps.
  void pass(const Note* const* notes, uint32_t n, Site& site) {
    const uint32_t words = std::max(1u, site.size / 4u), lanes_of_pass = lanes / std::min(4u, std::bit_ceil(words));
    for (uint32_t begin = 0; begin < n; begin += lanes_of_pass) {
      uint64_t wanted[lanes][lanes];
      uint32_t count[lanes] = {}, most = 1;
      for (uint32_t i = begin; i < std::min(n, begin + lanes_of_pass); ++i) {
        for (uint32_t w = 0; w < words; ++w) {
          const uint64_t word = notes[i]->address / 4 + w;
          uint32_t& held = count[word % lanes];
          uint64_t* const bank = wanted[word % lanes];
          if (site.kind != shared_atomic && std::find(bank, bank + held, word) != bank + held) continue;
          bank[held++] = word;
          most = std::max(most, held);
        }
      }
      site.units += most;
      ++site.least;
    }
  }

  // True if the stamped access is ordered before the present access of the running thread.
  bool is_past(Stamp s) const {
    if (s.epoch != epoch_) return s.epoch >= first_epoch_ || s.nobody();
    if (s.thread == thread_) return true;
    return s.thread / lanes == thread_ / lanes && clocks_[thread_][s.thread % lanes] >= s.clock;
  }

  void stamp(Region& region, uintptr_t address, uint32_t size, bool write, bool is_atomic, uint32_t instruction) {
    const Stamp now{epoch_, thread_, std::min<uint64_t>(511, clocks_[thread_][thread_ % lanes]), is_atomic,
                    site_of(instruction)};
    const auto begin = static_cast<uint32_t>(address - region.begin), end = begin + size;
    for (uint32_t a = begin; a < end;) {
      Page& page = region.pages[a / Page::bytes];
      const uint32_t in_page = a % Page::bytes, stop = std::min(Page::bytes, in_page + (end - a));
      const uint32_t fits = 1u << std::countr_zero(in_page | stop | 16u);
      if (page.granule == 0 || page.granule > fits) page.refine(fits);
      for (uint32_t c = in_page / page.granule; c < stop / page.granule; ++c) {
        Cell& cell = page.cells[c];
        const auto meet = [&](Stamp before, const char* what) {
          if (!is_past(before)) report(region, a - in_page + c * page.granule, page.granule, before, what, now, write);
        };
        if (!(is_atomic && cell.writer.atomic)) meet(cell.writer, cell.writer.atomic ? "atomic" : "write");
        if (write) {
          meet(cell.reader[0], "read");
          meet(cell.reader[1], "read");
          cell.writer = now;
          if (is_atomic) continue;
        } else if (is_past(cell.reader[0])) {
          cell.reader[0] = now;
        } else if (is_past(cell.reader[1]) || cell.reader[1].epoch < first_epoch_) {
          cell.reader[1] = now;
        }
      }
      a += stop - in_page;
    }
  }

  void report(const Region& region, uint32_t at, uint32_t bytes, Stamp before, const char* what, Stamp now,
              bool write) {
    const auto [entry, is_new] = races_.try_emplace(uint64_t{before.site} << 12 | now.site);
    Race& race = entry->second;
    race.bytes += bytes;
    if (write && *what == 'w') {
      overwritten_.push_back({&race, reinterpret_cast<const char*>(region.begin + at), bytes, {}});
      std::memcpy(overwritten_.back().old, overwritten_.back().memory, bytes);
    } else {
      race.harmless = false;
    }
    if (!is_new) return;
    std::string memory = fmt::format("shared '{}' + {}", region.shared ? region.shared : "", at);
    if (!region.shared) {
      uintptr_t base = region.begin;
      std::string name = fmt::format("a device block of {} bytes", region.end - region.begin);
      for (const auto& [pointer, position] : arguments_) {
        if (pointer < base || pointer > region.begin + at) continue;
        base = pointer;
        name = fmt::format("argument {}", position);
      }
      memory = fmt::format("{} + {}", name, region.begin + at - base);
    }
    race = {.memory = memory,
            .first_instruction = sites_[before.site].first,
            .second_instruction = sites_[now.site].first,
            .first = what,
            .second = now.atomic ? "atomic"
                      : write    ? "write"
                                 : "read",
            .first_block = epochs_[before.epoch],
            .second_block = block_,
            .first_thread = static_cast<uint32_t>(before.thread),
            .second_thread = thread_,
            .bytes = race.bytes,
            .harmless = race.harmless};
  }

  // The announced store is now done: a race is harmless only if the store did not change the bytes.
  void settle() {
    for (const auto& [race, memory, bytes, old] : overwritten_) {
      if (std::memcmp(memory, old, bytes) != 0) race->harmless = false;
    }
    overwritten_.clear();
  }

  void count_footprint(const Region& region) {
    for (const Page& page : region.pages) {
      if (page.granule == 0) continue;
      uint32_t read = 0, written = 0;
      for (uint32_t at = 0; at < Page::bytes; at += page.granule) {
        const Cell& cell = page.cells[at / page.granule];
        if (!cell.reader[0].nobody()) launch_.read_bytes += page.granule, read |= 1u << at / sector;
        if (!cell.writer.nobody()) launch_.written_bytes += page.granule, written |= 1u << at / sector;
      }
      launch_.read_sectors += static_cast<uint64_t>(std::popcount(read));
      launch_.written_sectors += static_cast<uint64_t>(std::popcount(written));
    }
  }

  const bool warm_ = environment("METER_WARM", 0), check_races_ = environment("METER_RACES", 1);
  Cache l1_{environment("METER_L1_KB", 32) << 10}, l2_{environment("METER_L2_KB", 50 << 10) << 10};
  Launch launch_{};
  std::vector<std::pair<uintptr_t, int>> arguments_;
  std::vector<Region> device_, shared_;
  size_t last_ = 0;
  std::vector<Note> notes_[lanes];
  std::vector<std::pair<uint32_t, Site>> sites_;  // hash table by instruction
  struct Overwritten {
    Race* race;
    const char* memory;
    uint32_t bytes;
    char old[16];
  };
  std::vector<Overwritten> overwritten_;             // by the present store of the running thread
  std::map<uint64_t, Race> races_;                   // by the two instructions
  std::vector<std::array<uint16_t, lanes>> clocks_;  // vector clock of every thread over its warp
  std::vector<uint64_t> epochs_;                     // block of every epoch
  uint32_t epoch_ = 0, first_epoch_ = 0, thread_ = 0;
  uint64_t block_ = 0;
  std::clock_t start_ = 0;
};

Meter& meter() {
  static auto& value = *new Meter;
  return value;
}

[[gnu::always_inline]] inline void note(const void* address, uint32_t size, bool write, const void* instruction) {
  if (launching) meter().access(reinterpret_cast<uintptr_t>(address), size, write, false, instruction);
}

// Structs that GCC does not treat as one access, because of their size or alignment, are copied in pieces. The
// alignment is unknown here, but structs of up to 16 bytes are aligned to less than 8.
void note_range(const void* address, size_t size, bool write, const void* instruction) {
  if (!launching) return;
  size_t piece = std::min<size_t>(size <= 16 ? 4 : 8, size & -size);
  if (piece == size) piece /= 2;
  for (size_t at = 0; at < size; at += piece) {
    note(static_cast<const char*>(address) + at, static_cast<uint32_t>(piece), write,
         static_cast<const char*>(instruction) + at / piece);
  }
}

}  // namespace

void measure(bool on) { observer = on ? &meter() : nullptr; }
std::vector<Launch> take_launches() { return std::exchange(meter().launches, {}); }

std::map<uint64_t, Source> find_sources(const std::vector<uint64_t>& addresses) {
  std::map<uint64_t, Source> result;
  std::string command = "addr2line -aifCs -e /proc/" + std::to_string(getpid()) + "/exe";
  for (const uint64_t address : addresses) command += fmt::format(" {:x}", address);
  FILE* const pipe = popen(command.c_str(), "r");
  char text[4096];
  Source* source = nullptr;
  std::string function;
  for (bool name = true; pipe && std::fgets(text, sizeof text, pipe);) {
    std::string line(text, std::strcspn(text, "\n"));
    if (line.starts_with("0x") && line.find(' ') == std::string::npos) {
      source = &result[std::strtoull(line.c_str(), nullptr, 16)];
      name = true;
    } else if (std::exchange(name, !name)) {
      source->function = line;
    } else {
      source->lines += (source->lines.empty() ? "" : " < ") + line.substr(0, line.find(' '));
    }
  }
  if (pipe) pclose(pipe);
  return result;
}

}  // namespace emulated_cuda

#define MELGRAD_NOTE(name, size, write) \
  void name(void* address) { emulated_cuda::note(address, size, write, __builtin_return_address(0)); }
#define MELGRAD_NOTES(size)                              \
  MELGRAD_NOTE(__tsan_read##size, size, false)           \
  MELGRAD_NOTE(__tsan_write##size, size, true)           \
  MELGRAD_NOTE(__tsan_unaligned_read##size, size, false) \
  MELGRAD_NOTE(__tsan_unaligned_write##size, size, true)

extern "C" {
MELGRAD_NOTES(1)
MELGRAD_NOTES(2)
MELGRAD_NOTES(4)
MELGRAD_NOTES(8)
MELGRAD_NOTES(16)
void __tsan_read_range(void* address, unsigned long n) {
  emulated_cuda::note_range(address, n, false, __builtin_return_address(0));
}
void __tsan_write_range(void* address, unsigned long n) {
  emulated_cuda::note_range(address, n, true, __builtin_return_address(0));
}
void __sanitizer_cov_trace_pc() {
  if (emulated_cuda::launching) emulated_cuda::meter().step(__builtin_return_address(0));
}
void __tsan_init() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
// Called by host code that checks whether a static variable is initialised.
char __tsan_atomic8_load(const volatile char* address, int) { return __atomic_load_n(address, __ATOMIC_SEQ_CST); }
}
