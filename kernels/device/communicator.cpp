#include "kernels/device/communicator.h"

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "kernels/device/error.h"
#include "kernels/device/mpi/plugin.h"

namespace melgrad {
namespace {

class SingleProcess : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void all_reduce(float*, size_t) override {}
  void broadcast(void*, size_t, int) override {}
  void all_gather(const void* mine, size_t count, void* all) override { std::memcpy(all, mine, count); }
  void barrier() override {}
  uint64_t bytes_sent() const override { return 0; }
};

std::optional<int> number_in(const char* variable) {
  const char* const text = std::getenv(variable);
  if (!text) return std::nullopt;
  char* end = nullptr;
  const int64_t value = std::strtoll(text, &end, 10);
  const bool whole = end != text && *end == '\0' && value >= 0 && value <= 1'000'000;
  return whole ? std::optional<int>(static_cast<int>(value)) : std::nullopt;
}

// The folder of the program comes first, so that a build uses its own plug-in.
std::vector<std::string> places_of_plugin() {
  std::vector<std::string> places;
  std::array<char, 4096> program{};
  const ssize_t length = readlink("/proc/self/exe", program.data(), program.size());
  if (length > 0) {
    const std::filesystem::path path(std::string(program.data(), static_cast<size_t>(length)));
    places.push_back(path.parent_path() / mpi_plugin_file);
    places.push_back(path.parent_path().parent_path() / mpi_plugin_file);  // of a test in a folder of its own
  }
  places.emplace_back(mpi_plugin_file);  // where the system looks for libraries
  return places;
}

// The plug-in stays loaded until the process ends, as MPI registers handlers.
void* load_plugin(const Launch& launch) {
  std::string reason;
  for (const std::string& place : places_of_plugin()) {
    // Components of Open MPI look for its symbols in the global scope.
    if (void* library = dlopen(place.c_str(), RTLD_NOW | RTLD_GLOBAL)) return library;
    const char* const error = dlerror();
    if (reason.empty() || access(place.c_str(), F_OK) == 0) reason = error ? error : "unknown error";
  }
  fail(
      "{} started several processes of melgrad, which need its MPI plug-in {}: {}; install the package melgrad-mpi, or "
      "start one process",
      launch.launcher, mpi_plugin_file, reason);
}

}  // namespace

Communicator& single_process() {
  static SingleProcess alone;
  return alone;
}

std::optional<Launch> launch_of_process() {
  struct Variables {
    const char *launcher, *rank, *size;
  };
  // srun also sets SLURM_NTASKS, but sbatch does too, for the one process of its script; SLURM_STEP_NUM_TASKS is set by
  // srun alone.
  static constexpr std::array<Variables, 4> known{{{"mpirun", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
                                                   {"mpiexec", "PMI_RANK", "PMI_SIZE"},
                                                   {"srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS"},
                                                   {"the launcher", "PMIX_RANK", nullptr}}};
  for (const auto& [launcher, rank_name, size_name] : known) {
    const std::optional<int> rank = number_in(rank_name), size = size_name ? number_in(size_name) : 0;
    if (!rank || !size) continue;
    if (size == 1) return std::nullopt;
    return Launch{.launcher = launcher, .rank = *rank, .size = *size};
  }
  return std::nullopt;
}

std::unique_ptr<Communicator> connect(const Launch& launch) {
  void* const library = load_plugin(launch);
  const auto make = reinterpret_cast<MakeMpiCommunicator>(dlsym(library, mpi_plugin_function));
  MELGRAD_CHECK(make, "the MPI plug-in {} is of another version of melgrad; install the same version", mpi_plugin_file);
  std::string error;
  std::unique_ptr<Communicator> result(make(&error));
  if (!result) fail("{}", error);
  if (launch.size > 0 && (result->size() != launch.size || result->rank() != launch.rank)) {
    fail(
        "{} started {} processes, but MPI sees {}: the launcher is of another MPI library than the plug-in ({}); use "
        "the launcher of that library",
        launch.launcher, launch.size, result->size(), mpi_plugin_file);
  }
  return result;
}

}  // namespace melgrad
