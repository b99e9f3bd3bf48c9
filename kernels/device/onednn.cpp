#include "kernels/device/onednn.h"

#include <omp.h>
#include <sys/mman.h>

#include <new>

namespace melgrad::kernel {

void require_room_for_code() {
  constexpr size_t plenty =
      size_t{32} << 20;  // the largest convolutions need about a tenth of this for code and tables
  void* const room = mmap(nullptr, plenty, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) throw std::bad_alloc();
  munmap(room, plenty);
}

OneDnnThread::OneDnnThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
OneDnnThread::~OneDnnThread() { omp_set_num_threads(before_); }

}  // namespace melgrad::kernel
