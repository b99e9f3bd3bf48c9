#include "apps/predict_options.h"

#include <algorithm>

#include "apps/arguments.h"
#include "apps/features.h"
#include "framework/audio/pcm_stream.h"

namespace melgrad {
namespace {

void add_output_files(CLI::App& app, PredictCommand& command) {
  app.option_defaults()->group("Outputs");
  app.add_option("--csv", command.csv, "Write a CSV table, one row per file or segment. -: standard output")
      ->type_name("FILE");
  app.add_option("--ndjson", command.ndjson, "Write JSON objects, one line per file or segment. -: standard output")
      ->type_name("FILE");
  app.add_option("--audacity", command.audacity,
                 "Write Audacity's label tracks: a folder, or the name of a .txt file for one recording")
      ->type_name("PATH");
  app.add_option("--raven", command.raven,
                 "Write Raven's selection tables: a folder, or the name of a .txt file for one recording")
      ->type_name("PATH");
  app.add_option("--jams", command.jams, "Write JAMS: a folder, or the name of a .jams file for one recording")
      ->type_name("PATH");
  app.add_option("--m3u", command.m3u, "Write a playlist per genre into this folder")->type_name("FOLDER");
  app.add_option("--write-tags", command.tagged_copies,
                 "Copy the files into this folder, with the genre in their tags. The audio stays the same")
      ->type_name("FOLDER");
  app.add_flag("--write-tags-in-place", command.tag_files, "Write the genre into the files themselves. Needs --yes");
  app.add_flag("--yes", command.yes, "Confirm that --write-tags-in-place may change your files");
}

void add_timeline_options(CLI::App& app, PredictCommand& command) {
  app.option_defaults()->group("Timeline");
  app.add_flag("--timeline", command.timeline,
               "Classify every second of a recording and print segments. Reads files of any length in constant memory, "
               "and WAV or raw samples from the standard input (-) while they arrive");
  app.add_option("--step", command.step, "Seconds per step. 0: one second, or half a crop if that is shorter")
      ->check(non_negative_number());
  app.add_option("--min-segment", command.shortest, "Shortest segment in seconds. Shorter changes are ignored")
      ->check(non_negative_number());
  app.add_option("--raw", command.raw, "The standard input has no header. Format of its samples")
      ->check(one_of(sample_format_names()));
  app.add_option("--raw-rate", command.raw_rate, "Sample rate of --raw in Hz");
  app.add_option("--raw-channels", command.raw_channels, "Channels of --raw")->check(CLI::Range(1, 1024));
}

}  // namespace

bool PredictCommand::uses_standard_input() const { return std::ranges::find(files, "-") != files.end(); }

void add_predict_options(CLI::App& app, PredictCommand& command) {
  app.add_option("run", command.run, description_of_run)->required();
  app.add_option("files", command.files, "Audio files, or folders to search for audio files. -: standard input")
      ->required();
  app.add_option("--top", command.top, "Number of genres to print per file, the most probable first")
      ->check(CLI::Range(1, 1000));
  app.add_option("--unsure", command.unsure,
                 "Answer \"unsure\" if the most probable genre has a lower probability than this")
      ->check(CLI::Range(0.0, 1.0));
  add_inference_options(app, command.inference);
  add_timeline_options(app, command);
  add_output_files(app, command);
  app.option_defaults()->group("Run");
  add_device_options(app, command.device);
  add_exact_convolution_option(app, command.exact_convolution);
  add_output_options(app, command.output);
}

void check_usage(const PredictCommand& c) {
  const bool writes_tags = c.tag_files || !c.tagged_copies.empty();
  const std::pair<bool, const char*> faults[] = {
      {c.csv == "-" && c.ndjson == "-", "--csv - and --ndjson - both write to the standard output; give one a file"},
      {c.prints_table() && c.output.json, "--json and a table on the standard output exclude each other; give a file"},
      {c.timeline && !c.m3u.empty(), "--m3u needs one genre per file; leave out --timeline"},
      {c.timeline && writes_tags, "tags need one genre per file; leave out --timeline"},
      {c.uses_standard_input() && (writes_tags || !c.m3u.empty()),
       "the standard input has no name for tags and playlists; give a file"},
      {c.tag_files && !c.yes,
       "--write-tags-in-place changes your files; add --yes, or use --write-tags FOLDER for copies"},
      {c.tag_files && !c.tagged_copies.empty(), "--write-tags and --write-tags-in-place exclude each other"},
      {!c.raw.empty() && !(c.timeline && c.files.size() == 1 && c.uses_standard_input()),
       "--raw describes the standard input of a timeline: melgrad predict RUN - --timeline --raw s16le"}};
  for (const auto& [applies, message] : faults) {
    if (applies) throw UsageError(message);
  }
}

}  // namespace melgrad
