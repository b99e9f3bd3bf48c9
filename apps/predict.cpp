// melgrad predict RUN FILE...
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <new>

#include "apps/command.h"
#include "apps/overwriting.h"
#include "apps/predict_options.h"
#include "apps/predict_output.h"
#include "framework/dataset/folder_walk.h"
#include "framework/prediction/genre_tag_writer.h"
#include "framework/prediction/label_track_writer.h"
#include "framework/prediction/playlist_writer.h"
#include "framework/prediction/read_ahead.h"
#include "framework/prediction/segment_smoother.h"
#include "framework/prediction/table_writer.h"
#include "framework/prediction/timeline_input.h"
#include "framework/terminal/interrupt.h"
#include "kernels/convolution/exact.h"
#include "kernels/device/error.h"
#include "kernels/device/thread_pool.h"
#include "models/checkpoint_file.h"
#include "models/trained_model.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

// Replaces folders by the audio files in them, at any depth, sorted by name, and prints which other files they contain.
// A folder without audio files stays in the list, so that it is reported as an error.
std::vector<Input> expand(const std::vector<std::string>& arguments) {
  std::vector<Input> inputs;
  for (const std::string& argument : arguments) {
    const fs::path path = argument;
    std::error_code ignored;  // a path without access rights is reported when it is opened
    if (!fs::is_directory(path, ignored)) {
      inputs.push_back({.path = path, .name = argument == "-" ? "stdin" : path.filename()});
      continue;
    }
    FolderListing listing = list_audio(path);
    if (const std::string account = listing.account(path); !account.empty()) complain(account);
    if (listing.audio.empty()) inputs.push_back({.path = path, .name = path.filename()});
    for (const fs::path& file : listing.audio) inputs.push_back({.path = file, .name = file.lexically_relative(path)});
  }
  return inputs;
}

void refuse_folder(const fs::path& path) {
  if (std::error_code ignored; fs::is_directory(path, ignored))
    fail("{} contains no audio files that can be read; give audio files, or a folder with audio files", path.string());
}

// If memory runs out, only this file fails, because the next one may be shorter.
template <class Work>
auto within_memory(const Input& input, const Work& work) {
  std::string what = "out of memory";
  try {
    return work();
  } catch (const OutOfMemory& error) {
    what = error.what();
  } catch (const std::bad_alloc&) {
  }
  fail("{}: {}; use a smaller --batch-size or cut the file into shorter ones", input.path.string(), what);
}

std::vector<fs::path> files_read(const fs::path& checkpoint, const std::vector<Input>& inputs) {
  std::vector<fs::path> files{checkpoint};
  for (const Input& input : inputs) files.push_back(input.path);
  return files;
}

class Prediction {
 public:
  Prediction(const PredictCommand& command, const TrainedModel& classifier, std::vector<Input> inputs)
      : c_(command),
        classifier_(classifier),
        inputs_(std::move(inputs)),
        rule_{.labels = classifier.card.labels, .unsure = command.unsure} {
    if (c_.unsure > 0 && std::ranges::find(rule_.labels, unsure_label) != rule_.labels.end())
      throw UsageError("the model has a class 'unsure'; leave out --unsure");
    require_no_overwriting();
    open_writers();
  }

  int run() {
    try {
      c_.timeline ? predict_timelines() : predict_tracks();
    } catch (...) {
      finish_after_failure();
      throw;
    }
    writers_.finish();
    if (interrupted()) throw Interrupted("interrupted; what was classified so far is written");
    if (failed_ > 0 && inputs_.size() > 1)
      c_.output.note(fmt::format("{} of {} files could not be read", failed_, inputs_.size()));
    if (failed_ == 0 && untagged_ == 0) return exit_success;
    return failed_ == inputs_.size() ? exit_failure : exit_partial;
  }

