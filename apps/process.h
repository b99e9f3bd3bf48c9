// What a process inherits from whoever starts it, made harmless before anything else is done.
#pragma once

namespace melgrad {

// Opens standard streams that were closed (melgrad ... 2>&-) on nothing: the next file opened would take their number,
// and a message would land in a checkpoint. A reader that is gone and a file that may not grow become errors of the
// write that meets them, in place of signals that end the process in its midst. Loads what a lack of memory would
// otherwise need when it is met.
void prepare_process();

}  // namespace melgrad
