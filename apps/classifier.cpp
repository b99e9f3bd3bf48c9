#include "apps/classifier.h"

#include <cmath>

#include "framework/training/state_dict.h"
#include "models/models.h"

namespace melgrad {

namespace {

void require_finite(const Named& named, const std::string& file) {
  if (named.tensor.dtype() != DType::float32) return;
  const bool is_variance = named.name.ends_with("running_var");
  for (const float value : named.tensor.to_vector()) {
    if (!std::isfinite(value)) fail("{}: tensor {} holds values that are not finite; train again", file, named.name);
    if (is_variance && value < 0) fail("{}: tensor {} holds the variance {}; train again", file, named.name, value);
  }
}

}  // namespace

Classifier load_classifier(const std::filesystem::path& run, Device device) {
  Classifier classifier;
  std::error_code unseen;  // of a file that may not be looked at: reading says so
  classifier.file = std::filesystem::is_directory(run, unseen) ? run / "last.safetensors" : run;
  const std::string file = classifier.file.string();
  if (!std::filesystem::exists(classifier.file, unseen) && !unseen) {
    fail("{} does not exist; give the --out folder of a melgrad train, or a .safetensors file", file);
  }
  const SafeTensors tensors = read_safetensors(file);
  classifier.card = model_card(tensors.metadata, file);
  try {
    classifier.model = make_model(classifier.card.model, classifier.classes());
  } catch (const Error& error) {
    fail("{} cannot be used: {}", file, error.what());
  }
  load_state_dict(*classifier.model, tensors, "optimizer.", file);
  for (const auto& members : {classifier.model->parameters(), classifier.model->buffers()}) {
    for (const Named& named : members) require_finite(named, file);
  }
  classifier.model->move_to(device);
  classifier.model->train(false);
  return classifier;
}

}  // namespace melgrad