 private:
  void require_no_overwriting() const {
    const std::vector<fs::path> files = files_read(classifier_.file, inputs_);
    for (const auto& [option, output] :
         {std::pair{"--csv", &c_.csv}, std::pair{"--ndjson", &c_.ndjson}, std::pair{"--audacity", &c_.audacity},
          std::pair{"--raven", &c_.raven}, std::pair{"--jams", &c_.jams}}) {
      require_no_input(option, {*output}, files);
    }
    if (c_.tagged_copies.empty()) return;
    std::vector<fs::path> copies;
    for (const Input& input : inputs_) copies.push_back(c_.tagged_copies / input.name);
    require_no_input("--write-tags", copies, files);
  }

  void open_writers() {
    const auto& labels = rule_.labels;
    if (c_.output.json) {
      writers_.push_back(json_writer(labels, c_.top, c_.timeline));
    } else if (!c_.prints_table()) {
      writers_.push_back(c_.timeline ? segment_text_writer(inputs_.size() > 1) : text_writer(labels, c_.top));
    }
    if (!c_.csv.empty()) writers_.push_back(csv_writer(c_.csv, labels));
    if (!c_.ndjson.empty()) writers_.push_back(ndjson_writer(c_.ndjson, labels));
    require_single_input("--audacity", c_.audacity, ".txt", inputs_.size());
    require_single_input("--raven", c_.raven, ".txt", inputs_.size());
    require_single_input("--jams", c_.jams, ".jams", inputs_.size());
    const MelSettings& mel = classifier_.card.mel;
    if (!c_.audacity.empty()) writers_.push_back(audacity_writer(c_.audacity));
    if (!c_.raven.empty()) writers_.push_back(raven_writer(c_.raven, mel.fmin, mel.highest_frequency()));
    if (!c_.jams.empty()) writers_.push_back(jams_writer(c_.jams, c_.timeline));
    if (!c_.m3u.empty()) {
      std::vector<std::string> playlists = labels;
      if (c_.unsure > 0) playlists.emplace_back(unsure_label);
      writers_.push_back(playlist_writer(c_.m3u, playlists, complain));
    }
    if (c_.tag_files || !c_.tagged_copies.empty()) {
      writers_.push_back(genre_tag_writer(c_.tagged_copies, [this](const std::string& message) {
        ++untagged_;
        complain(message);
      }));
    }
  }

  // The writers may still write what was classified before. A second exception would hide the first one.
  void finish_after_failure() noexcept {
    try {
      writers_.finish();
    } catch (...) {  // NOLINT(bugprone-empty-catch): the first exception is reported
    }
  }

  template <class Work>
  void attempt(const Input& input, const Work& work) {
    try {
      within_memory(input, work);
    } catch (const Error& error) {
      ++failed_;
      complain(error.what());
      writers_.fail(input, error.what());
    }
  }

  void predict_tracks() {
    // The CPU computes the features on any device: the stream of a GPU serves the model meanwhile.
    ReadAhead features(inputs_.size(), reading_threads(thread_count()), [this](size_t i) {
      refuse_folder(inputs_[i].path);
      return log_mel(inputs_[i].path, classifier_.card.mel);
    });
    for (const Input& input : inputs_) {
      if (interrupted()) return;
      attempt(input, [&] {
        const LogMel clip = features.next();
        if (!clip.warning.empty()) complain(clip.warning);
        writers_.add(input, rule_.answer(0, clip.seconds, classifier_.predict(clip, c_.inference).probabilities));
        writers_.end(input, clip.seconds);
      });
    }
  }

  TimelineSettings timeline_settings() const {
    TimelineSettings settings{.mel = classifier_.card.mel,
                              .crop_frames = classifier_.card.crop_frames,
                              .temperature = classifier_.card.temperature.value_or(1),
                              .batch_size = c_.inference.batch_size};
    settings.step_seconds = c_.step > 0 ? c_.step : default_step_seconds(settings);
    return settings;
  }

  void note_latency(const TimelineSettings& settings) const {
    c_.output.note(fmt::format(
        "live: a step of {:.1f} s is classified {:.1f} s after its end; a segment is printed when another "
        "label has lasted {:.1f} s, {:.1f} s after the change",
        settings.step_seconds, latency_seconds(settings), c_.shortest, c_.shortest + latency_seconds(settings)));
  }

