#include "apps/ranks.h"

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <thread>

#include "apps/command.h"
#include "apps/rank_watch.h"

namespace melgrad {
namespace {

std::string name_of_rank(int rank) {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  return fmt::format("rank {} on {}", rank, host.data());
}

// The launcher ends all ranks as soon as rank 0 has ended with an error. If it has not, the error is of this rank.
void let_rank_0_speak_first() { std::this_thread::sleep_for(std::chrono::seconds(2)); }

// After the error was printed. The watch goes on until then.
void report_failure_at_exit(std::unique_ptr<RankWatch> watch) {
  static RankWatch* kept = nullptr;
  kept = watch.release();
  std::atexit([] { kept->report_failure(); });
}

}  // namespace

int run_on_ranks(const std::function<int(Communicator& ranks)>& body) {
  const std::optional<Launch> launch = launch_of_process();
  if (!launch) return body(single_process());
  name_speaker(name_of_rank(launch->rank));
  std::unique_ptr<Communicator> ranks;
  std::unique_ptr<RankWatch> watch;
  try {
    ranks = connect(*launch);
    watch = std::make_unique<RankWatch>(*ranks, name_of_rank(launch->rank));
    const int code = body(*ranks);
    flush_output();
    return code;
  } catch (...) {
    // The destructor would wait for the other ranks, which wait for this one.
    static_cast<void>(ranks.release());
    if (launch->rank > 0) let_rank_0_speak_first();
    if (watch) report_failure_at_exit(std::move(watch));
    throw;
  }
}

bool speaks_for_all_ranks() {
  const std::optional<Launch> launch = launch_of_process();
  return !launch || launch->rank == 0;
}

}  // namespace melgrad
