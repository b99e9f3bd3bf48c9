#include "framework/dataset/clip_store.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>

#include "framework/dataset/shard_store.h"
#include "framework/io/atomic_file.h"
#include "framework/training/trainer.h"
#include "models/models.h"
#include "tests/support/banded_music.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

TEST(Standardisation, TreatsEachMelBinSeparately) {
  const LogMel a{.n_mels = 2, .frames = 2, .db = {1, 3, -80, -80}, .seconds = 1};
  const LogMel b{.n_mels = 2, .frames = 1, .db = {8, -80}, .seconds = 1};
  const Standardisation s = standardisation_of(std::vector{a, b});
  EXPECT_FLOAT_EQ(s.mean[0], 4);
  EXPECT_FLOAT_EQ(s.deviation[0], std::sqrt(26.0f / 3));
  EXPECT_FLOAT_EQ(s.mean[1], -80);
  EXPECT_FLOAT_EQ(s.deviation[1], 1);  // a bin that never changes
}

int64_t automatic_crop(const std::vector<int64_t>& lengths) {
  std::vector<MelClip> clips;
  for (const int64_t frames : lengths) clips.push_back(LogMel{.n_mels = 1, .frames = frames});
  return crop_frames_for(clips);
}

TEST(AutomaticCrop, IsNotLongerThanMostClips) {
  EXPECT_EQ(automatic_crop({1292, 1292, 40}), 256);
  EXPECT_EQ(automatic_crop({216, 300, 100}), 208);  // clips of 5 s
  EXPECT_EQ(automatic_crop({256}), 256);
  EXPECT_EQ(automatic_crop({255}), 240);
  EXPECT_EQ(automatic_crop({3, 5, 2000}), 32);
}

TEST(Standardisation, HasTheSameBitsForAnyNumberOfClipsAtATime) {
  const BandedMusic music(7);
  const std::vector<MelClip> clips(music.clips.begin(), music.clips.end());
  const Standardisation whole = standardisation_of(clips);
  FeatureStatistics statistics;
  for (size_t first = 0; first < clips.size(); first += 3) {
    statistics.add(std::span(clips).subspan(first, std::min<size_t>(3, clips.size() - first)));
  }
  EXPECT_EQ(statistics.standardisation().mean, whole.mean);
  EXPECT_EQ(statistics.standardisation().deviation, whole.deviation);
}

// The clips of BandedMusic in a shard that is mapped, not yet compared with their hashes. One is shorter than a crop.
class MappedMusic {
 public:
  explicit MappedMusic(const fs::path& folder) : music(6) {
    music.clips[4] = {.n_mels = BandedMusic::n_mels, .frames = 5, .db = std::vector<float>(5 * BandedMusic::n_mels, 3)};
    ShardStore store(folder);
    for (size_t i = 0; i < music.clips.size(); ++i) {
      const LogMel& mel = music.clips[i];
      const BlobRecord record = store.add({.content = {i, 1}}, BlobKind::log_mel, {}, std::as_bytes(std::span(mel.db)));
      MelClip clip;
      clip.n_mels = mel.n_mels;
      clip.frames = mel.frames;
      clip.hash = record.hash;
      const auto data = store.data(record);
      clip.memory = {data, reinterpret_cast<const float*>(data.get())};
      clips.push_back(std::move(clip));
      offsets.push_back(record.offset);
    }
  }
  ClipStore store(Device device, Residency residency, double top_db = 0, ClipStore::Repair repair = {}) const {
    Standardisation standardisation = music.card.standardisation;
    standardisation.top_db = top_db;
    return {clips, music.labels, BandedMusic::classes, standardisation, device, residency, std::move(repair)};
  }

  BandedMusic music;
  std::vector<MelClip> clips;
  std::vector<uint64_t> offsets;  // in the data of the shard
};

class ClipStoreOnDevice : public testing::TestWithParam<Device> {
 protected:
  void SetUp() override { MELGRAD_SKIP_WITHOUT(GetParam()); }
  TemporaryFolder folder_;
};