  void predict_timeline(const Input& input, const TimelineSettings& settings) {
    TimelineInput source{.path = input.path};
    if (!c_.raw.empty()) source.raw = {*sample_format(c_.raw), c_.raw_rate, c_.raw_channels};
    if (source.is_live()) note_latency(settings);
    refuse_folder(input.path);
    const bool shows_steps = !c_.output.json && !c_.prints_table() && isatty(STDOUT_FILENO) != 0;
    SegmentSmoother smoother(rule_, c_.shortest);
    const auto classify = [&](std::span<const LogMel> crops) { return classifier_.crop_logits(crops, c_.inference); };
    const auto add = [&](const std::optional<Answer>& segment) {
      if (segment) writers_.add(input, *segment);
    };
    Timeline timeline(settings, classify, rule_, [&](const Answer& step) {
      if (shows_steps) print_step(step);
      add(smoother.add(step));
    });
    try {
      const std::string warning = read_timeline(source, settings.mel.sample_rate, timeline);
      if (!warning.empty()) complain(warning);
    } catch (const Error&) {
      add(smoother.finish());  // what was read before the damage
      throw;
    }
    add(smoother.finish());
    writers_.end(input, timeline.seconds());
  }

  void predict_timelines() {
    const TimelineSettings settings = timeline_settings();
    if (settings.step_seconds > crop_seconds(settings)) {
      throw UsageError(fmt::format("--step is {} s; it must be at most a crop of the model, {:.2f} s",
                                   settings.step_seconds, crop_seconds(settings)));
    }
    for (const Input& input : inputs_) {
      if (interrupted()) return;
      attempt(input, [&] { predict_timeline(input, settings); });
    }
  }

  const PredictCommand& c_;
  const TrainedModel& classifier_;
  std::vector<Input> inputs_;
  AnswerRule rule_;
  PredictionWriters writers_;
  size_t failed_ = 0, untagged_ = 0;
};

// Classifies whole files and prints nothing, for melgrad profile. Throws if a file cannot be classified.
void classify(const PredictCommand& c, Device device) {
  const TrainedModel classifier = load_trained_model(c.run, device);
  for (const Input& input : expand(c.files)) {
    if (interrupted()) throw Interrupted("interrupted; nothing was measured");
    refuse_folder(input.path);
    within_memory(input, [&] { return classifier.predict(log_mel(input.path, classifier.card.mel), c.inference); });
  }
}

PreparedWork prepare(const PredictCommand& c) {
  check_usage(c);
  if (c.timeline) throw UsageError("profile predict measures the classification of whole files; leave out --timeline");
  kernel::set_exact_convolution(c.exact_convolution);
  const Device device = c.device.choose(c.output);
  return {.run =
              [c, device](int64_t count) {
                for (; count > 0; --count) classify(c, device);
              },
          .device = device,
          .inputs = files_read(checkpoint_file(c.run), expand(c.files))};
}

int predict(const PredictCommand& c) {
  check_usage(c);
  install_interrupt_handler();
  kernel::set_exact_convolution(c.exact_convolution);
  const TrainedModel classifier = load_trained_model(c.run, c.device.choose(c.output));
  if (const std::string note = calibration_note(classifier.card, classifier.file.string()); !note.empty())
    c.output.note(note);
  return Prediction(c, classifier, expand(c.files)).run();
}

}  // namespace

Command add_predict(CLI::App& program) {
  auto command = std::make_shared<PredictCommand>();
  CLI::App& app = *program.add_subcommand("predict", "Classify audio files");
  app.option_defaults()->always_capture_default();
  app.footer(
      "Examples:\n"
      "  melgrad predict runs/first song.mp3 album/ --top 3\n"
      "  melgrad predict runs/first album/ --unsure 0.5 --csv genres.csv --m3u playlists\n"
      "  melgrad predict runs/first concert.flac --timeline --audacity labels.txt\n"
      "  arecord -f cd | melgrad predict runs/first - --timeline");
  add_predict_options(app, *command);
  return {.app = &app,
          .run = [command] { return predict(*command); },
          .profiled = ProfiledWork{
              .unit = "run", .prepare = [command] { return prepare(*command); }, .output = &command->output}};
}

}  // namespace melgrad
