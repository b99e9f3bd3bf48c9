// melgrad synth OUT
#include <cstdio>
#include <memory>

#include "apps/arguments.h"
#include "apps/command.h"
#include "apps/synth/dataset_writer.h"
#include "framework/terminal/interrupt.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

struct SynthCommand {
  OutputOptions output;
  SynthOptions synth;
  std::string out;
};

int synth(const SynthCommand& c) {
  install_interrupt_handler();
  const auto total = static_cast<int64_t>(synth_genres().size()) * c.synth.tracks_per_genre;
  Progress progress("composing", total, "tracks", c.output.progress());
  write_demo_set(c.out, c.synth, [&](int done, int) { progress.update(done); });
  progress.finish();
  if (c.output.json) {
    print_json({{"out", c.out},
                {"labels", synth_genres()},
                {"tracks", total},
                {"seconds_per_track", c.synth.seconds},
                {"sample_rate", c.synth.sample_rate}});
  } else {
    fmt::print("{}: {} tracks of {:g} s in {} styles\n", c.out, total, c.synth.seconds, synth_genres().size());
  }
  return exit_success;
}

}  // namespace

Command add_synth(CLI::App& program) {
  auto command = std::make_shared<SynthCommand>();
  CLI::App& app = *program.add_subcommand("synth", "Compose a demo data set of ten musical styles");
  app.option_defaults()->always_capture_default();
  app.footer("Examples:\n  melgrad synth demo/data --tracks-per-genre 64 --seconds 6");
  app.add_option("out", command->out, "Folder to write the data set to, as GENRE/GENRE.00000.wav")->required();
  app.add_option("--tracks-per-genre", command->synth.tracks_per_genre, "Number of tracks per style")
      ->check(CLI::Range(1, 100'000));
  app.add_option("--seconds", command->synth.seconds, "Length of a track in seconds")->check(CLI::Range(1.0, 600.0));
  app.add_option("--sample-rate", command->synth.sample_rate, "Sample rate in Hz")->check(CLI::Range(8000, 192'000));
  app.add_option("--seed", command->synth.seed, "Seed of the composition. Different seeds give different tracks")
      ->check(whole_number());
  app.option_defaults()->group("Run");
  add_output_options(app, command->output);
  return {&app, [command] { return synth(*command); }};
}

}  // namespace melgrad
