#include "framework/dataset/feature_cache.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <csignal>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>
#include <string_view>
#include <thread>

#include "framework/io/atomic_file.h"
#include "framework/terminal/interrupt.h"
#include "kernels/device/error.h"
#include "tests/support/audio_files.h"
#include "tests/support/errors.h"

#if MELGRAD_EMULATED
#include "kernels/device/emulated/device_memory.h"
#include "kernels/device/emulated/runtime.h"
#endif

namespace melgrad::test {
namespace {

using namespace std::chrono_literals;

constexpr MelSettings settings{.sample_rate = 22050, .n_fft = 512, .hop_length = 256, .n_mels = 20};

// Writes a folder of two genres, "even" and "odd", of sines with different pitches.
fs::path write_sines(const fs::path& root, int tracks, double seconds = 0.2) {
  for (int i = 0; i < tracks; ++i) {
    write_sine(root / (i % 2 == 0 ? "even" : "odd") / fmt::format("{:03}.wav", i), 200 + 50 * i, seconds);
  }
  return root;
}

Features extract(const Dataset& dataset, const CacheSettings& cache, const MelSettings& mel = settings) {
  std::vector<size_t> all(dataset.tracks.size());
  std::iota(all.begin(), all.end(), size_t{0});
  Progress progress("features", static_cast<int64_t>(all.size()), "tracks", ProgressMode::quiet);
  return extract_features(dataset, all, mel, cache, progress);
}

void expect_equal(const MelClip& clip, const LogMel& expected) {
  EXPECT_EQ(clip.n_mels, expected.n_mels);
  EXPECT_EQ(clip.frames, expected.frames);
  EXPECT_EQ(clip.seconds, expected.seconds);
  EXPECT_TRUE(std::ranges::equal(clip.db(), expected.db));
}

void expect_right(const Dataset& dataset, const Features& features, const MelSettings& mel = settings) {
  ASSERT_EQ(features.records.size(), dataset.tracks.size());
  EXPECT_TRUE(features.failures.empty());
  for (size_t i = 0; i < dataset.tracks.size(); ++i) {
    EXPECT_EQ(features.records[i].track, i);
    expect_equal(features.records[i].log_mel, log_mel(dataset.tracks[i].path, mel));
  }
}

// The number of entries in the cache; 0 if there is none.
uint64_t entries_in(const fs::path& cache) {
  return ShardStore(CacheSettings(cache).shards()).use().blobs[BlobKind::log_mel];
}

// The only shard of a cache: its files end in .data and .index.
fs::path shard_of(const fs::path& cache, const char* extension) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(CacheSettings(cache).shards())) {
    if (entry.path().extension() == extension) found.push_back(entry.path());
  }
  EXPECT_EQ(found.size(), 1u);
  return found.at(0);
}

TEST(FeatureCache, ReusesEntriesOfTheSameContentAndSettingsOnly) {
  const TemporaryFolder folder;
  const Dataset dataset = load_dataset(write_sines(folder / "set", 6));
  const fs::path cache = folder / "cache";

  const Features first = extract(dataset, cache);
  expect_right(dataset, first);
  EXPECT_EQ(first.computed, 6u);
  EXPECT_EQ(first.cached, 0u);
  EXPECT_TRUE(first.notes.empty());
  const Features second = extract(dataset, cache);
  expect_right(dataset, second);
  EXPECT_EQ(second.computed, 0u);
  EXPECT_EQ(second.cached, 6u);

  MelSettings other = settings;
  other.top_db = 60;
  const Features changed = extract(dataset, cache, other);
  expect_right(dataset, changed, other);
  EXPECT_EQ(changed.computed, 6u);

  // The entry of a moved file is reused. A changed file with its old name is computed again.
  fs::rename(dataset.tracks[0].path, folder / "set/even/moved.wav");
  write_sine(dataset.tracks[1].path, 5000);
  const Dataset edited = load_dataset(folder / "set");
  const Features third = extract(edited, cache);
  expect_right(edited, third);
  EXPECT_EQ(third.computed, 1u);
  EXPECT_EQ(third.cached, 5u);
}

