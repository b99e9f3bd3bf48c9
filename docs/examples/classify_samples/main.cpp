// Prints the probabilities of the genres of raw float32 mono samples, read from standard input:
//   ffmpeg -loglevel error -i song.mp3 -f f32le -ac 1 -ar 44100 - | classify_samples RUN 44100
#include <melgrad/models/classifier.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

int main(int argc, char** argv) try {
  if (argc != 3) throw std::runtime_error("usage: classify_samples RUN SAMPLE_RATE <samples");
  std::vector<float> samples;
  std::vector<float> piece(1 << 16);
  while (const size_t count = std::fread(piece.data(), sizeof(float), piece.size(), stdin)) {
    samples.insert(samples.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count));
  }
  const melgrad::Classifier classifier(argv[1]);
  for (const auto& [label, probability] : classifier.classify(samples, std::atoi(argv[2]))) {
    std::printf("%.3f %s\n", static_cast<double>(probability), label.c_str());
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "classify_samples: %s\n", error.what());
  return 1;
}
