// Shadow memory: for each byte of device memory and of the block's shared memory, which access wrote it last and which
// read it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace emulated_cuda {

// The access that last touched some bytes, in 64 bits. The epoch is a number that grows with every block and every
// block barrier; 0 means that there was no access.
struct Stamp {
  uint64_t epoch : 32, thread : 10, clock : 9, atomic : 1, site : 12;
  bool is_empty() const { return epoch == 0; }
};
struct Cell {
  Stamp writer, reader[2];
};

// The cells of 256 bytes. A cell covers 1 to 16 bytes: the size of the smallest access to the page.
struct Page {
  static constexpr uint32_t bytes = 256;
  uint32_t granule = 0;  // bytes per cell; 0 if there are no cells yet
  std::unique_ptr<Cell[]> cells;

  // Makes cells so small that an access to bytes [begin, end) of the page covers whole cells.
  void fit(uint32_t begin, uint32_t end);
};

struct Region {
  uintptr_t begin, end;
  const char* shared;  // name of a shared array, or null for device memory
  std::vector<Page> pages;

  Region(uintptr_t begin_, uintptr_t end_, const char* name)
      : begin(begin_), end(end_), shared(name), pages((end_ - begin_) / Page::bytes + 1) {}
  bool contains(uintptr_t address) const { return address - begin < end - begin; }
};

// Distinct bytes and sectors of device memory.
struct Footprint {
  uint64_t read_bytes = 0, written_bytes = 0, read_sectors = 0, written_sectors = 0;
};

class ShadowMemory {
 public:
  void begin_grid();  // finds the device memory in use
  void end_grid() { device_.clear(); }
  void begin_block() { shared_.clear(); }
  void add_shared(const char* name, const void* begin, size_t bytes);
  // Returns null for the stack (registers on a GPU), constants, and memory of the emulated device itself.
  Region* find(uintptr_t address);
  Footprint footprint() const;

 private:
  std::vector<Region> device_, shared_;
  size_t last_ = 0;  // index of the device region found last
};

}  // namespace emulated_cuda