std::vector<float> random_batch(const ClipStore& store, const std::vector<int64_t>& picks) {
  const DeviceArray<int64_t> device_picks(picks, store.device());
  Generator generator(7, store.device()), on_host(7);
  generator.set_step(3);
  on_host.set_step(3);
  store.read_ahead(picks);
  store.prepare_random_crops(picks, BandedMusic::crop_frames, on_host);
  const Batch batch =
      store.random_crops({picks, device_picks.data()}, BandedMusic::crop_frames, DType::float32, generator);
  std::vector<float> values = batch.x.to_vector();
  const std::vector<float> targets = batch.targets.to_vector();
  values.insert(values.end(), targets.begin(), targets.end());
  return values;
}

std::vector<float> chosen_batch(const ClipStore& store, const std::vector<int64_t>& picks) {
  const std::vector<int64_t> starts{0, 3, 2, 24, 1};
  return store.crops(picks, starts, BandedMusic::crop_frames, DType::float32).x.to_vector();
}

TEST_P(ClipStoreOnDevice, GivesTheSameBitsInEveryResidency) {
  const MappedMusic mapped(folder_.path());
  const std::vector<int64_t> picks{1, 5, 4, 0, 4};
  for (const double top_db : {0.0, 20.0}) {
    Standardisation standardisation = mapped.music.card.standardisation;
    standardisation.top_db = top_db;
    const ClipStore expected(mapped.music.clips, mapped.music.labels, BandedMusic::classes, standardisation,
                             Device::cpu);
    for (const Residency residency : {Residency::automatic, Residency::device, Residency::host, Residency::disk}) {
      const ClipStore store = mapped.store(GetParam(), residency, top_db);
      EXPECT_EQ(random_batch(store, picks), random_batch(mapped.store(GetParam(), Residency::device, top_db), picks));
      EXPECT_EQ(chosen_batch(store, picks), chosen_batch(mapped.store(GetParam(), Residency::device, top_db), picks));
      if (GetParam() == Device::cpu) {
        EXPECT_EQ(random_batch(store, picks), random_batch(expected, picks));
      }
    }
  }
}