TEST(FeatureCache, RefusesWrongSettings) {
  const TemporaryFolder folder;
  const Dataset dataset = load_dataset(write_sines(folder / "set", 2));
  MelSettings wrong = settings;
  wrong.hop_length = 0;
  EXPECT_NE(error_of([&] { extract(dataset, folder / "cache", wrong); }), "");
}

TEST(FeatureCache, WorksWithoutAFolder) {
  const TemporaryFolder folder;
  const Dataset dataset = load_dataset(write_sines(folder / "set", 2));
  const std::vector<size_t> one{1};
  Progress progress("features", 1, "tracks", ProgressMode::quiet);
  const Features features = extract_features(dataset, one, settings, "", progress);
  ASSERT_EQ(features.records.size(), 1u);
  expect_equal(features.records[0].log_mel, log_mel(dataset.tracks[1].path, settings));
  EXPECT_EQ(features.computed, 1u);
}

TEST(FeatureCache, LeavesUnreadableFilesOutAndNamesThem) {
  const TemporaryFolder folder;
  write_sines(folder / "set", 4);
  write_text(folder / "set/even/noise.wav", "this is not audio");
  write_text(folder / "set/odd/empty.wav");
  Dataset dataset = load_dataset(folder / "set");
  dataset.tracks.push_back({.path = folder / "set/odd/absent.wav", .name = "odd/absent.wav", .label = 1});
  for (int run = 0; run < 2; ++run) {
    const Features features = extract(dataset, folder / "cache");
    EXPECT_EQ(run == 0 ? features.computed : features.cached, 4u);
    ASSERT_EQ(features.failures.size(), 3u);
    for (const auto& [track, message] : features.failures) {
      EXPECT_NE(message.find(dataset.tracks[track].path.string()), std::string::npos) << message;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    }
    EXPECT_TRUE(std::ranges::is_sorted(features.failures, {}, &Features::Failure::track));
    for (size_t i = 0; i < dataset.tracks.size(); ++i) {
      const auto failed = std::ranges::count(features.failures, i, &Features::Failure::track);
      EXPECT_EQ(std::ranges::count(features.records, i, &TrackFeatures::track), 1 - failed) << dataset.tracks[i].name;
    }
  }
}

TEST(FeatureCache, RequiresTracksThatCanBeRead) {
  const TemporaryFolder folder;
  write_sines(folder / "set", 2);
  write_text(folder / "set/even/noise.wav", "this is no sound");
  const Dataset dataset = load_dataset(folder / "set");
  Features features = extract(dataset, "");
  EXPECT_EQ(features.labels(dataset), (std::vector{0, 1}));
  EXPECT_EQ(features.names(dataset), (std::vector<std::string>{"even/000.wav", "odd/001.wav"}));
  EXPECT_EQ(error_of([&] { require_tracks(features, dataset, false); }), "");
  EXPECT_EQ(error_of([&] { require_tracks(features, dataset, true); }),
            features.failure_messages().at(0) + "; without --strict it is left out");
  const std::vector<MelClip> clips = features.take_clips();
  ASSERT_EQ(clips.size(), 2u);
  expect_equal(clips[1], log_mel(folder / "set/odd/001.wav", settings));
  features.records.clear();
  expect_error([&] { require_tracks(features, dataset, false); }, "none of the 1 tracks could be read");
}

TEST(FeatureCache, ReplacesDamagedEntriesAndSaysSo) {
  const TemporaryFolder folder;
  const Dataset dataset = load_dataset(write_sines(folder / "set", 4));
  extract(dataset, folder / "cache");
  const fs::path data = shard_of(folder / "cache", ".data");
  std::string damaged = read_file(data);
  damaged[100] ^= 1;  // in the first entry
  write_text(data, damaged);

  const Features repaired = extract(dataset, folder / "cache");
  expect_right(dataset, repaired);
  EXPECT_EQ(repaired.computed, 1u);
  ASSERT_EQ(repaired.notes.size(), 1u);
  expect_contains(repaired.notes[0], ".wav was damaged; its features are computed again");
  EXPECT_EQ(extract(dataset, folder / "cache").cached, 4u);
}

