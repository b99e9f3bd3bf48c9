// The threads of the CPU kernels. One pool serves the whole process; parallel.h has the loops that use it.
//
// A loop is a number of tasks. Each thread begins with an equal share of consecutive tasks, the same in every loop of
// that many tasks, so that data stay in the cache of a core from one loop to the next. A thread that has finished its
// share claims tasks of the others, one by one. A thread that the system has suspended therefore delays a loop by at
// most one task, and a loop ends without the threads that never joined it. That is what keeps training fast on a
// machine that runs other programs. OpenMP's teams lack both properties: every thread of a team must arrive at the end
// of every loop, and those that wait occupy their processors meanwhile.
//
// OMP_PROC_BIND and OMP_PLACES bind the threads as they bind those of OpenMP.
//
// A thread that waits for work, or for the end of a loop, first spins for a short, bounded time, then sleeps.
// OMP_WAIT_POLICY=passive lets it sleep at once, OMP_WAIT_POLICY=active lets it spin.
#pragma once

#include <cstdint>

namespace melgrad {

// The number of threads of a parallel loop, the calling thread included. The default is that of OpenMP: OMP_NUM_THREADS
// or one per processor that the process may use (affinity); but if OMP_NUM_THREADS is not set, at most the processors
// that the control group grants (processor_limit.h), rounded up.
int thread_count();

// Stops the threads of the pool and starts threads - 1 new ones. threads = 0 restores the default. Waits for a loop
// that another thread runs. Throws Error if the system refuses to start that many; one thread is left then.
void set_thread_count(int threads);

namespace kernel {

// Calls run(body, task, thread) once for each task in [0, tasks), on the calling thread and those of the pool. `thread`
// is less than thread_count(), and no two calls with the same `thread` overlap. If the pool is busy (another thread
// runs a loop, or the caller is itself such a task), the calling thread runs all tasks as thread 0. After an exception
// the remaining tasks are skipped, and the first exception is thrown to the caller.
void run_tasks(int64_t tasks, void (*run)(const void* body, int64_t task, int thread), const void* body);

}  // namespace kernel
}  // namespace melgrad
