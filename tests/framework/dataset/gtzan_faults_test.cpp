#include "framework/dataset/gtzan_faults.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace melgrad::test {
namespace {

TEST(GtzanFaults, AreNamedIfTheDataSetIsGtzan) {
  Dataset dataset{
      .labels = {"blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"}};
  const auto add_tracks = [&](int per_label) {
    dataset.tracks.clear();
    for (size_t label = 0; label < dataset.labels.size(); ++label) {
      const std::string& genre = dataset.labels[label];
      for (int i = 0; i < per_label; ++i) {
        dataset.tracks.push_back(
            {.name = fmt::format("{0}/{0}.{1:05}.wav", genre, i), .label = static_cast<int>(label)});
      }
    }
  };
  add_tracks(100);
  const std::vector<KnownFault> faults = known_gtzan_faults(dataset);
  EXPECT_EQ(faults.size(), 71u) << "the 70 tracks that the fault-filtered split leaves out, and jazz.00054";
  const auto fault_of = [&](const std::string& name) {
    for (const KnownFault& known : faults) {
      if (dataset.tracks[known.track].name == name) return known.fault;
    }
    return std::string();
  };
  expect_contains(fault_of("jazz/jazz.00054.wav"), "cannot be read");
  expect_contains(fault_of("pop/pop.00021.wav"), "fault-filtered");
  expect_contains(fault_of("jazz/jazz.00033.wav"), "the same excerpt as jazz.00051");
  expect_contains(fault_of("reggae/reggae.00081.wav"), "the same excerpt as reggae.00082");
  expect_contains(fault_of("reggae/reggae.00086.wav"), "distorted");
  EXPECT_EQ(fault_of("pop/pop.00000.wav"), "");
  add_tracks(64);
  EXPECT_TRUE(known_gtzan_faults(dataset).empty()) << "another data set with the names of GTZAN";
}

}  // namespace
}  // namespace melgrad::test
