// Initial weights from a trained model: transfer learning.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "framework/dataset/model_card.h"
#include "framework/io/safetensors.h"
#include "framework/module.h"

namespace melgrad {

class Pretrained {
 public:
  // Reads a checkpoint of melgrad, last.safetensors if `file` is a run folder, or any other safetensors file with the
  // names of torchvision's networks. Throws Error if there is none, or if it is a checkpoint of another model than
  // `model`, a name of models/models.h.
  Pretrained(const std::filesystem::path& file, const std::string& model);

  // Copies the weights and the batch norm statistics to a model. The head, the last linear layer, keeps its initial
  // values unless the file is a checkpoint with the same labels. The first convolution of a network for pictures is
  // summed over its input channels. Returns a line for the user that names every tensor that was not taken as it is.
  // Throws Error naming a tensor that is missing, has another shape or dtype, or has values that are not finite.
  std::string load_into(const Module& model, const std::vector<std::string>& labels) const;

  // Lines for the user if the file was trained with other features than these; empty for files without metadata.
  std::vector<std::string> notes_on_features(const MelSettings& mel) const;

 private:
  bool has_labels(const std::vector<std::string>& labels) const { return card_ && card_->labels == labels; }

  std::string file_;
  SafeTensors content_;
  std::optional<ModelCard> card_;  // of a checkpoint of melgrad
};

}  // namespace melgrad
