#include "framework/dataset/mel_clip.h"

#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

namespace melgrad {

bool MelClip::is_intact() const { return hash == 0 || XXH3_64bits(memory.get(), db().size_bytes()) == hash; }

void MelClip::read_ahead() const {
  static const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<uintptr_t>(memory.get()), first = begin / page * page;
  // A hint; nothing is lost if the system refuses it.
  madvise(reinterpret_cast<void*>(first), begin - first + db().size_bytes(), MADV_WILLNEED);
}

}  // namespace melgrad
