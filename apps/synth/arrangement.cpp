#include "apps/synth/arrangement.h"

#include <algorithm>

#include "apps/synth/clock.h"

namespace melgrad::synth {
namespace {

// Probabilities that make the genres overlap. Higher values make the set harder to classify.
constexpr float borrowed_harmony = 0.06f, borrowed_chair = 0.06f, borrowed_groove = 0.03f,
                borrowed_sound = 0.06f;  // from another style
// Crossover tracks, and each ingredient of such a track that comes from another style.
constexpr float crossover = 0.05f, crossover_share = 0.5f;
constexpr float common_instrument = 0.06f;  // played in every genre

constexpr Range balance_spread_db = {-2.5f, 2.5f};

const Chair common_bass = {{"electric bass", "upright bass", "synth bass", "picked bass"}};
const Chair common_chords = {{"piano", "clean guitar", "steel guitar", "organ", "electric piano", "overdriven guitar"}};
const Chair common_pad = {{"strings", "organ", "synth pad"}};
const Chair common_lead = {{"voice", "piano", "clean guitar", "saxophone", "overdriven guitar", "synth lead", "flute"}};

// Chooses the style that each ingredient comes from.
class Lender {
 public:
  Lender(int genre, Draws& draws) : own_(styles()[static_cast<size_t>(genre)]), draws_(draws) {
    crossover_ = draws.chance(crossover);
    guest_ = &draws.pick(styles());
  }

  const Style& style(float borrowed) const {
    return draws_.chance(crossover_ ? crossover_share : borrowed) ? *guest_ : own_;
  }

 private:
  const Style& own_;
  const Style* guest_;
  Draws& draws_;
  bool crossover_;
};

struct Song {
  const Groove& groove;
  Clock clock;
  std::vector<std::vector<Chord>> progression;
  Scale scale;
  int key;  // MIDI number of the key note, around C4
  int first_bar, bars;

  float beat(int bar, float beat_in_bar) const { return static_cast<float>(bar * groove.beats_per_bar) + beat_in_bar; }
  const Chord& chord(int bar, float beat_in_bar) const {
    const auto& chords = progression[static_cast<size_t>(first_bar + bar) % progression.size()];
    const float place = beat_in_bar / static_cast<float>(groove.beats_per_bar);
    return chords[static_cast<size_t>(place * static_cast<float>(chords.size()))];
  }
};

// Calls write(bar, step) for every step of a line that is not a rest, in order.
template <class Write>
void for_each_step(const Song& song, const std::string& line, Write write) {
  for (int bar = 0; bar < song.bars; ++bar) {
    for (const Step& step : read_bar(line, bar, song.groove.beats_per_bar)) write(bar, step);
  }
}

// Adds a note `note.start` seconds after its step. The piece before the beginning of the clip is cut.
void add_note(Part& part, const Song& song, int bar, const Step& step, Note note, Draws& draws) {
  const float onset = note.start + song.clock.seconds(song.beat(bar, step.beat), draws);
  note.seconds = 0.95f * step.beats * song.clock.seconds_per_beat + std::min(0.0f, onset);
  if (note.seconds < 0.03f) return;
  note.start = std::max(0.0f, onset);
  note.velocity *= 1 + 0.15f * draws.around_zero();
  part.notes.push_back(note);
}

// Moves `pitch` by octaves into [lowest, lowest + 12).
int folded(int pitch, int lowest) { return lowest + ((pitch - lowest) % 12 + 12) % 12; }

// Interval between a bass symbol and the root of the chord, in semitones.
int bass_interval(char symbol, const Chord& chord, Draws& draws) {
  switch (symbol) {
    case '2':
      return 2;
    case '3':
      return chord.tones[1] < 5 ? chord.tones[1] : 7;
    case '4':
      return 5;
    case '5':
      return 7;
    case '6':
      return 9;
    case '7':
      return 10;
    case '8':
      return 12;
    case 'w':
      return draws.pick(chord.tones) + (draws.chance(0.3f) ? (draws.chance(0.5f) ? 1 : -1) : 0);
    default:
      return 0;
  }
}

void write_bass(Part& part, const Song& song, const std::string& line, Draws& draws) {
  const int lowest = 28 + draws.below(8);
  for_each_step(song, line, [&](int bar, const Step& step) {
    const Chord& chord = song.chord(bar, step.beat);
    const int pitch = folded(song.key + chord.root, lowest) + bass_interval(step.symbol, chord, draws);
    add_note(part, song, bar, step, {.pitch = static_cast<float>(pitch)}, draws);
  });
}

void write_chords(Part& part, const Song& song, const std::string& line, Draws& draws) {
  const int lowest = 46 + draws.below(12);
  const float strum = draws.within({0, 0.012f});  // delay between two strings, in seconds
  for_each_step(song, line, [&](int bar, const Step& step) {
    const Chord& chord = song.chord(bar, step.beat);
    const int root = folded(song.key + chord.root, lowest);
    const bool power = chord.tones[1] == 7;
    if (step.symbol >= '1' && step.symbol <= '9') {
      const auto index = static_cast<size_t>(step.symbol - '1');
      const int octave = 12 * static_cast<int>(index / chord.tones.size());
      const int pitch = root + chord.tones[index % chord.tones.size()] + octave;
      add_note(part, song, bar, step, {.pitch = static_cast<float>(pitch), .velocity = 1.3f}, draws);
      return;
    }
    Step stroke = step;
    if (step.symbol == 'p') stroke.beats = std::min(step.beats, 0.06f / song.clock.seconds_per_beat);
    for (size_t k = 0; k < chord.tones.size(); ++k) {
      const int pitch = power ? root - 12 + chord.tones[k] : folded(root + chord.tones[k], lowest);
      const float velocity = step.symbol == 'X' ? 1.3f : (step.symbol == 'p' ? 0.7f : 1.0f);
      const float delay = static_cast<float>(k) * strum;
      add_note(part, song, bar, stroke, {.start = delay, .pitch = static_cast<float>(pitch), .velocity = velocity},
               draws);
    }
  });
}

// A random walk on the scale that prefers notes of the chord on strong beats.
class Melody {
 public:
  Melody(const Song& song, Draws& draws)
      : song_(song), degrees_(degrees(song.scale)), centre_(song.key + 4 + draws.below(12)), draws_(draws) {}

