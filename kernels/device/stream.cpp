// The CPU's stream: every call completes its work before it returns.
#include "kernels/device/stream.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <utility>
#include <vector>

#include "kernels/device/caching_allocator.h"
#include "kernels/device/error.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace melgrad {
namespace {

// Free memory of the machine, limited by what `ulimit -v` still allows the process.
size_t free_bytes() {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t of_machine = static_cast<size_t>(sysconf(_SC_AVPHYS_PAGES)) * page;
  rlimit limit{};
  size_t pages = 0;
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return of_machine;
  if (!(std::ifstream("/proc/self/statm") >> pages)) return of_machine;
  return std::min(of_machine, limit.rlim_cur > pages * page ? limit.rlim_cur - pages * page : 0);
}

// Large blocks are placed on huge pages where the system grants them on request (Linux: transparent huge pages). The
// convolutions of the CPU write to dozens of places far apart at a time, each on a page of its own; with pages of 4 KiB
// the processor would often wait for their addresses.
void* acquire(size_t bytes) {
  constexpr size_t huge_page = size_t{2} << 20, cache_line = 64;
  if (bytes < huge_page) return std::aligned_alloc(cache_line, bytes);
  void* block = nullptr;
  if (posix_memalign(&block, huge_page, bytes) != 0) return nullptr;
#ifdef MADV_HUGEPAGE
  madvise(block, bytes, MADV_HUGEPAGE);  // without them the block is as usable
#endif
  return block;
}

void mark_acquired([[maybe_unused]] void* block, [[maybe_unused]] size_t requested,
                   [[maybe_unused]] size_t capacity) noexcept {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(block, requested);
  __asan_poison_memory_region(static_cast<char*>(block) + requested, capacity - requested);
#endif
}

void mark_released([[maybe_unused]] void* block, [[maybe_unused]] size_t capacity) noexcept {
#if defined(__SANITIZE_ADDRESS__)
  __asan_poison_memory_region(block, capacity);
#endif
}

class CpuReadback final : public Readback {
 public:
  explicit CpuReadback(size_t bytes) : bytes_(bytes) {}
  void start(const void* from) override { std::memcpy(bytes_.data(), from, bytes_.size()); }
  const void* wait() override { return bytes_.data(); }

 private:
  std::vector<std::byte> bytes_;
};

class CpuArrays final : public ArraysInFlight {
 public:
  explicit CpuArrays(std::span<const ArrayBytes> arrays) {
    for (const auto& [data, size] : arrays) {
      const auto* const begin = static_cast<const std::byte*>(data);
      copies_.emplace_back(begin, begin + size);
    }
  }
  bool arrived() override { return true; }
  void wait() override {}
  std::vector<std::byte> take(size_t i) override { return std::move(copies_[i]); }

 private:
  std::vector<std::vector<std::byte>> copies_;
};

class CpuStream final : public Stream {
 public:
  Device device() const override { return Device::cpu; }
  std::string description() const override { return name_of(Device::cpu); }
  bool has_bfloat16() const override { return false; }
  void* allocate(size_t bytes) override { return allocator_.allocate(bytes); }
  void release(void* block) noexcept override { allocator_.release(block); }

  void* workspace(size_t bytes) override {
    if (bytes > workspace_bytes_) {
      allocator_.release(workspace_);
      workspace_ = nullptr;
      workspace_bytes_ = 0;
      workspace_ = allocator_.allocate(bytes);
      workspace_bytes_ = bytes;
    }
    return workspace_;
  }

  void copy(void* to, const void* from, size_t bytes) override {
    if (bytes > 0) std::memcpy(to, from, bytes);
  }
  void zero(void* to, size_t bytes) override {
    if (bytes > 0) std::memset(to, 0, bytes);
  }
  std::unique_ptr<Readback> make_readback(size_t bytes) override { return std::make_unique<CpuReadback>(bytes); }
  std::unique_ptr<ArraysInFlight> send_to_host(std::span<const ArrayBytes> arrays) override {
    return std::make_unique<CpuArrays>(arrays);
  }
  void synchronize() override {}
  MemoryUse memory() const override { return allocator_.memory(); }
  void reset_peak() override { allocator_.reset_peak(); }
  void capture_profile(bool) override {}
  void begin_range(const char*) noexcept override {}
  void end_range() noexcept override {}

 private:
  CachingAllocator allocator_{{.acquire = acquire,
                               .give_back = [](void* block) noexcept { std::free(block); },
                               .free_bytes = free_bytes,
                               .acquired = mark_acquired,
                               .released = mark_released},
                              name_of(Device::cpu)};
  void* workspace_ = nullptr;
  size_t workspace_bytes_ = 0;
};

}  // namespace

#if MELGRAD_CUDA
// stream.cu
Stream& cuda_stream();
std::optional<std::string> why_no_gpu();
void choose_gpu(int index);
#else
namespace {

constexpr const char* without_cuda = "this build has no CUDA device; build the preset cuda, or use --device cpu";

Stream& cuda_stream() { fail(without_cuda); }
std::optional<std::string> why_no_gpu() { return without_cuda; }
void choose_gpu(int) { fail(without_cuda); }

}  // namespace
#endif

Stream& Stream::of(Device device) {
  if (device == Device::cuda) return cuda_stream();
  // Never destroyed, because tensors in static storage release their memory at exit.
  static auto& cpu = *new CpuStream;
  return cpu;
}

std::optional<std::string> Stream::why_unavailable(Device device) {
  return device == Device::cpu ? std::nullopt : why_no_gpu();
}

void Stream::choose_gpu(int index) { melgrad::choose_gpu(index); }

}  // namespace melgrad
