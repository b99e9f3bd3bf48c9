#include "framework/prediction/genre_tag_writer.h"

#include <utility>

#include "framework/audio/genre_tag.h"
#include "framework/io/atomic_file.h"

namespace melgrad {
namespace {

class GenreTagWriter final : public PredictionWriter {
 public:
  GenreTagWriter(std::filesystem::path folder, std::function<void(const std::string&)> failed)
      : folder_(std::move(folder)), failed_(std::move(failed)) {}

  void add(const Input& input, const Answer& answer) override {
    if (answer.label == unsure_label) return;
    std::filesystem::path target = input.path;
    if (!folder_.empty()) {
      target = folder_ / names_.unique(input.name);
      make_folders(target.parent_path());
    }
    try {
      write_genre(input.path, target, answer.label);
    } catch (const Error& error) {
      failed_(error.what());
    }
  }

 private:
  std::filesystem::path folder_;
  std::function<void(const std::string&)> failed_;
  OutputNames names_;
};

}  // namespace

std::unique_ptr<PredictionWriter> genre_tag_writer(const std::filesystem::path& folder,
                                                   std::function<void(const std::string&)> failed) {
  return std::make_unique<GenreTagWriter>(folder, std::move(failed));
}

}  // namespace melgrad