TEST(FeatureCache, ComputesEntriesAgainThatWereCutOff) {
  const TemporaryFolder folder;
  const Dataset dataset = load_dataset(write_sines(folder / "set", 4));
  for (const char* extension : {".data", ".index"}) {
    fs::remove_all(folder / "cache");
    extract(dataset, folder / "cache");
    const fs::path file = shard_of(folder / "cache", extension);
    fs::resize_file(file, fs::file_size(file) - 65);
    const Features repaired = extract(dataset, folder / "cache");
    expect_right(dataset, repaired);
    EXPECT_EQ(repaired.computed, 1u);
    EXPECT_EQ(extract(dataset, folder / "cache").cached, 4u);
  }
}

// A reader that checks later gets a clip that says that it is damaged.
TEST(FeatureCache, LeavesTheCheckToTheReaderIfAsked) {
  const TemporaryFolder folder;
  const Dataset dataset = load_dataset(write_sines(folder / "set", 2));
  const std::vector<size_t> all{0, 1};
  extract(dataset, folder / "cache");
  const fs::path data = shard_of(folder / "cache", ".data");
  std::string damaged = read_file(data);
  damaged[100] ^= 1;
  write_text(data, damaged);
  Progress progress("", 0, "", ProgressMode::quiet);
  const Features features = extract_features(dataset, all, settings, folder / "cache", progress, {.check_later = true});
  EXPECT_EQ(features.cached, 2u);
  EXPECT_EQ(features.records[0].log_mel.is_intact() + features.records[1].log_mel.is_intact(), 1);
}

TEST(FeatureCache, KeepsNoClipsThatAreOnlyVisited) {
  const TemporaryFolder folder;
  const Dataset dataset = load_dataset(write_sines(folder / "set", 4));
  const std::vector<size_t> all{0, 1, 2, 3};
  for (const char* cache : {"", "cache", "cache"}) {
    std::vector<MelClip> visited(4);
    const ExtractionOptions options{
        .visit = [&](size_t track, const MelClip& clip, const ContentHash&) { visited[track] = clip; }};
    Progress progress("", 0, "", ProgressMode::quiet);
    const Features features = extract_features(
        dataset, all, settings, *cache ? CacheSettings(folder / cache) : CacheSettings(), progress, options);
    for (size_t i = 0; i < 4; ++i) {
      expect_equal(visited[i], log_mel(dataset.tracks[i].path, settings));
      EXPECT_EQ(features.records[i].log_mel.memory, nullptr);
    }
  }
}

TEST(FeatureCache, ContinuesIfItCannotWrite) {
  const TemporaryFolder folder;
  const Dataset dataset = load_dataset(write_sines(folder / "set", 4));
  const Features no_folder = extract(dataset, write_text(folder / "file") / "cache");
  expect_right(dataset, no_folder);
  ASSERT_EQ(no_folder.notes.size(), 1u);
  expect_contains(no_folder.notes[0], "features are not cached: cannot create");
}

TEST(FeatureCache, ReadsAFolderThatItCannotWrite) {
  if (geteuid() == 0) GTEST_SKIP() << "the superuser can write everywhere";
  const TemporaryFolder folder;
  const Dataset dataset = load_dataset(write_sines(folder / "set", 4));
  extract(dataset, folder / "cache");
  write_sine(folder / "set/even/new.wav", 3000);
  const Dataset larger = load_dataset(folder / "set");
  const fs::perms all = fs::perms::owner_all, read = fs::perms::owner_read | fs::perms::owner_exec;
  fs::permissions(CacheSettings(folder / "cache").shards(), read);
  for (const char* extension : {".data", ".index"})
    fs::permissions(shard_of(folder / "cache", extension), fs::perms::owner_read);
  const Features features = extract(larger, folder / "cache");
  fs::permissions(CacheSettings(folder / "cache").shards(), all);
  expect_right(larger, features);
  EXPECT_EQ(features.cached, 4u);
  ASSERT_FALSE(features.notes.empty());
  expect_contains(features.notes.back(), "features are not cached: cannot write");
}

