#include "kernels/device/emulated/meter/meter.h"

#include <algorithm>
#include <bitset>
#include <cstdlib>
#include <memory>
#include <utility>

#include "kernels/device/emulated/dry_run.h"
#include "kernels/device/emulated/meter/callbacks.h"
#include "kernels/device/emulated/meter/coalescing.h"
#include "kernels/device/emulated/meter/race_finder.h"
#include "kernels/device/emulated/meter/sector_cache.h"
#include "kernels/device/emulated/meter/shadow_memory.h"
#include "kernels/device/emulated/meter/site_table.h"
#include "kernels/device/emulated/meter/store_buffer.h"
#include "kernels/device/emulated/meter/warp_log.h"

extern "C" const char __executable_start;  // start address of the program

namespace emulated_cuda {
namespace {

uint32_t offset_in_program(const void* instruction) {
  return static_cast<uint32_t>(static_cast<const char*>(instruction) - &__executable_start);
}

class Meter final : public Observer {
 public:
  explicit Meter(const MeterOptions& options) : options_(options) {}

  std::vector<Measurement> measurements;
  OtherCalls other_calls;

  void begin_grid(const char* name, const void* kernel, uint64_t blocks, uint32_t threads,
                  size_t dynamic_shared_bytes) override {
    if (!is_measuring()) return;
    now_ = {.operation = name,
            .kernel = offset_in_program(kernel),
            .blocks = blocks,
            .threads_of_block = threads,
            .dynamic_shared_bytes = dynamic_shared_bytes};
    if (is_dry_run()) return;
    memory_.begin_grid();
    races_.begin_grid(threads);
    sites_.clear();
    log_.clear();
    l2_.clear();
    kernel_is_running = true;
  }
  void argument(int position, const void* pointer) override { races_.argument(position, pointer); }
  void begin_block(uint64_t index) override {
    if (!kernel_is_running) return;
    memory_.begin_block();
    l1_.clear();
    races_.begin_block(index);
    stores_.begin_block();
    active_.reset();
    shared_bytes_ = 0;
  }
  void end_block() override {
    if (!kernel_is_running) return;
    races_.settle();
    stores_.end_block();
    now_.idle_threads += now_.threads_of_block - active_.count();
    now_.static_shared_bytes = std::max(now_.static_shared_bytes, shared_bytes_ - now_.dynamic_shared_bytes);
  }
  void declare_shared(const char* name, const void* begin, size_t bytes) override {
    if (!kernel_is_running) return;
    memory_.add_shared(name, begin, bytes);
    shared_bytes_ += bytes;
  }
  void resume(uint32_t thread) override { thread_ = thread; }
  void block_synchronized() override {
    if (!kernel_is_running) return;
    races_.synchronize_block();
    stores_.synchronize_block();
  }
  void warp_synchronized(uint32_t warp, uint32_t mask) override {
    if (kernel_is_running) races_.synchronize_warp(warp, mask);
  }
  void fence() override {
    if (!kernel_is_running) return;
    races_.settle();
    races_.fence(thread_);
    stores_.fence(thread_);
  }
  void atomic(const void* address, size_t bytes, const void* instruction) override {
    if (!kernel_is_running) return;
    access(address, static_cast<uint32_t>(bytes), true, true, instruction);
    races_.atomic(address, thread_);
  }
  // All lanes of a warp have paused.
  void warp_paused() override {
    if (!kernel_is_running) return;
    races_.settle();
    log_.merge([&](std::span<const Record> records) { count_instruction(records); });
  }
  void end_grid() override {
    if (!is_measuring()) return;
    if (!is_dry_run()) count_memory();
    measurements.push_back(std::move(now_));
    constexpr size_t many = 100;
    if (options_.sum_launches && measurements.size() > many) measurements = summed(measurements);
  }
  void profile(bool on) override { is_profiling_ = on; }
  void runtime_call(RuntimeCall call, size_t bytes) override {
    if (!is_measuring()) return;
    ++other_calls.calls[call];
    other_calls.bytes[call] += bytes;
  }
  void library_call(const char* operation, const char* shape, double flops, double bytes) override {
    if (is_measuring()) other_calls.library.push_back({operation, shape, flops, bytes});
  }

  // The running lane enters a basic block.
  void enter_basic_block(const void* instruction) {
    races_.settle();
    log_.append(thread_ % lanes, {.address = 0, .instruction = offset_in_program(instruction), .bytes = 0, .kind = {}});
  }

