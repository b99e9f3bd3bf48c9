// The functions that GCC calls in code compiled with -fsanitize=thread and -fsanitize-coverage=trace-pc. They replace
// the libraries of the sanitizers.
#include "kernels/device/emulated/meter/callbacks.h"

#include <algorithm>
#include <cstddef>

namespace emulated_cuda {
namespace {

void note(const void* address, uint32_t bytes, bool write, const void* instruction) {
  if (kernel_is_running) note_access(address, bytes, write, instruction);
}

// GCC copies structs in pieces if their size or alignment does not allow a single access. The alignment is unknown
// here, but structs of up to 16 bytes are aligned to less than 8.
void note_range(const void* address, size_t bytes, bool write, const void* instruction) {
  size_t piece = std::min<size_t>(bytes <= 16 ? 4 : 8, bytes & -bytes);
  if (piece == bytes && piece > 1) piece /= 2;
  for (size_t at = 0; at < bytes; at += piece) {
    note(static_cast<const char*>(address) + at, static_cast<uint32_t>(piece), write,
         static_cast<const char*>(instruction) + at / piece);
  }
}

}  // namespace
}  // namespace emulated_cuda

#define MELGRAD_NOTE(name, bytes, write) \
  void name(void* address) { emulated_cuda::note(address, bytes, write, __builtin_return_address(0)); }
#define MELGRAD_NOTES(bytes)                               \
  MELGRAD_NOTE(__tsan_read##bytes, bytes, false)           \
  MELGRAD_NOTE(__tsan_write##bytes, bytes, true)           \
  MELGRAD_NOTE(__tsan_unaligned_read##bytes, bytes, false) \
  MELGRAD_NOTE(__tsan_unaligned_write##bytes, bytes, true)

extern "C" {
MELGRAD_NOTES(1)
MELGRAD_NOTES(2)
MELGRAD_NOTES(4)
MELGRAD_NOTES(8)
MELGRAD_NOTES(16)
void __tsan_read_range(void* address, unsigned long bytes) {
  emulated_cuda::note_range(address, bytes, false, __builtin_return_address(0));
}
void __tsan_write_range(void* address, unsigned long bytes) {
  emulated_cuda::note_range(address, bytes, true, __builtin_return_address(0));
}
void __sanitizer_cov_trace_pc() {
  if (emulated_cuda::kernel_is_running) emulated_cuda::note_basic_block(__builtin_return_address(0));
}
void __tsan_init() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
// Called by host code that checks whether a static variable is initialised.
char __tsan_atomic8_load(const volatile char* address, int) { return __atomic_load_n(address, __ATOMIC_SEQ_CST); }
}
