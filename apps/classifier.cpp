#include "apps/classifier.h"

#include <cmath>

#include "framework/training/state_dict.h"
#include "models/models.h"

namespace melgrad {

Classifier load_classifier(const std::filesystem::path& run, Device device) {
  Classifier classifier;
  classifier.file = std::filesystem::is_directory(run) ? run / "last.safetensors" : run;
  const std::string file = classifier.file.string();
  if (!std::filesystem::exists(classifier.file)) {
    fail("{} does not exist; give the --out folder of a melgrad train, or a .safetensors file", file);
  }
  const SafeTensors tensors = read_safetensors(file);
  classifier.card = model_card(tensors.metadata, file);
  classifier.model = make_model(classifier.card.model, classifier.classes());
  load_state_dict(*classifier.model, tensors, "optimizer.", file);
  for (const Named& named : classifier.model->parameters()) {
    for (const float value : named.tensor.to_vector()) {
      if (!std::isfinite(value)) fail("{}: tensor {} holds values that are not finite; train again", file, named.name);
    }
  }
  classifier.model->move_to(device);
  classifier.model->train(false);
  return classifier;
}

}  // namespace melgrad
