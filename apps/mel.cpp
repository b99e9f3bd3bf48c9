// melgrad mel FILE
#include <cstdio>
#include <memory>

#include "apps/command.h"
#include "apps/features.h"
#include "apps/overwriting.h"
#include "framework/audio/spectrogram_picture.h"
#include "framework/io/npy.h"
#include "framework/terminal/text.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

struct MelCommand {
  OutputOptions output;
  DeviceOptions device;
  MelSettings mel;
  std::string file, npy, png;
};

// Writes the files that the options name.
LogMel compute(const MelCommand& c, Device device) {
  LogMel features = log_mel(c.file, c.mel, device);
  if (!features.warning.empty()) complain(features.warning);
  in_phase(Stream::of(Device::cpu), "write", [&] {
    if (!c.npy.empty()) write_npy(c.npy, features.db, {features.n_mels, features.frames});
    if (!c.png.empty()) {
      draw_spectrogram(c.png, features, c.mel, std::filesystem::path(c.file).filename().string());
    }
  });
  return features;
}

// Checks the options and returns the device.
Device set_up(const MelCommand& c) {
  if (!c.npy.empty() && c.npy == c.png) {
    throw UsageError(fmt::format("--npy and --png both name {}; give two names", c.npy));
  }
  require_no_input("--npy", {c.npy}, {c.file});
  require_no_input("--png", {c.png}, {c.file});
  const Device device = c.device.choose(c.output);
  validate(c.mel);
  for (const std::string& note : setting_notes(c.mel)) c.output.note(note);
  return device;
}

PreparedWork prepare(const MelCommand& c) {
  const Device device = set_up(c);
  return {.run =
              [c, device](int64_t count) {
                for (; count > 0; --count) compute(c, device);
              },
          .device = device,
          .inputs = {c.file}};
}

int mel(const MelCommand& c) {
  const LogMel features = compute(c, set_up(c));
  const auto [low, high] = std::minmax_element(features.db.begin(), features.db.end());
  if (c.output.json) {
    print_json({{"file", c.file},
                {"n_mels", features.n_mels},
                {"frames", features.frames},
                {"seconds", features.seconds},
                {"min_db", *low},
                {"max_db", *high},
                {"npy", c.npy},
                {"png", c.png}});
  } else {
    fmt::print("{}: {} mel bins x {} frames, {:.2f} s, {:.1f} to {:.1f} dB\n", one_line(c.file), features.n_mels,
               features.frames, features.seconds, *low, *high);
  }
  return exit_success;
}

}  // namespace

Command add_mel(CLI::App& program) {
  auto command = std::make_shared<MelCommand>();
  CLI::App& app = *program.add_subcommand("mel", "Compute the log-mel spectrogram of an audio file");
  app.option_defaults()->always_capture_default();
  app.footer("Examples:\n  melgrad mel song.wav --npy song.npy --png song.png");
  app.add_option("file", command->file, "Audio file. -: standard input")->required();
  app.add_option("--npy", command->npy, "Write the spectrogram in dB to this NumPy file: float32, n_mels x frames")
      ->type_name("FILE");
  app.add_option("--png", command->png, "Draw the spectrogram to this PNG file")->type_name("FILE");
  app.option_defaults()->group("Features");
  add_mel_options(app, command->mel);
  app.option_defaults()->group("Run");
  add_device_options(app, command->device);
  add_output_options(app, command->output);
  return {.app = &app,
          .run = [command] { return mel(*command); },
          .profiled = ProfiledWork{
              .unit = "run", .prepare = [command] { return prepare(*command); }, .output = &command->output}};
}

}  // namespace melgrad