TEST(FeatureCache, StaysWithinItsLimit) {
  const TemporaryFolder folder;
  const Dataset dataset = load_dataset(write_sines(folder / "set", 4));
  // The set itself is larger than the limit: the rest is held in memory.
  const Features features = extract(dataset, CacheSettings(folder / "cache", 3000));
  expect_right(dataset, features);
  EXPECT_LT(entries_in(folder / "cache"), 4u);
  ASSERT_EQ(features.notes.size(), 1u);
  expect_contains(features.notes[0], "raise --cache-limit");

  // Features that this run does not use make room.
  fs::remove_all(folder / "cache");
  extract(dataset, folder / "cache");
  const Dataset other = load_dataset(write_sines(folder / "other", 3, 0.3));
  const Features next = extract(other, CacheSettings(folder / "cache", 12000));
  expect_right(other, next);
  EXPECT_EQ(entries_in(folder / "cache"), 3u);
  ASSERT_EQ(next.notes.size(), 1u);
  expect_contains(next.notes[0], "not used for the longest time were removed");
}

#if MELGRAD_EMULATED
TEST(FeatureCache, DoesNotBlameAFileWhenTheDeviceIsFull) {
  if (emulated_cuda::device_memory_used() > 0) GTEST_SKIP() << "the device has free blocks from earlier tests";
  const TemporaryFolder folder;
  const Dataset dataset = load_dataset(write_sines(folder / "set", 4));
  const std::vector<size_t> all{0, 1, 2, 3};
  emulated_cuda::set_device_memory_limit(1024);
  const std::string error = error_of([&] {
    Progress progress("features", 4, "tracks", ProgressMode::quiet);
    extract_features(dataset, all, settings, "", progress, {.device = Device::cuda});
  });
  emulated_cuda::set_device_memory_limit(SIZE_MAX);
  expect_contains(error, "out of memory on cuda:0");
  expect_contains(error, "while computing the features of");
  expect_contains(error, "use --device cpu");
}

TEST(FeatureCache, DoesNotBlameAFileWhenTheDeviceFails) {
  const TemporaryFolder folder;
  const Dataset dataset = load_dataset(write_sines(folder / "set", 4));
  const std::vector<size_t> all{0, 1, 2, 3};
  emulated_cuda::set_device_broken(true);
  Progress progress("features", 4, "tracks", ProgressMode::quiet);
  EXPECT_THROW(extract_features(dataset, all, settings, "", progress, {.device = Device::cuda}), DeviceError);
  emulated_cuda::set_device_broken(false);
}
#endif