  // The running lane is about to access memory.
  void access(const void* memory, uint32_t bytes, bool write, bool is_atomic, const void* instruction) {
    const auto address = reinterpret_cast<uintptr_t>(memory);
    Region* const region = memory_.find(address);
    if (!region) return;
    races_.settle();
    active_.set(thread_);
    const int first_kind = static_cast<int>(region->shared ? AccessKind::shared_load : AccessKind::global_load);
    const auto kind = static_cast<AccessKind>(first_kind + (is_atomic ? 2 : write ? 1 : 0));
    const uint32_t at = offset_in_program(instruction);
    log_.append(thread_ % lanes, {address, at, static_cast<uint16_t>(bytes), kind});
    races_.access({.region = *region,
                   .offset = static_cast<uint32_t>(address - region->begin),
                   .bytes = bytes,
                   .write = write,
                   .atomic = is_atomic,
                   .thread = thread_,
                   .site = sites_.number_of(at)});
    if (kind == AccessKind::global_store) stores_.store(const_cast<void*>(memory), bytes, thread_);
  }

 private:
  bool is_measuring() const { return !options_.only_profiled || is_profiling_; }

  void count_memory() {
    kernel_is_running = false;
    stores_.end_grid();
    const Footprint footprint = memory_.footprint();
    now_.read_bytes = footprint.read_bytes;
    now_.written_bytes = footprint.written_bytes;
    now_.read_sectors = footprint.read_sectors;
    now_.written_sectors = footprint.written_sectors;
    now_.dram_written_sectors += l2_.dirty_sectors();
    now_.sites = sites_.used();
    for (const auto& [instruction, site] : now_.sites) now_.traffic[static_cast<int>(site.kind)].add(site);
    now_.races = races_.take_races();
    memory_.end_grid();
  }

  void count_instruction(std::span<const Record> records) {
    if (records.front().bytes == 0) {
      ++now_.warp_steps;
      now_.lane_steps += records.size();
      return;
    }
    while (!records.empty()) {  // one instruction may access both memories
      const auto other = std::ranges::find_if(records, [&](const Record& r) { return r.kind != records.front().kind; });
      const auto same = records.first(static_cast<size_t>(other - records.begin()));
      count_request(same);
      records = records.subspan(same.size());
    }
  }

  void count_request(std::span<const Record> records) {
    Site& site = sites_[sites_.number_of(records.front().instruction)];
    site.kind = records.front().kind;
    site.bytes_per_lane = records.front().bytes;
    ++site.requests;
    site.bytes += uint64_t{site.bytes_per_lane} * records.size();
    if (is_shared(site.kind)) {
      const BankRequest request = count_passes(records);
      site.transactions += request.passes;
      site.least += request.least;
    } else {
      const SectorRequest request = coalesce(records);
      site.transactions += request.count;
      site.least += request.least;
      for (const uint64_t sector : std::span(request.sectors, request.count)) {
        follow_through_caches(sector, site.kind != AccessKind::global_load);
      }
    }
  }

  void follow_through_caches(uint64_t sector, bool write) {
    uint64_t nothing = 0;
    if (!write) {
      if (l1_.access(sector, false, nothing)) return;
      ++now_.l2_read_sectors;
    }
    const bool held = l2_.access(sector, write, now_.dram_written_sectors);
    if (!write && !held) ++now_.dram_read_sectors;
  }

  const MeterOptions options_;
  // Models of the caches of an H100: a share of the L1 cache for a block, and the L2 cache. Every launch begins with
  // empty caches, as under ncu.
  SectorCache l1_{32 << 10}, l2_{50 << 20};
  ShadowMemory memory_;
  SiteTable sites_;
  StoreBuffer stores_;
  RaceFinder races_{sites_, stores_};
  WarpLog log_;
  Measurement now_;
  bool is_profiling_ = false;
  std::bitset<1024> active_;   // threads of the block that accessed memory
  uint64_t shared_bytes_ = 0;  // that the block declared, static and dynamic
  uint32_t thread_ = 0;
};

std::unique_ptr<Meter>& meter() {
  static auto& value = *new std::unique_ptr<Meter>;  // never destroyed: tensors in static storage outlive it
  return value;
}

}  // namespace

void note_basic_block(const void* instruction) { meter()->enter_basic_block(instruction); }
void note_access(const void* address, uint32_t bytes, bool write, const void* instruction) {
  meter()->access(address, bytes, write, false, instruction);
}

void start_meter(const MeterOptions& options) {
  meter() = std::make_unique<Meter>(options);
  observer = meter().get();
}
void stop_meter() { observer = nullptr; }

std::vector<Measurement> take_measurements() {
  return meter() ? std::exchange(meter()->measurements, {}) : std::vector<Measurement>();
}
OtherCalls take_other_calls() { return meter() ? std::exchange(meter()->other_calls, {}) : OtherCalls(); }

}  // namespace emulated_cuda
