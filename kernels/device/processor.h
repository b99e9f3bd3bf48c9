// The CPU that the program runs on.
#pragma once

#include <string>
#include <vector>

namespace melgrad {

struct Processor {
  std::string name;                       // as the system calls it, "AMD EPYC 9R14"; "unknown" where it does not
  int threads = 1;                        // that kernels run on: one a core, unless OMP_NUM_THREADS says otherwise
  std::vector<std::string> instructions;  // of x86-64's vector extensions, those that are there: "avx2", "fma"...
};

Processor processor();

}  // namespace melgrad
