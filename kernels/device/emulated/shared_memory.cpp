#include "kernels/device/emulated/shared_memory.h"

#include <cstdlib>
#include <cstring>
#include <vector>

#include "kernels/device/emulated/observer.h"

namespace emulated_cuda {
namespace {

struct Declared {
  const void* declaration;
  void* memory;
};
std::vector<Declared> declared;  // in the running block

constexpr const void* dynamic = nullptr;

void* make(const void* declaration, size_t bytes, const char* name) {
  void* memory = std::malloc(bytes);
  if (bytes > 0) std::memset(memory, 0xff, bytes);  // NaN in every floating-point format
  declared.push_back({declaration, memory});
  if (observer && bytes > 0) observer->declare_shared(name, memory, bytes);
  return memory;
}

}  // namespace

void* shared_memory(const void* declaration, size_t bytes, const char* name) {
  for (const Declared& entry : declared) {
    if (entry.declaration == declaration) return entry.memory;
  }
  return make(declaration, bytes, name);
}

void* dynamic_shared_memory() { return shared_memory(dynamic, 0, ""); }

SharedMemoryScope::SharedMemoryScope(size_t dynamic_bytes) { make(dynamic, dynamic_bytes, "dynamic shared memory"); }

SharedMemoryScope::~SharedMemoryScope() {
  for (const Declared& entry : declared) std::free(entry.memory);
  declared.clear();
}

}  // namespace emulated_cuda
