// melgrad profile train|predict|mel ...
#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>

#include "apps/command.h"
#include "apps/overwriting.h"
#include "framework/io/atomic_file.h"
#include "framework/profile/roofline_picture.h"
#include "framework/profile/summary.h"
#include "framework/profile/trace.h"
#include "framework/terminal/interrupt.h"
#include "kernels/device/hardware.h"
#include "kernels/device/thread_pool.h"

namespace melgrad {
namespace {

struct ProfileOptions {
  int64_t warmup, count;
  std::string trace, roofline;
};

std::string description_of(Device device) {
  const std::string cpu = fmt::format("{}, {} thread{}, {}", processor().name, thread_count(),
                                      thread_count() == 1 ? "" : "s", instruction_set());
  return device == Device::cpu ? cpu : Stream::of(device).description();
}

Profile record(const PreparedWork& work, const ProfileOptions& options) {
  if (options.warmup > 0) work.run(options.warmup);
  Stream::of(work.device).synchronize();
  profiler::start();
  try {
    work.run(options.count);
  } catch (...) {
    profiler::stop();
    throw;
  }
  return profiler::stop();
}

// Measures the ceilings of the devices on which kernels ran. Leaves out a device without memory for the measurement.
DeviceCeilings ceilings_of(const ProfileSummary& summary, DType dtype) {
  std::set<Device> devices;
  for (const PhaseSummary& phase : summary.phases) {
    for (const KernelSummary& kernel : phase.kernels) devices.insert(kernel.device);
  }
  DeviceCeilings ceilings;
  for (const Device device : devices) {
    try {
      ceilings[device] = measure_ceilings(Stream::of(device), dtype);
    } catch (const OutOfMemory& error) {
      complain(fmt::format("the limits of {} are not shown: {}", name_of(device), error.what()));
      ceilings.erase(device);
    }
  }
  return ceilings;
}

void draw(const std::string& path, const ProfileSummary& summary, const Workload& workload,
          const DeviceCeilings& ceilings, Device preferred) {
  if (ceilings.empty()) fail("{} is not drawn: no limits were measured", path);
  const auto found = ceilings.find(preferred);
  const auto& [device, limits] = found == ceilings.end() ? *ceilings.begin() : *found;
  draw_roofline(path, summary, workload, device, limits);
}

int profile(const std::string& command, const ProfiledWork& profiled, const ProfileOptions& options) {
  if (!options.trace.empty() && options.trace == options.roofline) {
    throw UsageError(fmt::format("--trace and --roofline both name {}; give two names", options.trace));
  }
  install_interrupt_handler();
  const PreparedWork work = profiled.prepare();
  require_no_input("--trace", {options.trace}, work.inputs);
  require_no_input("--roofline", {options.roofline}, work.inputs);
  const Profile recording = record(work, options);
  const ProfileSummary summary = summarize(recording);
  const DeviceCeilings ceilings = ceilings_of(summary, work.dtype);
  const Workload workload{
      .command = command, .unit = profiled.unit, .count = options.count, .device = description_of(work.device)};
  if (profiled.output->json) {
    nlohmann::ordered_json result = to_json(summary, workload, ceilings);
    result["warmup"] = options.warmup;
    print_json(result);
  } else {
    fmt::print("{}", table_text(summary, workload, ceilings));
  }
  flush_output();
  // Last, so that a file that cannot be written does not cost the measurement.
  if (!options.trace.empty()) write_file_atomically(options.trace, trace_events(recording).dump() + "\n");
  if (!options.roofline.empty()) draw(options.roofline, summary, workload, ceilings, work.device);
  return exit_success;
}

// Turns a command into one that is measured.
Command measured(Command command) {
  CLI::App& app = *command.app;
  const ProfiledWork& profiled = *command.profiled;
  const auto options = std::make_shared<ProfileOptions>(ProfileOptions{profiled.warmup, profiled.count, {}, {}});
  if (CLI::Option* const run_folder = app.get_option_no_throw("--out")) {
    run_folder->required(false)->description("With --resume: the run to continue. Nothing is written to it");
  }
  app.footer("");
  app.option_defaults()->group("Profile")->always_capture_default();
  app.add_option("--warmup", options->warmup, fmt::format("Number of {}s before the measurement", profiled.unit))
      ->check(CLI::Range(0, 1'000'000));
  app.add_option("--count", options->count, fmt::format("Number of {}s to measure", profiled.unit))
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--trace", options->trace,
                 "Write the times of all calls to this JSON file, which ui.perfetto.dev draws")
      ->type_name("FILE");
  app.add_option("--roofline", options->roofline,
                 "Draw the speed of the kernels and the limits of the machine to this PNG file")
      ->type_name("FILE");
  command.run = [name = app.get_name(), profiled, options] { return profile(name, profiled, *options); };
  return command;
}

}  // namespace

Command add_profile(CLI::App& program) {
  CLI::App& app = *program.add_subcommand("profile", "Show where the time of train, predict or mel goes");
  app.footer(
      "COMMAND takes the arguments of the command that it measures.\n\n"
      "Examples:\n"
      "  melgrad profile train music --model resnet18 --batch-size 16 --roofline roofline.png\n"
      "  melgrad profile predict runs/first song.mp3 --trace trace.json");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.require_subcommand(1);
  Command command{.app = &app, .run = {}};
  for (const auto add : {add_train, add_predict, add_mel}) command.commands.push_back(measured(add(app)));
  command.run = [commands = command.commands] {
    const auto given = std::ranges::find_if(commands, [](const Command& c) { return c.app->parsed(); });
    return given == commands.end() ? int{exit_usage} : given->run();
  };
  return command;
}

}  // namespace melgrad
