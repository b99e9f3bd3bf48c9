// Sample-rate conversion of a stream of samples by libsoxr at its HQ quality, as librosa's res_type="soxr_hq".
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

struct soxr;

namespace melgrad {

class Resampler {
 public:
  // Rates in Hz. If they are equal, samples are only copied. Throws Error for rates that libsoxr does not support.
  Resampler(int from_rate, int to_rate);
  ~Resampler();

  // Appends the samples that can be computed so far to `out`.
  void process(std::span<const float> in, std::vector<float>& out);
  // Appends the remaining samples, in total ceil(samples in * to_rate / from_rate). Must be the last call.
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
