// Replaces libFuzzer in builds without clang. fuzz_TARGET CORPUS MUTATIONS runs the target on every file of the corpus,
// truncated at every hundredth of its length, and then on seeded mutations, which are the same on every machine.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "framework/io/atomic_file.h"
#include "kernels/device/philox.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size);

namespace {

class Draws {
 public:
  size_t below(size_t bound) { return static_cast<size_t>(melgrad::philox(0, next_++, 0).v[0]) % bound; }

 private:
  uint64_t next_ = 0;
};

void execute(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

void mutate_once(std::string& input, const std::string& other, Draws& draws) {
  using namespace std::string_view_literals;
  constexpr auto special = "\x00\xFF\x7F\x80\x01\n\r\",[]{}0919-e."sv;
  if (input.empty()) input = other;
  if (input.empty()) return;
  const size_t at = draws.below(input.size()), length = 1 + draws.below(std::min<size_t>(16, input.size() - at));
  switch (draws.below(7)) {
    case 0:
      input[at] = static_cast<char>(input[at] ^ 1 << draws.below(8));
      break;
    case 1:
      input[at] = special[draws.below(special.size())];
      break;
    case 2:
      input.erase(at, length);
      break;
    case 3:
      input.insert(at, input.substr(at, length));
      break;
    case 4:
      input.insert(at, 1 + draws.below(8), special[draws.below(special.size())]);
      break;
    case 5:
      input.replace(at, length, length, special[draws.below(special.size())]);
      break;
    default:
      if (!other.empty()) input.replace(at, length, other.substr(draws.below(other.size()), length));
  }
}

}  // namespace

int main(int argc, char** argv) {
  size_t mutations = 0;
  if (argc == 3) {
    const std::string_view count = argv[2];
    std::from_chars(count.data(), count.data() + count.size(), mutations);
  }
  if (mutations == 0) {
    std::fprintf(stderr, "usage: %s CORPUS MUTATIONS\n", argv[0]);
    return 2;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::string> corpus;
  for (const auto& file : files) corpus.push_back(melgrad::read_file(file));
  for (const std::string& input : corpus) {
    for (size_t percent = 0; percent <= 100; ++percent) execute(input.substr(0, input.size() * percent / 100));
  }
  Draws draws;
  for (size_t i = 0; i < mutations; ++i) {
    std::string input = corpus[draws.below(corpus.size())];
    for (size_t edits = 1 + draws.below(5); edits > 0; --edits) {
      mutate_once(input, corpus[draws.below(corpus.size())], draws);
    }
    execute(input);
  }
  std::printf("%zu files, %zu mutations\n", corpus.size(), mutations);
}
