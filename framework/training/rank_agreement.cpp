#include "framework/training/rank_agreement.h"

#include <cstdint>
#include <nlohmann/json.hpp>

#include "kernels/device/error.h"

namespace melgrad {
namespace {

// The text of every rank.
std::vector<std::string> gather_texts(Communicator& ranks, const std::string& mine) {
  const auto length = static_cast<uint64_t>(mine.size());
  std::vector<uint64_t> lengths(static_cast<size_t>(ranks.size()));
  ranks.all_gather(&length, sizeof length, lengths.data());
  std::vector<std::string> texts;
  for (int r = 0; r < ranks.size(); ++r) {
    std::string text = r == ranks.rank() ? mine : std::string(lengths[static_cast<size_t>(r)], '\0');
    ranks.broadcast(text.data(), text.size(), r);
    texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace

void require_agreement(Communicator& ranks, const std::map<std::string, std::string>& properties) {
  using Properties = std::map<std::string, std::string>;
  const std::vector<std::string> texts =
      gather_texts(ranks, nlohmann::json(properties).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  const auto of_first = nlohmann::json::parse(texts[0]).get<Properties>();
  for (size_t r = 1; r < texts.size(); ++r) {
    auto of_rank = nlohmann::json::parse(texts[r]).get<Properties>();
    for (const auto& [name, value] : of_first) {
      if (of_rank[name] == value) continue;
      fail(
          "rank {} has another {} than rank 0: {} instead of {}; start all ranks with the same program, options and "
          "data",
          r, name, of_rank[name].empty() ? "none" : of_rank[name], value.empty() ? "none" : value);
    }
  }
}

}  // namespace melgrad