  int next(int bar, float beat) {
    degree_ += draws_.below(5) - 2;
    if (pitch() > centre_ + 9) degree_ -= 2;
    if (pitch() < centre_ - 9) degree_ += 2;
    if (beat == std::floor(beat) && draws_.chance(0.6f)) move_to_chord(song_.chord(bar, beat));
    return pitch();
  }

 private:
  int pitch() const {
    const int count = static_cast<int>(degrees_.size());
    const int octave = (degree_ + 100 * count) / count - 100;
    return song_.key + 12 + 12 * octave + degrees_[static_cast<size_t>(degree_ - octave * count)];
  }
  void move_to_chord(const Chord& chord) {
    for (const int step : {0, 1, -1}) {
      degree_ += step;
      const int above = folded(pitch() - song_.key - chord.root, 0);
      for (const int tone : chord.tones) {
        if (tone % 12 == above) return;
      }
      degree_ -= step;
    }
  }

  const Song& song_;
  const std::vector<int>& degrees_;
  int centre_, degree_ = 0;
  Draws& draws_;
};

void write_lead(Part& part, const Song& song, const std::string& line, Draws& draws) {
  Melody melody(song, draws);
  const float vibrato = part.instrument.bends ? draws.within({0.05f, 0.4f}) : 0;
  const bool begins_with_rest = draws.chance(0.3f);
  for_each_step(song, line, [&](int bar, const Step& step) {
    if (begins_with_rest && bar % 4 < 2) return;
    if (step.symbol == '?' && draws.chance(0.5f)) return;
    Note note{.pitch = static_cast<float>(melody.next(bar, step.beat)), .vibrato = vibrato};
    if (part.instrument.bends && draws.chance(0.3f)) note.slide = draws.within({-2, 1});
    add_note(part, song, bar, step, note, draws);
  });
}

void write_drums(Arrangement& arrangement, const Song& song, Draws& draws) {
  const auto strike = [&](Drum drum, float beat, float velocity) {
    const float start = song.clock.seconds(beat, draws);
    if (start >= 0) arrangement.hits.push_back({drum, start, velocity * (1 + 0.2f * draws.around_zero())});
  };
  for (const DrumLine& line : song.groove.drums) {
    const float balance = gain_of_db(draws.within({-4, 4}));
    for_each_step(song, line.steps, [&](int bar, const Step& step) {
      if (step.symbol == '?' && draws.chance(0.5f)) return;
      const float velocity = step.symbol == 'X' ? 1.0f : (step.symbol == 'x' ? 0.7f : 0.3f);
      strike(line.drum, song.beat(bar, step.beat), balance * velocity);
    });
  }
  const bool fills = draws.chance(0.5f);
  for (int bar = 3; fills && bar < song.bars; bar += 4) {
    for (int k = 0; k < 4; ++k) {
      const float beat = song.beat(bar + 1, -1 + 0.25f * static_cast<float>(k));
      strike(k < 2 ? Drum::snare : Drum::tom, beat, 0.6f);
    }
  }
}

KitTuning draw_kit(const KitTuning& kit, Draws& draws) {
  const auto about = [&](float value) { return value * exp2(0.7f * draws.around_zero()); };
  return {
      .kick_hertz = about(kit.kick_hertz),
      .kick_half_life = about(kit.kick_half_life),
      .kick_click = about(kit.kick_click),
      .snare_hertz = about(kit.snare_hertz),
      .snare_half_life = about(kit.snare_half_life),
      .snare_wires = std::min(1.0f, about(kit.snare_wires)),
      .metal_hertz = about(kit.metal_hertz),
      .metal_half_life = about(kit.metal_half_life),
  };
}

Song draw_song(const Style& own, const Lender& lender, float seconds, Draws& draws) {
  const Style& rhythm = lender.style(borrowed_groove);
  const Harmony& harmony = draws.pick(lender.style(borrowed_harmony).harmonies);
  Song song{.groove = draws.pick(rhythm.grooves),
            .progression = read_progression(harmony.progression),
            .scale = harmony.scale,
            .key = 55 + draws.below(12)};
  song.first_bar = draws.below(static_cast<int>(song.progression.size()));
  song.clock.seconds_per_beat = 60 / draws.within(rhythm.tempo);
  const bool triplets =
      song.groove.drums.front().steps.size() % (3 * static_cast<size_t>(song.groove.beats_per_bar)) == 0;
  song.clock.swing = triplets ? 0 : draws.within(rhythm.swing);
  song.clock.rubato = own.drums < 0.5f ? draws.within({0, 0.06f}) : 0;
  song.clock.imprecision = draws.within({0, 0.02f});
  const float bar_seconds = song.clock.seconds_per_beat * static_cast<float>(song.groove.beats_per_bar);
  song.clock.first_second = bar_seconds * draws.uniform();
  song.bars = 2 + static_cast<int>(seconds / bar_seconds);
  return song;
}

}  // namespace

Arrangement arrange(int genre, float seconds, Draws& draws) {
  const Style& own = styles()[static_cast<size_t>(genre)];
  const Lender lender(genre, draws);
  const Song song = draw_song(own, lender, seconds, draws);
  const Style& sound = lender.style(borrowed_sound);
  Arrangement arrangement{.kit = draw_kit(sound.kit, draws),
                          .recording = draw_recording(sound.room, sound.tone, draws)};

  const auto seat = [&](Chair Style::*chair, const Chair& common, const std::vector<std::string>& lines, float level_db,
                        auto write) {
    const Chair& players = lender.style(borrowed_chair).*chair;
    const bool present = draws.chance((own.*chair).presence);
    const std::string& name = draws.pick(draws.chance(common_instrument) ? common.instruments : players.instruments);
    Part part{.instrument = vary(instrument(name), draws),
              .gain = gain_of_db(level_db + draws.within(balance_spread_db))};
    write(part, song, draws.pick(lines), draws);
    if (present && !part.notes.empty()) arrangement.parts.push_back(std::move(part));
  };
  seat(&Style::bass, common_bass, song.groove.bass, sound.balance.bass, write_bass);
  seat(&Style::chords, common_chords, song.groove.chords, sound.balance.chords, write_chords);
  seat(&Style::pad, common_pad, {song.groove.beats_per_bar == 3 ? "x--" : "x---"}, sound.balance.pad, write_chords);
  seat(&Style::lead, common_lead, song.groove.lead, sound.balance.lead, write_lead);
  if (draws.chance(own.drums)) write_drums(arrangement, song, draws);
  arrangement.drum_gain = gain_of_db(sound.balance.drums + draws.within(balance_spread_db));
  arrangement.echo_seconds = 0.75f * song.clock.seconds_per_beat;
  arrangement.echo_wet = draws.chance(0.25f) ? draws.within({0.1f, 0.4f}) : 0;
  return arrangement;
}

}  // namespace melgrad::synth
