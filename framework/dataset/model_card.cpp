#include "framework/dataset/model_card.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "framework/dataset/dataset.h"
#include "framework/dataset/label_comparison.h"
#include "framework/training/calibration.h"

namespace melgrad {
namespace {

using nlohmann::json;

constexpr const char* model_format = "1";

constexpr const char* temperature_key = "temperature";
constexpr const char* statistics_key = "statistics";

constexpr const char* keys[] = {"melgrad_format", "model", "labels", "mel", "standardisation", "crop_frames"};

using Metadata = std::map<std::string, std::string>;

void require_checkpoint(const Metadata& metadata, const std::string& file) {
  for (const char* key : keys) {
    if (!metadata.contains(key)) {
      fail(
          "{} is not a melgrad checkpoint: its metadata has no '{}'; give a .safetensors file that melgrad train wrote",
          file, key);
    }
  }
  const std::string& version = metadata.at("melgrad_format");
  if (version != model_format) {
    fail("{} has format {}, this program reads format {}; use the version that wrote it", file, version, model_format);
  }
}

// ---- parsing

// A parsed value takes many times the memory of its text. The longest valid text, the means and deviations of 65,536
// mel bins, has half this length.
json parse_entry(const Metadata& metadata, const char* key) {
  constexpr size_t longest = size_t{4} << 20;
  const std::string& text = metadata.at(key);
  if (text.size() > longest) fail("{} has {} bytes, at most {} are allowed", key, text.size(), longest);
  try {
    return json::parse(text);
  } catch (const json::parse_error& error) {
    fail("{} is not valid JSON at byte {}", key, error.byte);
  }
}

std::string shown(const json& value) {
  constexpr size_t longest = 80;
  if (value.is_structured()) return value.type_name();  // it may be nested deeply, and dump() is recursive
  const std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  return text.size() > longest ? text.substr(0, longest) + "..." : text;
}

const json& member(const json& object, const char* name) {
  if (!object.is_object() || !object.contains(name)) fail("there is no '{}'", name);
  return object.at(name);
}

// json::get would convert 4294967424 to 128 and 2048.7 to 2048 without an error.
template <class Integer>
Integer integer(const json& value, const char* name) {
  const bool fits = value.is_number_unsigned()
                        ? std::in_range<Integer>(value.get<uint64_t>())
                        : value.is_number_integer() && std::in_range<Integer>(value.get<int64_t>());
  if (!fits) {
    fail("{} is {}; it must be a whole number of at most {}", name, shown(value), std::numeric_limits<Integer>::max());
  }
  return value.get<Integer>();
}

double number(const json& value, const char* name) {
  if (!value.is_number()) fail("{} is {}; it must be a number", name, shown(value));
  return value.get<double>();
}

std::vector<float> floats(const json& list, const char* name) {
  if (!list.is_array()) fail("{} is {}; it must be a list of numbers", name, shown(list));
  std::vector<float> result;
  for (const json& value : list) {
    const double real = number(value, name);
    if (std::abs(real) > std::numeric_limits<float>::max())
      fail("{} has {}, which is outside the range of float32", name, real);
    result.push_back(static_cast<float>(real));
  }
  return result;
}

std::vector<std::string> texts(const json& list, const char* name) {
  if (!list.is_array()) fail("{} is {}; it must be a list of strings", name, shown(list));
  std::vector<std::string> result;
  for (const json& value : list) {
    if (!value.is_string()) fail("{} has {}; it must be a list of strings", name, shown(value));
    result.push_back(value.get<std::string>());
  }
  return result;
}

MelSettings parse_mel(const json& mel) {
  const auto whole = [&](const char* name) { return integer<int>(member(mel, name), name); };
  const auto real = [&](const char* name) { return number(member(mel, name), name); };
  const json& htk = member(mel, "htk");
  if (!htk.is_boolean()) fail("htk is {}; it must be true or false", shown(htk));
  return {.sample_rate = whole("sample_rate"),
          .n_fft = whole("n_fft"),
          .hop_length = whole("hop_length"),
          .n_mels = whole("n_mels"),
          .fmin = real("fmin"),
          .fmax = real("fmax"),
          .htk = htk,
          .top_db = real("top_db")};
}

std::optional<double> parse_temperature(const Metadata& metadata) {
  if (!metadata.contains(temperature_key)) return std::nullopt;
  const double value = number(parse_entry(metadata, temperature_key), temperature_key);
  if (!(value >= lowest_temperature && value <= highest_temperature)) {
    fail("{} is {}; it must be {} to {}", temperature_key, value, lowest_temperature, highest_temperature);
  }
  return value;
}

bool parse_statistics(const Metadata& metadata) {
  if (!metadata.contains(statistics_key)) return false;
  const json value = parse_entry(metadata, statistics_key);
  if (!value.is_boolean()) fail("{} is {}; it must be true or false", statistics_key, shown(value));
  return value.get<bool>();
}

ModelCard parse_card(const Metadata& metadata) {
  const json standardisation = parse_entry(metadata, "standardisation");
  return {.model = metadata.at("model"),
          .labels = texts(parse_entry(metadata, "labels"), "labels"),
          .mel = parse_mel(parse_entry(metadata, "mel")),
          .standardisation = {.mean = floats(member(standardisation, "mean"), "mean"),
                              .deviation = floats(member(standardisation, "deviation"), "deviation"),
                              .top_db = standardisation.contains("top_db")
                                            ? number(standardisation.at("top_db"), "top_db")
                                            : 0},  // models of whole clips, and older ones, have none
          .crop_frames = integer<int64_t>(parse_entry(metadata, "crop_frames"), "crop_frames"),
          .temperature = parse_temperature(metadata),
          .statistics = parse_statistics(metadata)};
}

// ---- comparison

// Features of another version or another instruction set differ by up to 0.001 dB, and their means and deviations too.
bool agree(const Standardisation& a, const Standardisation& b) {
  constexpr float tolerance = 0.002f;  // dB
  const auto close = [](float x, float y) { return std::abs(x - y) < tolerance; };
  return std::ranges::equal(a.mean, b.mean, close) && std::ranges::equal(a.deviation, b.deviation, close) &&
         a.top_db == b.top_db;
}

// ---- validation

void require_labels(const std::vector<std::string>& labels) {
  if (labels.size() > most_labels) fail("{} labels, at most {} are allowed", labels.size(), most_labels);
  std::set<std::string_view> seen;
  for (const std::string& label : labels) {
    if (const std::string reason = why_no_label(label); !reason.empty()) fail("the label '{}': {}", label, reason);
    if (!seen.insert(label).second) fail("the label '{}' occurs twice", label);
  }
}

void require_sense(const ModelCard& card) {
  validate(card.mel);
  require_labels(card.labels);
  require_crop(card.crop_frames, card.mel.n_mels);
  const auto bins = static_cast<size_t>(card.mel.n_mels);
  const auto& [mean, deviation, top_db] = card.standardisation;
  if (!(top_db >= 0) || !std::isfinite(top_db)) fail("top_db of a crop is {}; it must be at least 0", top_db);
  const bool positive = std::ranges::all_of(deviation, [](float value) { return value > 0; });
  if (card.labels.empty() || mean.size() != bins || deviation.size() != bins || !positive) {
    fail("{} labels, {} mel bins, {} means, {} deviations{}", card.labels.size(), bins, mean.size(), deviation.size(),
         positive ? "" : " that are not all positive");
  }
}

}  // namespace

void require_crop(int64_t crop_frames, int64_t n_mels) {
  constexpr int64_t most_values = int64_t{1} << 18;
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
  json standardisation{{"mean", card.standardisation.mean}, {"deviation", card.standardisation.deviation}};
  if (card.standardisation.top_db > 0) standardisation["top_db"] = card.standardisation.top_db;
  Metadata metadata{{"melgrad_format", model_format},
                    {"model", card.model},
                    {"labels", json(card.labels).dump()},
                    {"mel", mel.dump()},
                    {"standardisation", standardisation.dump()},
                    {"crop_frames", std::to_string(card.crop_frames)}};
  if (card.temperature) metadata.insert(temperature_entry(*card.temperature));
  if (card.statistics) metadata[statistics_key] = "true";
  return metadata;
}

std::pair<std::string, std::string> temperature_entry(double temperature) {
  return {temperature_key, json(temperature).dump()};
}

std::string calibration_note(const ModelCard& card, const std::string& file) {
  if (card.temperature) return "";
  return fmt::format(
      "{} has no temperature, so its probabilities are not calibrated (temperature 1); train again for calibrated ones",
      file);
}

ModelCard model_card(const Metadata& metadata, const std::string& file) {
  require_checkpoint(metadata, file);
  const auto refuse = [&](const char* what, const Error& error) {
    fail("{}: its metadata {}: {}; fetch it again or train again", file, what, error.what());
  };
  ModelCard card;
  try {
    card = parse_card(metadata);
  } catch (const Error& error) {
    refuse("cannot be read", error);
  }
  try {
    require_sense(card);
  } catch (const Error& error) {
    refuse("is invalid", error);
  }
  return card;
}

void require_same_card(const Metadata& metadata, const ModelCard& card, const std::string& file) {
  ModelCard trained = model_card(metadata, file);
  trained.temperature = card.temperature;
  require_same_labels(trained.labels, card.labels, file);
  if (agree(trained.standardisation, card.standardisation)) trained.standardisation = card.standardisation;
  if (to_metadata(trained) != to_metadata(card)) {
    fail("{} was trained with other settings of the model or its features; resume with the options of the run", file);
  }
}

}  // namespace melgrad
