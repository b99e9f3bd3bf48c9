#include "framework/audio/resampler.h"

#include <soxr.h>

#include <cmath>

#include "kernels/device/error.h"

namespace melgrad {

void Resampler::Deleter::operator()(soxr* handle) const noexcept { soxr_delete(handle); }

Resampler::Resampler(int from_rate, int to_rate) : ratio_(static_cast<double>(to_rate) / from_rate) {
  if (from_rate == to_rate) return;
  const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  soxr_error_t error = nullptr;
  soxr_.reset(soxr_create(from_rate, to_rate, 1, &error, &io, &quality, nullptr));
  if (error) fail("cannot resample from {} Hz to {} Hz: {}", from_rate, to_rate, error);
}

Resampler::~Resampler() = default;

// Passes `count` samples to libsoxr (null: the input has ended) and appends its output, as far as it fits into the
// buffer. Returns the number of samples consumed.
size_t Resampler::run(const float* in, size_t count, std::vector<float>& out) {
  const size_t before = out.size();
  const auto room = static_cast<size_t>(static_cast<double>(count) * ratio_) + 4096;
  out.resize(before + room);
  size_t taken = 0, made = 0;
  const soxr_error_t error = soxr_process(soxr_.get(), in, count, &taken, out.data() + before, room, &made);
  out.resize(before + made);
  if (error) fail("cannot resample: {}", error);
  samples_out_ += static_cast<int64_t>(made);
  return taken;
}

void Resampler::process(std::span<const float> in, std::vector<float>& out) {
  samples_in_ += static_cast<int64_t>(in.size());
  if (!soxr_) {
    out.insert(out.end(), in.begin(), in.end());
    return;
  }
  while (!in.empty()) in = in.subspan(run(in.data(), in.size(), out));
}

void Resampler::finish(std::vector<float>& out) {
  if (!soxr_) return;
  for (int64_t before = -1; before != samples_out_;) {
    before = samples_out_;
    run(nullptr, 0, out);
  }
  // The expression that librosa uses, for the same rounding. librosa pads with zeros, too.
  const auto expected = static_cast<int64_t>(std::ceil(static_cast<double>(samples_in_) * ratio_));
  out.resize(static_cast<size_t>(static_cast<int64_t>(out.size()) + expected - samples_out_));
  samples_out_ = expected;
}

}  // namespace melgrad
