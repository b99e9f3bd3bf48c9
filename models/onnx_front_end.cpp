#include "models/onnx_front_end.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "framework/audio/mel_filter_bank.h"

namespace melgrad {
namespace {

// Bins of the Fourier transform, the last one excluded.
struct BinRange {
  int64_t first, last;
  int64_t count() const { return last - first; }
};

// The bins that a mel filter takes: those outside fmin and fmax, and that of 0 Hz, have no weight.
BinRange used_bins(const kernel::MelFilters& filters) {
  BinRange range{.first = most_n_fft, .last = 0};
  for (int64_t mel = 0; mel < filters.n_mels; ++mel) {
    for (int32_t i = filters.offset[mel]; i < filters.offset[mel + 1]; ++i) {
      if (filters.weights[i] == 0) continue;
      const int64_t bin = filters.first_bin[mel] + i - filters.offset[mel];
      range = {.first = std::min(range.first, bin), .last = std::max(range.last, bin + 1)};
    }
  }
  return range;
}

// [n_mels, bins]
std::vector<float> dense_filters(const kernel::MelFilters& filters, const BinRange& bins) {
  std::vector<float> dense(static_cast<size_t>(filters.n_mels * bins.count()));
  for (int64_t mel = 0; mel < filters.n_mels; ++mel) {
    for (int32_t i = filters.offset[mel]; i < filters.offset[mel + 1]; ++i) {
      const int64_t bin = filters.first_bin[mel] + i - filters.offset[mel] - bins.first;
      if (bin >= 0 && bin < bins.count()) dense[static_cast<size_t>(mel * bins.count() + bin)] = filters.weights[i];
    }
  }
  return dense;
}

// [2 bins, 1, n_fft]: window * cos of every bin, then window * sin; the sign of the sine does not matter for the power.
std::vector<float> windowed_basis(int n_fft, const BinRange& bins) {
  const std::vector<double> window = hann_window(n_fft);
  std::vector<float> basis;
  basis.reserve(static_cast<size_t>(2 * bins.count() * n_fft));
  for (const double phase : {0.0, -0.5 * std::numbers::pi}) {
    for (int64_t bin = bins.first; bin < bins.last; ++bin) {
      for (int64_t i = 0; i < n_fft; ++i) {
        // The remainder keeps the argument small and exact.
        const double angle = 2 * std::numbers::pi * static_cast<double>(bin * i % n_fft) / n_fft;
        basis.push_back(static_cast<float>(window[static_cast<size_t>(i)] * std::cos(angle + phase)));
      }
    }
  }
  return basis;
}

}  // namespace

std::string append_front_end(OnnxModel& graph, const MelSettings& settings, const std::string& waveform) {
  const MelFilterBank filter_bank(settings);
  const kernel::MelFilters filters = filter_bank.filters();
  const BinRange bins = used_bins(filters);
  // An untrusted checkpoint may name a long transform, whose basis would not fit into the memory.
  constexpr int64_t most_values = int64_t{1} << 28;
  if (2 * bins.count() * settings.n_fft > most_values) {
    fail("n_fft {} with {} bins needs a Fourier basis of {} MiB, at most {} are allowed; export without the front end",
         settings.n_fft, bins.count(), 2 * bins.count() * settings.n_fft * 4 >> 20, most_values * 4 >> 20);
  }
  const std::string basis = graph.constant("front_end.fourier_basis", {2 * bins.count(), 1, settings.n_fft},
                                           windowed_basis(settings.n_fft, bins));
  const std::string mel_filters =
      graph.constant("front_end.mel_filters", {filters.n_mels, bins.count()}, dense_filters(filters, bins));
  const std::string lowest = graph.constant("front_end.lowest_power", {}, std::vector<float>{1e-10f});
  const std::string to_db =
      graph.constant("front_end.db_per_neper", {}, std::vector{static_cast<float>(10 / std::numbers::ln10)});

  const int64_t padding = settings.n_fft / 2;
  const std::string channel =
      graph.add("Unsqueeze", {waveform, graph.constant("axis_1", {1}, std::vector<int64_t>{1})});
  const std::string spectrum = graph.add("Conv", {channel, basis},
                                         {{"kernel_shape", std::vector<int64_t>{settings.n_fft}},
                                          {"strides", std::vector<int64_t>{settings.hop_length}},
                                          {"pads", std::vector(2, padding)}});
  const std::string squares = graph.add("Mul", {spectrum, spectrum});
  graph.nodes.push_back({.op = "Split",
                         .inputs = {squares},
                         .outputs = {"squared_real", "squared_imaginary"},
                         .attributes = {{"axis", int64_t{1}}}});
  const std::string power = graph.add("Add", {"squared_real", "squared_imaginary"});
  const std::string mel = graph.add("MatMul", {mel_filters, power});
  return graph.add("Mul", {graph.add("Log", {graph.add("Max", {mel, lowest})}), to_db});
}

std::string append_dynamic_range(OnnxModel& graph, const std::string& db, double top_db, std::vector<int64_t> axes) {
  const std::string range =
      graph.constant(fmt::format("top_db_{}", graph.nodes.size()), {}, std::vector{static_cast<float>(top_db)});
  const std::string largest = graph.add("ReduceMax", {db}, {{"axes", std::move(axes)}, {"keepdims", int64_t{1}}});
  return graph.add("Max", {db, graph.add("Sub", {largest, range})});
}

}  // namespace melgrad