// A second process that runs the test FeatureCache.HoldsTheResultOfLogMel on a folder, which it reads from the
// environment.
class Child {
 public:
  explicit Child(const fs::path& folder) {
    const std::string variable = "MELGRAD_TEST_FOLDER=" + folder.string();
    std::vector<std::string> arguments{"melgrad_tests", "--gtest_filter=FeatureCache.HoldsTheResultOfLogMel",
                                       "--gtest_brief=1"};
    std::vector<char*> argv, environment{const_cast<char*>(variable.c_str())};
    for (std::string& argument : arguments) argv.push_back(argument.data());
    for (char** entry = environ; *entry != nullptr; ++entry) {
      // A sharded test run would make the child skip the test.
      if (!std::string_view(*entry).starts_with("GTEST_")) environment.push_back(*entry);
    }
    argv.push_back(nullptr);
    environment.push_back(nullptr);
    EXPECT_EQ(posix_spawn(&process_, "/proc/self/exe", nullptr, nullptr, argv.data(), environment.data()), 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void kill_now() const { kill(process_, SIGKILL); }
  bool running() {
    if (!status_) {
      int status = 0;
      if (waitpid(process_, &status, WNOHANG) == process_) status_ = status;
    }
    return !status_;
  }
  int wait() {
    while (running()) std::this_thread::sleep_for(1ms);
    return *status_;
  }

 private:
  pid_t process_ = 0;
  std::optional<int> status_;
};

TEST(FeatureCache, HoldsTheResultOfLogMel) {
  std::optional<TemporaryFolder> own;  // a killed child process could not remove it
  const char* given = std::getenv("MELGRAD_TEST_FOLDER");
  if (given == nullptr) write_sines(own.emplace() / "set", 4);
  const fs::path folder = given == nullptr ? own->path() : fs::path(given);
  const Dataset dataset = load_dataset(folder / "set");
  expect_right(dataset, extract(dataset, folder / "cache"));
}

TEST(FeatureCache, IsSharedByProcesses) {
  const TemporaryFolder folder;
  const Dataset dataset = load_dataset(write_sines(folder / "set", 40));
  Child one(folder.path()), two(folder.path()), three(folder.path());
  for (Child* child : {&one, &two, &three}) EXPECT_EQ(child->wait(), 0);
  const Features features = extract(dataset, folder / "cache");
  expect_right(dataset, features);
  EXPECT_EQ(features.cached, 40u);
  EXPECT_EQ(entries_in(folder / "cache"), 40u);
}

TEST(FeatureCache, IsValidAfterItsProcessWasKilled) {
  const TemporaryFolder folder;
  const Dataset dataset = load_dataset(write_sines(folder / "set", 60, 1.0));
  for (const size_t enough : {1u, 7u, 30u}) {
    fs::remove_all(folder / "cache");
    Child child(folder.path());
    while (child.running() && entries_in(folder / "cache") < enough) std::this_thread::sleep_for(200us);
    child.kill_now();
    const int status = child.wait();
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    const Features features = extract(dataset, folder / "cache");
    expect_right(dataset, features);
    EXPECT_EQ(features.computed + features.cached, 60u);
    EXPECT_EQ(extract(dataset, folder / "cache").cached, 60u);
  }
}

// A clock for the progress line, which the extraction reads while its threads work. Its second call interrupts.
double interrupting_clock() {
  static int calls = 0;
  if (++calls == 2) raise(SIGINT);
  return calls;
}

// Extracts until it is interrupted and removes its folder. Returns the exit code of the process.
int extract_until_interrupted() {
  const TemporaryFolder folder;
  const Dataset dataset = load_dataset(write_sines(folder / "set", 200));
  std::vector<size_t> all(dataset.tracks.size());
  std::iota(all.begin(), all.end(), size_t{0});
  install_interrupt_handler();
  Progress progress("features", 200, "tracks", {ProgressMode::lines, stdout, 80, interrupting_clock});
  try {
    extract_features(dataset, all, settings, folder / "cache", progress);
  } catch (const Interrupted& error) {
    fmt::print(stderr, "{}\n", error.what());
    return interrupted() && entries_in(folder / "cache") > 0 ? 3 : 4;
  }
  return 5;
}

TEST(Interrupt, StopsAnExtractionWithAMessage) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      std::_Exit(extract_until_interrupted()), testing::ExitedWithCode(3),
      "interrupted after the features of [0-9]+ of 200 tracks; they are kept, the next run continues from there");
}

TEST(Interrupt, EndsTheProcessTheSecondTime) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto interrupt_twice = [] {
    install_interrupt_handler();
    raise(SIGINT);
    if (!interrupted()) std::_Exit(5);
    raise(SIGTERM);
    std::_Exit(6);
  };
  EXPECT_EXIT(interrupt_twice(), testing::KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace melgrad::test
