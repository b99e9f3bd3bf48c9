#include "framework/adam_tables.h"

#include <algorithm>

namespace melgrad {

void AdamTables::make_spares() {
  constexpr int64_t wanted = 2;  // a data set has batches of at most two sizes
  const auto is_spare = [](const auto& uploaded) { return !uploaded->kept; };
  for (auto spares = std::ranges::count_if(uploaded_, is_spare); spares < wanted; ++spares) {
    uploaded_.push_back(std::make_unique<Uploaded>());
    uploaded_.back()->table = {{parameters_, device_}, {parameters_, device_}};
  }
}

const AdamTables::Table& AdamTables::find_or_upload(const std::vector<kernel::GradientSlot>& gradients,
                                                    const std::vector<kernel::AdamSlot>& updates) {
  const auto found = std::ranges::find_if(uploaded_, [&](const auto& uploaded) {
    return uploaded->gradients == gradients && uploaded->updates == updates;
  });
  last_ = found != uploaded_.end() ? static_cast<size_t>(found - uploaded_.begin()) : longest_unused_spare();
  Uploaded& uploaded = *uploaded_[last_];
  if (found == uploaded_.end()) {
    uploaded.gradients.clear();  // matches nothing if an upload fails
    uploaded.table.gradients.assign(gradients);
    uploaded.table.updates.assign(updates);
    uploaded.gradients = gradients;
    uploaded.updates = updates;
  }
  uploaded.last_use = ++uses_;
  return uploaded.table;
}

size_t AdamTables::longest_unused_spare() const {
  size_t best = uploaded_.size();
  for (size_t i = 0; i < uploaded_.size(); ++i) {
    if (!uploaded_[i]->kept && (best == uploaded_.size() || uploaded_[i]->last_use < uploaded_[best]->last_use))
      best = i;
  }
  MELGRAD_CHECK(best < uploaded_.size(), "all tables of Adam belong to graphs; call make_spares first");
  return best;
}

}  // namespace melgrad
