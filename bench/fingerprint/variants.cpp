#include "bench/fingerprint/variants.h"

#include <sndfile.h>

#include <algorithm>
#include <memory>

#include "framework/audio/decoder.h"
#include "framework/audio/resampler.h"
#include "kernels/device/error.h"

namespace melgrad::bench {
namespace {

constexpr int wav = SF_FORMAT_WAV | SF_FORMAT_PCM_16, vorbis = SF_FORMAT_OGG | SF_FORMAT_VORBIS;
constexpr int opus = SF_FORMAT_OGG | SF_FORMAT_OPUS, mp3 = SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III;

SF_INFO info_of(const Variant& variant, int sample_rate) {
  SF_INFO info{};
  info.samplerate = variant.sample_rate > 0 ? variant.sample_rate : sample_rate;
  info.channels = 1;
  info.format = variant.format;
  return info;
}

}  // namespace

Recording read_recording(const std::filesystem::path& path) {
  Decoder decoder(path);
  Recording recording{.sample_rate = decoder.sample_rate()};
  std::vector<float> piece(1 << 15);
  while (const size_t count = decoder.read(piece)) {
    recording.samples.insert(recording.samples.end(), piece.begin(), piece.begin() + static_cast<int64_t>(count));
  }
  return recording;
}

std::vector<Variant> writable_variants() {
  std::vector<Variant> variants{
      {.name = "vorbis", .description = "Ogg Vorbis, quality 0.2", .format = vorbis, .compression = 0.8},
      {.name = "mp3", .description = "MP3, compression 0.7", .format = mp3, .compression = 0.7},
      {.name = "opus", .description = "Opus at 24 kHz", .sample_rate = 24000, .format = opus, .compression = 0.7},
      {.name = "rate_44100", .description = "resampled to 44.1 kHz", .sample_rate = 44100, .format = wav},
      {.name = "rate_16000", .description = "resampled to 16 kHz", .sample_rate = 16000, .format = wav},
      {.name = "rate_8000", .description = "resampled to 8 kHz", .sample_rate = 8000, .format = wav},
      {.name = "quieter", .description = "6 dB quieter", .gain = 0.5, .format = wav},
      {.name = "trimmed", .description = "first 1 s cut off", .trimmed_seconds = 1, .format = wav},
      {.name = "all",
       .description = "first 1 s cut off, 6 dB quieter, 16 kHz, MP3",
       .sample_rate = 16000,
       .gain = 0.5,
       .trimmed_seconds = 1,
       .format = mp3,
       .compression = 0.7}};
  std::erase_if(variants, [](const Variant& variant) {
    const SF_INFO info = info_of(variant, 22050);
    return sf_format_check(&info) == 0;
  });
  return variants;
}

void write_variant(const std::filesystem::path& path, const Recording& recording, const Variant& variant) {
  SF_INFO info = info_of(variant, recording.sample_rate);
  const auto skipped = static_cast<size_t>(variant.trimmed_seconds * recording.sample_rate);
  const std::span<const float> kept = std::span(recording.samples).subspan(std::min(skipped, recording.samples.size()));
  std::vector<float> samples;
  Resampler resampler(recording.sample_rate, info.samplerate);
  resampler.process(kept, samples);
  resampler.finish(samples);
  for (float& sample : samples) sample = std::clamp(static_cast<float>(sample * variant.gain), -1.0f, 1.0f);

  const std::unique_ptr<SNDFILE, decltype(&sf_close)> file(sf_open(path.c_str(), SFM_WRITE, &info), &sf_close);
  if (!file) fail("cannot write {}: {}", path.string(), sf_strerror(nullptr));
  double compression = variant.compression;
  if (compression > 0) sf_command(file.get(), SFC_SET_COMPRESSION_LEVEL, &compression, sizeof compression);
  // Short writes: libsndfile's Vorbis encoder overflows the stack on long ones.
  constexpr size_t piece = 4096;
  for (std::span<const float> rest = samples; !rest.empty(); rest = rest.subspan(std::min(piece, rest.size()))) {
    const auto count = static_cast<sf_count_t>(std::min(piece, rest.size()));
    if (sf_writef_float(file.get(), rest.data(), count) != count) {
      fail("cannot write {}: {}", path.string(), sf_strerror(file.get()));
    }
  }
}

}  // namespace melgrad::bench