TEST_P(ClipStoreOnDevice, RepairsDamagedClips) {
  const MappedMusic mapped(folder_.path());
  const std::vector<int64_t> picks{1, 5, 4, 0, 4};
  const std::vector<float> expected = random_batch(mapped.store(GetParam(), Residency::device), picks);
  for (const auto& entry : fs::directory_iterator(folder_.path())) {
    if (entry.path().extension() != ".data") continue;
    std::fstream data(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    data.seekp(static_cast<std::streamoff>(mapped.offsets[5]) + 9);
    data.put('x');
  }
  ASSERT_FALSE(mapped.clips[5].is_intact());
  for (const Residency residency : {Residency::device, Residency::host, Residency::disk}) {
    std::vector<int64_t> repaired;
    const ClipStore store = mapped.store(GetParam(), residency, 0, [&](int64_t clip) {
      repaired.push_back(clip);
      return MelClip(mapped.music.clips[static_cast<size_t>(clip)]);
    });
    EXPECT_EQ(random_batch(store, picks), expected);
    EXPECT_EQ(random_batch(store, picks), expected);
    EXPECT_EQ(repaired, std::vector<int64_t>{5});
  }
}

// A whole training, whose checkpoints must be equal.
std::string trained(const MappedMusic& mapped, Device device, Residency residency) {
  const TemporaryFolder run;
  const ClipStore clips = mapped.store(device, residency);
  const ClipBatches batches(clips, mapped.music.names, {.crop_frames = BandedMusic::crop_frames});
  manual_seed(5);
  const auto network = make_model("cnn_bn", BandedMusic::classes, 0.2f);
  network->move_to(device);
  const TrainOptions options{.seed = 1, .epochs = 6, .batch_size = 4};
  Trainer trainer(*network, batches, cross_entropy_loss(0.1f),
                  track_validation(clips, {.crop_frames = BandedMusic::crop_frames, .crops = 3, .batch_size = 4}),
                  options, [](int64_t) { return 1e-3f; },
                  {.path = run.path(), .metadata = to_metadata(mapped.music.card)});
  trainer.run(ProgressMode::quiet, [](const EpochReport&) {});
  EXPECT_EQ(trainer.graph_obstacle(), "");
  return read_file(run / "last.safetensors");
}

TEST_P(ClipStoreOnDevice, TrainsTheSameWeightsInEveryResidency) {
  const MappedMusic mapped(folder_.path());
  const std::string expected = trained(mapped, GetParam(), Residency::device);
  for (const Residency residency : {Residency::host, Residency::disk}) {
    EXPECT_TRUE(trained(mapped, GetParam(), residency) == expected) << name_of(residency);
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, ClipStoreOnDevice, testing::Values(Device::cpu, Device::cuda),
                         [](const auto& test) { return std::string(name_of(test.param)); });

// Notes which items are announced and taken.
class NotingSource : public BatchSource {
 public:
  explicit NotingSource(const BatchSource& source) : source_(source) {}
  EpochSize epoch_size() const override { return source_.epoch_size(); }
  Batch batch(const BatchItems& items, Generator& generator) const override {
    for (const int64_t item : items.on_host) {
      ++taken[item];
      if (batches_ > 0) {
        EXPECT_EQ(announced[item], taken[item]) << "item " << item << " was not announced";
      }
    }
    ++batches_;
    return source_.batch(items, generator);
  }
  void read_ahead(std::span<const int64_t> items) const override {
    for (const int64_t item : items) ++announced[item];
  }
  std::string name(int64_t item) const override { return source_.name(item); }

  mutable std::map<int64_t, int> announced, taken;

 private:
  const BatchSource& source_;
  mutable int batches_ = 0;
};

TEST(Trainer, AnnouncesEveryItemOnceBeforeItsBatch) {
  const BandedMusic music(17);
  const BandedMusic::Training data(music, Device::cpu, {.crop_frames = BandedMusic::crop_frames}, 2);
  const NotingSource source(data.batches);
  const auto network = make_model("cnn_bn", BandedMusic::classes, 0);
  Trainer trainer(*network, source, cross_entropy_loss(0), data.validate, {.epochs = 1, .batch_size = 2},
                  [](int64_t) { return 1e-3f; }, {});
  trainer.train_steps(9);
  int announced = 0;
  for (const auto& [item, times] : source.announced) announced += times;
  EXPECT_EQ(announced, 17 - 2);  // all but the first batch
}

TEST(Residency, IsChosenByTheMemoryThatIsAvailable) {
  const TemporaryFolder root;
  write_text(root / "proc/meminfo", "MemTotal: 16000 kB\nMemAvailable:    8000 kB\n");
  EXPECT_EQ(available_memory(root.path()), 8000u * 1024);
  write_text(root / "proc/self/cgroup", "4:memory:/job\n");
  write_text(root / "sys/fs/cgroup/memory/job/memory.limit_in_bytes", "4000000\n");
  write_text(root / "sys/fs/cgroup/memory/job/memory.stat", "cache 900000\nrss 7\ntotal_cache 5\ntotal_rss 1000000\n");
  EXPECT_EQ(available_memory(root.path()), 3'000'000u);
  write_text(root / "proc/self/cgroup", "0::/job/step\n");
  write_text(root / "sys/fs/cgroup/job/memory.max", "2000000\n");
  write_text(root / "sys/fs/cgroup/job/memory.stat", "anon 500000\nfile 1400000\n");
  write_text(root / "sys/fs/cgroup/job/step/memory.max", "max\n");
  EXPECT_EQ(available_memory(root.path()), 1'500'000u);
  for (const Residency residency : {Residency::automatic, Residency::device, Residency::host, Residency::disk}) {
    EXPECT_EQ(residency_of(name_of(residency)), residency);
  }
  expect_error([] { residency_of("ram"); }, "choose auto, device, host or disk");
}

}  // namespace
}  // namespace melgrad::test
