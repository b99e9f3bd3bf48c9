// A CUDA device that needs no GPU and no toolkit: .cu files compiled by the host's compiler against this header run on
// the CPU, slowly and under strict supervision. What it finds that a GPU may hide:
//   a missing or divergent barrier, a warp operation that a lane misses, a deadlock   block.h, warp.h, order.h
//   an overrun of shared memory, shared memory read before it is written              shared_memory.h
//   the host following a device pointer, overruns, use after release, leaks,
//   outputs that no thread wrote                                                      device_memory.h
//   a kernel given a host pointer, a launch that some GPU would refuse                launch.h
// It says nothing about speed, nor about races between blocks that happen to come out right in every order tried.
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
