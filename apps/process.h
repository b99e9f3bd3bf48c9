// Prepares what the process inherits from its parent: file descriptors and signal handlers.
#pragma once

namespace melgrad {

// Opens /dev/null for standard streams that are closed (melgrad ... 2>&-); otherwise the next file would get their
// number, and messages would be written to a checkpoint. Ignores SIGPIPE and SIGXFSZ, so that a closed pipe or a file
// size limit is an error of the write. Loads the unwinder of the C library, which cannot be loaded once memory has run
// out.
void prepare_process();

}  // namespace melgrad
