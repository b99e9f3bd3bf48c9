// An emulated CUDA device that needs no GPU and no toolkit: .cu files compiled by the host compiler against this header
// run on the CPU, slowly and with checks. It finds errors that a GPU may hide:
//   a missing or divergent barrier, a warp operation without one of its lanes, a deadlock   block.h, warp.h, order.h
//   an overrun of shared memory, shared memory read before it is written                    shared_memory.h
//   host code that dereferences a device pointer, overruns, use after release, leaks,
//   outputs that no thread wrote                                                            device_memory.h
//   a host pointer as an argument of a kernel, a launch that some GPU would refuse          launch.h
//   host code that reads a result too early or reuses memory too early                      stream_queue.h
// Builds with MELGRAD_METER (preset metered) also find data races and missing fences, and count memory accesses
// (meter/meter.h).
#pragma once

#include "kernels/device/emulated/block.h"
#include "kernels/device/emulated/device_memory.h"
#include "kernels/device/emulated/language.h"
#include "kernels/device/emulated/launch.h"
#include "kernels/device/emulated/order.h"
#include "kernels/device/emulated/profiler.h"
#include "kernels/device/emulated/runtime.h"
#include "kernels/device/emulated/shared_memory.h"
#include "kernels/device/emulated/warp.h"
