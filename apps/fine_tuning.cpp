#include "apps/fine_tuning.h"

#include "models/models.h"
#include "models/stages.h"

namespace melgrad {

void add_fine_tuning_options(CLI::App& command, FineTuningOptions& options) {
  command
      .add_option("--init", options.init,
                  "Start from the weights of this run folder or .safetensors file instead of random ones. The head is "
                  "new unless the labels are the same")
      ->type_name("CHECKPOINT");
  command
      .add_option("--freeze", options.freeze,
                  "Do not train the stages up to and including this one: stem, layer1, ..., layer4 of a ResNet, "
                  "block1, ..., block4 of a plain network. Needs --init")
      ->type_name("STAGE");
  command
      .add_option("--layer-decay", options.layer_decay,
                  "Layer-wise learning rate decay: the learning rate of a stage is this fraction of that of the next "
                  "one; the head has the full rate. 0: the same rate everywhere")
      ->check(CLI::Range(0.0, 1.0));
}

FineTuning prepare_fine_tuning(const FineTuningOptions& options, bool resumed, const std::string& model,
                               const std::vector<std::string>& labels, const MelSettings& mel,
                               const OutputOptions& output) {
  FineTuning tuning;
  if (options.init.empty() && !options.freeze.empty()) {
    throw UsageError("--freeze would keep random weights; give trained ones with --init");
  }
  if (options.init.empty() && options.layer_decay == 0) return tuning;
  if (!options.init.empty() && !resumed) tuning.pretrained = std::make_unique<const Pretrained>(options.init, model);
  const std::unique_ptr<Module> trial = make_model(model, static_cast<int64_t>(labels.size()));
  if (options.layer_decay > 0) tuning.learning_rate_factors = layer_decay_factors(*trial, options.layer_decay);
  if (!options.freeze.empty()) freeze_up_to(*trial, options.freeze);
  if (tuning.pretrained) {
    output.note(tuning.pretrained->load_into(*trial, labels));
    for (const std::string& note : tuning.pretrained->notes_on_features(mel)) output.note(note);
  }
  return tuning;
}

void freeze_stages(const FineTuningOptions& options, const Module& model, const OutputOptions& output) {
  if (options.freeze.empty()) return;
  freeze_up_to(model, options.freeze);
  int64_t all = 0, trained = 0;
  for (const Named& named : model.parameters()) {
    all += named.tensor.numel();
    trained += named.tensor.requires_grad() ? named.tensor.numel() : 0;
  }
  output.note(fmt::format("frozen up to {}: {} of {} parameters are trained", options.freeze, trained, all));
}

}  // namespace melgrad
