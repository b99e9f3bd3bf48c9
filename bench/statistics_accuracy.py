"""Classifies tracks by statistics of their spectrum and logistic regression, on validation tracks only.

Reads a manifest.csv (path,label,group,fold). For each fold and seed, the validation tracks are those of
train_pytorch.py, and the held-out fold is not read. Prints and writes to --out the validation accuracy and loss of each
recipe below: the means over all folds and seeds, and every run.
"""

import argparse
import json
import pathlib

import numpy as np
from scipy.fft import dct
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from features import N_MELS
from train_pytorch import Tracks, cut, spectral_jitter

SCALES = (1, 2, 8, 32)  # frames


def mfcc(x):
    """Mean and deviation of 20 MFCCs. x [n, n_mels, frames] in dB -> [n, 40]."""
    coefficients = dct(x, axis=1, norm="ortho")[:, :20]
    return np.concatenate([coefficients.mean(2), coefficients.std(2)], axis=1)


def bins(x):
    """Mean and deviation of each mel bin. [n, 2 * n_mels]."""
    return np.concatenate([x.mean(2), x.std(2)], axis=1)


def bands(x, count=32):
    """Mean of each band and its deviation within each of SCALES and beyond the last. [n, 5 * count]."""
    x = x.reshape(len(x), count, -1, x.shape[2]).mean(2)
    squares = []
    for frames in SCALES:
        averages = x[:, :, : x.shape[2] // frames * frames].reshape(*x.shape[:2], -1, frames).mean(3)
        squares.append((averages**2).mean(2))
    squares.append(x.mean(2) ** 2)
    deviations = [np.sqrt(np.maximum(fine - coarse, 0)) for fine, coarse in zip(squares, squares[1:])]
    return np.concatenate([x.mean(2), *deviations], axis=1)


def log_bands(x, count=32):
    """The same with the logarithm of the deviations, in dB plus 0.1."""
    statistics = bands(x, count)
    return np.concatenate([statistics[:, :count], np.log(statistics[:, count:] + 0.1)], axis=1)


# Name, statistics, frames of a crop, crops of a track, jitter of the training crops (mel bins, equalizer dB, level dB).
RECIPES = (
    ("20 MFCCs", mfcc, 1280, 1, None),
    ("128 mel bins", bins, 1280, 1, None),
    ("32 bands", bands, 1280, 1, None),
    ("32 bands, crops of 512", bands, 512, 6, None),
    ("32 bands, crops of 256", bands, 256, 8, None),
    ("32 bands, crops of 256, pitch", bands, 256, 8, (4, 0, 0)),
    ("32 bands, crops of 256, pitch, equalizer, level", bands, 256, 8, (4, 4, 6)),
)
STRENGTHS = (0.01, 0.03, 0.1)  # inverse of the L2 penalty, for one crop of a track


def crops(log_mel, frames, count):
    starts = np.linspace(0, max(0, log_mel.shape[1] - frames), count).round().astype(int)
    return np.stack([cut(log_mel, start, frames) for start in starts])


def statistics_of(tracks, recipe):
    """Returns the statistics of the crops of all tracks for training and for validation, [tracks, crops, values]."""
    _, function, frames, count, jitter = recipe
    deviation = np.ones(N_MELS)  # of features in dB, which are not standardised
    rng = np.random.default_rng(0)
    training, validation = [], []
    for log_mel in tracks.log_mels:
        cuts = crops(log_mel, frames, count)
        validation.append(function(cuts))
        training.append(function(spectral_jitter(cuts, rng, deviation, *jitter)) if jitter else validation[-1])
    return np.stack(training), np.stack(validation)


def run(tracks, training, validation, fold, seed, strength):
    fitted, held, _ = tracks.split(fold, seed)
    count = training.shape[1]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=strength / np.sqrt(count), max_iter=100))
    model.fit(np.concatenate(training[fitted]), np.repeat(tracks.labels[fitted], count))
    logits = np.stack([model.decision_function(crops).mean(0) for crops in validation[held]])
    shifted = logits - logits.max(1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(held)), tracks.labels[held]]
    accuracy = float((logits.argmax(1) == tracks.labels[held]).mean())
    return {"fold": fold, "seed": seed, "accuracy": accuracy, "loss": float(losses.mean())}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("manifest", type=pathlib.Path)
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="folder for the features (.npy)")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="JSON file for the result")
    parser.add_argument("--seeds", type=int, default=4, help="number of seeds, counted from 0")
    options = parser.parse_args()
    tracks = Tracks(options.manifest, options.cache)
    results = []
    for recipe in RECIPES:
        training, validation = statistics_of(tracks, recipe)
        for strength in STRENGTHS:
            runs = [
                run(tracks, training, validation, int(fold), seed, strength)
                for seed in range(options.seeds)
                for fold in np.unique(tracks.folds)
            ]
            means = {what: round(float(np.mean([one[what] for one in runs])), 4) for what in ("accuracy", "loss")}
            results.append({"recipe": recipe[0], "strength": strength, **means, "runs": runs})
            print(recipe[0], strength, means, flush=True)
    options.out.write_text(json.dumps({"figures": "of validation tracks", "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
