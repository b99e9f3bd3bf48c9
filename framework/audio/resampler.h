// Sample-rate conversion by libsoxr's HQ recipe, as librosa's res_type="soxr_hq" does it, of a stream in pieces.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

struct soxr;

namespace melgrad {

class Resampler {
 public:
  // Rates in Hz. Equal rates pass samples through.
  Resampler(int from_rate, int to_rate);
  ~Resampler();

  // Appends to `out` what can be computed so far.
  void process(std::span<const float> in, std::vector<float>& out);
  // Appends the rest: ceil(samples in * to_rate / from_rate) came out in all. Nothing may follow.
  void finish(std::vector<float>& out);

 private:
  struct Deleter {
    void operator()(soxr*) const noexcept;
  };
  size_t run(const float* in, size_t count, std::vector<float>& out);

  double ratio_;
  std::unique_ptr<soxr, Deleter> soxr_;  // null when the rates are equal
  int64_t samples_in_ = 0, samples_out_ = 0;
};

}  // namespace melgrad
