#include "kernels/device/cudnn/plan_file.cuh"

#include <fmt/format.h>
#include <unistd.h>
#include <xxhash.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "kernels/device/note.h"

namespace melgrad::kernel::cudnn {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* format = "melgrad cuDNN plans";
constexpr int version = 2;

// The checksum covers the text of the plans, so that any change of it is detected.
std::string checksum_of(const Json& plans) {
  const std::string text = plans.dump();
  return fmt::format("{:016x}", XXH3_64bits(text.data(), text.size()));
}

}  // namespace

// nlohmann_json calls these to convert an EngineChoice.
static void to_json(Json& json, const EngineChoice& choice) {
  json = {{"engine", choice.engine}, {"knobs", choice.knobs}};
}
static void from_json(const Json& json, EngineChoice& choice) {
  json.at("engine").get_to(choice.engine);
  json.at("knobs").get_to(choice.knobs);
}

std::string plan_key(const std::string& chip, size_t cudnn_version, const Convolution& convolution) {
  return fmt::format("{}, cuDNN {}: {}", chip, cudnn_version, describe(convolution));
}

PlanFile::PlanFile(fs::path path) : path_(std::move(path)) { choices_ = read(); }

std::optional<EngineChoice> PlanFile::find(const std::string& key) const {
  const auto found = choices_.find(key);
  return found == choices_.end() ? std::nullopt : std::optional(found->second);
}

void PlanFile::put(const std::string& key, const EngineChoice& choice) {
  if (!path_.empty()) choices_.merge(read());
  choices_[key] = choice;
  if (path_.empty()) return;
  try {
    write();
  } catch (const std::exception& error) {
    note_on_stderr(
        fmt::format("convolution plans are not saved: {}; set MELGRAD_CACHE to another folder", error.what()));
    path_.clear();
  }
}

PlanFile::Choices PlanFile::read() const {
  std::ifstream file(path_);
  if (!file) return {};
  try {
    const Json json = Json::parse(file);
    if (json.at("format") != format || json.at("version") != version) fail("it is of another format or version");
    if (json.at("checksum") != checksum_of(json.at("plans"))) fail("its plans do not match its checksum");
    return json.at("plans").get<Choices>();
  } catch (const std::exception& error) {
    note_on_stderr(fmt::format("{} is not used and will be replaced: {}", path_.string(), error.what()));
    return {};
  }
}

void PlanFile::write() const {
  fs::create_directories(path_.parent_path());
  const fs::path temporary = fmt::format("{}.{}.tmp", path_.string(), getpid());
  try {
    std::ofstream file;
    file.exceptions(std::ios::failbit | std::ios::badbit);
    file.open(temporary);
    const Json plans = choices_;
    file << Json{{"format", format}, {"version", version}, {"checksum", checksum_of(plans)}, {"plans", plans}}.dump(1)
         << '\n';
    file.close();
    fs::rename(temporary, path_);
  } catch (...) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw;
  }
}

}  // namespace melgrad::kernel::cudnn
