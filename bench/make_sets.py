"""Makes two data sets that are not music, to try the default recipe on: spoken words and single sounds.

    python bench/make_sets.py words OUT       ten words in eight voices of espeak-ng (0.4 to 1 s each)
    python bench/make_sets.py sounds OUT      twelve kinds of sounds (2 to 4 s each), computed here

Each has a manifest.csv. For words, the group is the voice and each of the four folds holds out two voices. The sounds
have folds without groups: their parameters are drawn anew for each. Some kinds differ only in pitch or in their
spectrum, which an augmentation that shifts or filters could destroy.
"""

import argparse
import csv
import pathlib
import subprocess
import sys
import wave

import numpy as np

RATE = 22050
WORDS = ("yes", "no", "up", "down", "left", "right", "stop", "go", "seven", "river")
VOICES = ("en-us+m1", "en-us+f1", "en-gb+m3", "en-gb+f2", "en-gb-scotland+m7", "en-us+f4", "en-gb-x-rp+m4", "en-029+f3")
SPEEDS = (130, 160, 190)  # words a minute
PITCHES = (35, 50, 65)  # of 0 to 99


def write_manifest(folder, rows):
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "group", "fold"])
        writer.writerows(rows)


def make_words(folder):
    rows = []
    for word in WORDS:
        (folder / word).mkdir(parents=True, exist_ok=True)
        for number, voice in enumerate(VOICES):
            for speed in SPEEDS:
                for pitch in PITCHES:
                    path = f"{word}/{number}_{speed}_{pitch}.wav"
                    command = ["espeak-ng", "-v", voice, "-s", speed, "-p", pitch, "-w", folder / path, word]
                    subprocess.run([str(part) for part in command], check=True)
                    rows.append([path, word, voice, number % 4])
    write_manifest(folder, rows)


def band_noise(rng, n, low, high):
    """Noise between two frequencies in Hz."""
    spectrum = np.fft.rfft(rng.normal(size=n))
    frequency = np.fft.rfftfreq(n, 1 / RATE)
    spectrum[(frequency < low) | (frequency > high)] = 0
    return np.fft.irfft(spectrum, n)


def harmonic(t, pitch, partials, decay=0.0):
    """Partials of amplitude 1, 1/2, 1/3, ...; `decay` in 1/s, faster for higher ones."""
    return sum(np.sin(2 * np.pi * pitch * k * t) / k * np.exp(-decay * k * t) for k in partials if pitch * k < RATE / 2)


def pulses(t, rate, sharpness):
    """A train of bursts: `rate` per second, each dies out at `sharpness` in 1/s."""
    return np.exp(-sharpness * (t % (1 / rate)))


SOUNDS = {
    "low_whistle": lambda rng, t: np.sin(2 * np.pi * rng.uniform(350, 500) * t),
    "high_whistle": lambda rng, t: np.sin(2 * np.pi * rng.uniform(700, 1000) * t),
    "reed": lambda rng, t: harmonic(t, rng.uniform(200, 500), range(1, 30, 2)),
    "string": lambda rng, t: harmonic(t, rng.uniform(200, 500), range(1, 30)),
    "pluck": lambda rng, t: harmonic(t, rng.uniform(200, 500), range(1, 30), 1.5),
    "bell": lambda rng, t: harmonic(t, rng.uniform(200, 500), (1, 2.76, 5.4, 8.93), 0.7),
    "rumble": lambda rng, t: band_noise(rng, len(t), 60, rng.uniform(250, 400)),
    "hiss": lambda rng, t: band_noise(rng, len(t), rng.uniform(3000, 4000), 10000),
    "wind": lambda rng, t: band_noise(rng, len(t), 200, 1500) * (1.2 + np.sin(2 * np.pi * rng.uniform(0.3, 0.6) * t)),
    "clicks": lambda rng, t: band_noise(rng, len(t), 500, 9000) * pulses(t, rng.uniform(4, 8), 150),
    "siren": lambda rng, t: np.sin(2 * np.pi * 700 * t + rng.uniform(200, 400) * np.sin(2 * np.pi * rng.uniform(0.5, 1) * t)),
    "vibrato": lambda rng, t: np.sin(2 * np.pi * 700 * t + rng.uniform(8, 16) * np.sin(2 * np.pi * rng.uniform(5, 7) * t)),
}  # fmt: skip


def make_sounds(folder, count=40):
    rng = np.random.default_rng(0)
    rows = []
    for name, compute in SOUNDS.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            t = np.arange(int(rng.uniform(2, 4) * RATE)) / RATE
            x = compute(rng, t)
            x = x / np.abs(x).max()
            x = x * 10 ** (rng.uniform(-20, 0) / 20) + 10 ** (rng.uniform(-50, -25) / 20) * rng.normal(size=len(t))
            path = f"{name}/{i}.wav"
            with wave.open(str(folder / path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(RATE)
                file.writeframes((np.clip(0.9 * x, -1, 1) * 32767).astype("<i2").tobytes())
            rows.append([path, name, "", i % 4])
    write_manifest(folder, rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("set", choices=["words", "sounds"])
    parser.add_argument("out", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.out.exists():
        sys.exit(f"{arguments.out} exists already; give a new folder")
    {"words": make_words, "sounds": make_sounds}[arguments.set](arguments.out)


if __name__ == "__main__":
    main()
