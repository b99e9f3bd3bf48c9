#include "apps/classifier.h"

#include "framework/training/state_dict.h"
#include "models/models.h"

namespace melgrad {

Classifier load_classifier(const std::filesystem::path& run, Device device) {
  Classifier classifier;
  classifier.file = std::filesystem::is_directory(run) ? run / "last.safetensors" : run;
  const std::string file = classifier.file.string();
  if (!std::filesystem::exists(classifier.file)) {
    fail("{} does not exist; give the --out folder of a melgrad train that has finished an epoch, or a checkpoint",
         file);
  }
  const SafeTensors tensors = read_safetensors(file);
  classifier.card = model_card(tensors.metadata, file);
  classifier.model = make_model(classifier.card.model, classifier.classes());
  load_state_dict(*classifier.model, tensors, "optimizer.", file);
  classifier.model->move_to(device);
  classifier.model->train(false);
  return classifier;
}

}  // namespace melgrad
