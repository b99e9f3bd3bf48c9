#include "framework/training/rank_agreement.h"

#include <cstdint>
#include <nlohmann/json.hpp>

#include "kernels/device/error.h"

namespace melgrad {
namespace {

using Properties = std::map<std::string, std::string>;

std::string value_of(const Properties& properties, const std::string& name) {
  const auto found = properties.find(name);
  return found == properties.end() || found->second.empty() ? "none" : found->second;
}

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

void require_agreement(Communicator& ranks, const Properties& properties) {
  const std::vector<std::string> texts =
      gather_texts(ranks, nlohmann::json(properties).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  const auto of_first = nlohmann::json::parse(texts[0]).get<Properties>();
  for (size_t r = 1; r < texts.size(); ++r) {
    const auto of_rank = nlohmann::json::parse(texts[r]).get<Properties>();
    Properties names = of_first;
    names.insert(of_rank.begin(), of_rank.end());  // one of them may lack an option that the other was given
    for (const auto& [name, unused] : names) {
      const std::string mine = value_of(of_rank, name), first = value_of(of_first, name);
      if (mine == first) continue;
      fail(
          "rank {} has another {} than rank 0: {} instead of {}; start all ranks with the same program, options and "
          "data",
          r, name, mine, first);
    }
  }
}

}  // namespace melgrad
