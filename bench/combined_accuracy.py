"""Compares a network, logistic regression on statistics of the spectrum, and the mean of both, on validation tracks only.

Reads the runs of `melgrad cross-validate --split validation --statistics off` and evaluates each with `melgrad evaluate`.
The logistic regression is fitted by scikit-learn to the training tracks of the same run. Prints and writes to --out the
accuracy and loss of each run, and the difference in accuracy to the network with the 95 % interval of a bootstrap over
the runs.
"""

import argparse
import csv
import json
import pathlib
import subprocess
import tempfile

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from statistics_accuracy import crops, log_bands
from train_pytorch import Tracks

CROP_FRAMES, CROPS, STRENGTH = 256, 8, 0.01


def network_logits(program, run, data, paths, labels):
    """Returns the validation tracks of a run and the logarithms of their probabilities."""
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "evaluate", run, data, "--split", "validation", "--out", folder, "--quiet"]
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
        rows = list(csv.DictReader((pathlib.Path(folder) / "predictions.csv").open()))
    probabilities = np.array([[float(row[f"probability_{label}"]) for label in labels] for row in rows])
    logits = np.log(np.maximum(probabilities, 1e-6))
    return [paths.index(row["path"]) for row in rows], logits - logits.mean(1, keepdims=True)


def score(logits, labels):
    """Accuracy and cross entropy."""
    shifted = logits - logits.max(1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(labels)), labels]
    return {"accuracy": float((logits.argmax(1) == labels).mean()), "loss": float(losses.mean())}


def evaluate(arguments, run, tracks, paths, statistics):
    validation, network = network_logits(arguments.melgrad, run, arguments.manifest.parent, paths, tracks.classes)
    split = csv.DictReader((run / "split.csv").open())
    training = [paths.index(row["path"]) for row in split if row["split"] == "train"]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=1000))
    model.fit(np.concatenate(statistics[training]), np.repeat(tracks.labels[training], CROPS))
    linear = np.stack([model.decision_function(statistics[i]).mean(0) for i in validation])
    labels = tracks.labels[validation]
    return {
        "run": run.name,
        "network": score(network, labels),
        "statistics": score(linear, labels),
        "mean of both": score((network + linear) / 2, labels),
    }


def interval(differences):
    rng = np.random.default_rng(0)
    means = rng.choice(differences, (10000, len(differences))).mean(1)
    return [round(float(value), 4) for value in np.percentile(means, [2.5, 97.5])]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("manifest", type=pathlib.Path)
    parser.add_argument("--runs", type=pathlib.Path, required=True, help="folder of melgrad cross-validate")
    parser.add_argument("--melgrad", type=pathlib.Path, default="build/cpu/melgrad", help="the program")
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="folder for the features (.npy)")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="JSON file for the result")
    arguments = parser.parse_args()
    tracks = Tracks(arguments.manifest, arguments.cache)
    paths = [row["path"] for row in csv.DictReader(arguments.manifest.open())]
    statistics = np.stack([log_bands(crops(log_mel, CROP_FRAMES, CROPS)) for log_mel in tracks.log_mels])
    runs = sorted(file.parent for file in arguments.runs.glob("fold*_seed*/validation.json"))
    rows = [evaluate(arguments, run, tracks, paths, statistics) for run in runs]
    settings = (arguments.runs / "config.toml").read_text().splitlines()
    settings = [line for line in settings if not line.startswith("data ")]  # a path of this machine
    result = {"figures": "of validation tracks", "settings": settings}
    for name in ("network", "statistics", "mean of both"):
        accuracies = np.array([row[name]["accuracy"] for row in rows])
        differences = accuracies - np.array([row["network"]["accuracy"] for row in rows])
        result[name] = {
            "accuracy": round(float(accuracies.mean()), 4),
            "loss": round(float(np.mean([row[name]["loss"] for row in rows])), 4),
            "difference": round(float(differences.mean()), 4),
            "interval": interval(differences),
        }
        print(name, result[name])
    arguments.out.write_text(json.dumps({**result, "runs": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
