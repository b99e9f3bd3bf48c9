// Shared by the kernels that call oneDNN.
#pragma once

namespace melgrad::kernel {

// Throws std::bad_alloc unless 32 MiB can be allocated. Call it before oneDNN generates machine code, which it does for
// every new shape: some versions dereference a null pointer if there is no memory for the code.
void require_room_for_code();

// While it exists, oneDNN works on this thread alone when it is called from this thread. OpenMP would otherwise start a
// team in each thread of the pool.
class OneDnnThread {
 public:
  OneDnnThread();
  ~OneDnnThread();
  OneDnnThread(const OneDnnThread&) = delete;
  OneDnnThread& operator=(const OneDnnThread&) = delete;

 private:
  int before_;
};

}  // namespace melgrad::kernel
