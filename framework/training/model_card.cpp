#include "framework/training/model_card.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "framework/text.h"

namespace melgrad {
namespace {

using nlohmann::json;

constexpr const char* format_version = "1";

const std::string& entry(const std::map<std::string, std::string>& metadata, const char* key, const std::string& file) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) fail("{} is not a melgrad checkpoint: its metadata has no '{}'", file, key);
  return found->second;
}

// Each class is an output of the model, so their number is memory.
void require_labels(const std::vector<std::string>& labels) {
  constexpr size_t most_labels = 10'000;
  if (labels.size() > most_labels) fail("{} labels, {} are allowed", labels.size(), most_labels);
  std::set<std::string_view> seen;
  for (const std::string& label : labels) {
    if (const std::string reason = why_no_label(label); !reason.empty()) fail("the label '{}': {}", label, reason);
    if (!seen.insert(label).second) fail("the label '{}' is there twice", label);
  }
}

}  // namespace

void require_crop(int64_t crop_frames, int64_t n_mels) {
  constexpr int64_t most_values = int64_t{1} << 22;
  if (crop_frames < 1 || crop_frames > most_values / std::max<int64_t>(1, n_mels)) {
    fail("a crop of {} frames of {} mel bins; it must have at least 1 frame and at most {} values", crop_frames, n_mels,
         most_values);
  }
}

std::map<std::string, std::string> to_metadata(const ModelCard& card) {
  const json mel{{"sample_rate", card.mel.sample_rate},
                 {"n_fft", card.mel.n_fft},
                 {"hop_length", card.mel.hop_length},
                 {"n_mels", card.mel.n_mels},
                 {"fmin", card.mel.fmin},
                 {"fmax", card.mel.fmax},
                 {"htk", card.mel.htk},
                 {"top_db", card.mel.top_db}};
  const json standardisation{{"mean", card.standardisation.mean}, {"deviation", card.standardisation.deviation}};
  return {{"melgrad_format", format_version},          {"model", card.model},
          {"labels", json(card.labels).dump()},        {"mel", mel.dump()},
          {"standardisation", standardisation.dump()}, {"crop_frames", std::to_string(card.crop_frames)}};
}

ModelCard model_card(const std::map<std::string, std::string>& metadata, const std::string& file) {
  const std::string& version = entry(metadata, "melgrad_format", file);
  if (version != format_version) {
    fail("{} has format {}, this program reads format {}; use the version that wrote it", file, version,
         format_version);
  }
  ModelCard card;
  try {
    card.model = entry(metadata, "model", file);
    card.labels = json::parse(entry(metadata, "labels", file)).get<std::vector<std::string>>();
    const json mel = json::parse(entry(metadata, "mel", file));
    card.mel = {.sample_rate = mel.at("sample_rate"),
                .n_fft = mel.at("n_fft"),
                .hop_length = mel.at("hop_length"),
                .n_mels = mel.at("n_mels"),
                .fmin = mel.at("fmin"),
                .fmax = mel.at("fmax"),
                .htk = mel.at("htk"),
                .top_db = mel.at("top_db")};
    const json standardisation = json::parse(entry(metadata, "standardisation", file));
    card.standardisation = {.mean = standardisation.at("mean").get<std::vector<float>>(),
                            .deviation = standardisation.at("deviation").get<std::vector<float>>()};
    card.crop_frames = json::parse(entry(metadata, "crop_frames", file));
  } catch (const json::exception& error) {
    fail("{}: its metadata cannot be read: {}", file, error.what());
  }
  try {
    validate(card.mel);
    require_labels(card.labels);
    require_crop(card.crop_frames, card.mel.n_mels);
  } catch (const Error& error) {
    fail("{}: its metadata makes no sense: {}", file, error.what());
  }
  const auto bins = static_cast<size_t>(card.mel.n_mels);
  const bool finite = std::ranges::all_of(card.standardisation.mean, [](float mean) { return std::isfinite(mean); });
  const bool positive = finite && std::ranges::all_of(card.standardisation.deviation, [](float deviation) {
                          return deviation > 0 && std::isfinite(deviation);
                        });
  if (card.labels.empty() || card.crop_frames < 1 || card.standardisation.mean.size() != bins ||
      card.standardisation.deviation.size() != bins || !positive) {
    fail("{}: its metadata makes no sense ({} labels, crops of {} frames, {} mel bins, {} means, {} deviations)", file,
         card.labels.size(), card.crop_frames, bins, card.standardisation.mean.size(),
         card.standardisation.deviation.size());
  }
  return card;
}

}  // namespace melgrad
