"""Predicts the genres of audio files as a script of torch and librosa does: the peer of `melgrad predict`.

Takes everything from a checkpoint of melgrad that was trained with --statistics off. Prints a JSON object of file names and probabilities.
"""

import argparse
import json
import sys

import librosa
import numpy as np
import torch
from safetensors import safe_open

from models import build_model

CROPS = 10
AMIN = 1e-10


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("checkpoint", help="a .safetensors file of melgrad train")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def log_mel(path, mel):
    samples, rate = librosa.load(path, sr=mel["sample_rate"])
    power = librosa.feature.melspectrogram(
        y=samples,
        sr=rate,
        n_fft=mel["n_fft"],
        hop_length=mel["hop_length"],
        n_mels=mel["n_mels"],
        fmin=mel["fmin"],
        fmax=mel["fmax"] or rate / 2,
        htk=mel["htk"],
    )
    return librosa.power_to_db(power, amin=AMIN, top_db=mel["top_db"])


def crops_of(features, frames):
    """Returns [crops, n_mels, frames], evenly spread; a shorter track is repeated."""
    spare = features.shape[1] - frames
    if spare <= 0:
        return features[:, np.arange(frames) % features.shape[1]][None]
    starts = [spare * i // (CROPS - 1) for i in range(CROPS)]
    return np.stack([features[:, start : start + frames] for start in starts])


def main():
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    with safe_open(arguments.checkpoint, "pt") as file:
        card = file.metadata()
        weights = {name: file.get_tensor(name) for name in file.keys()}
    labels, mel, standardisation = (json.loads(card[key]) for key in ("labels", "mel", "standardisation"))
    mean, deviation = (np.asarray(standardisation[key], np.float32)[:, None] for key in ("mean", "deviation"))
    if "statistics" in card:
        sys.exit(f"{arguments.checkpoint} has a statistics classifier; train with --statistics off")
    temperature = float(card.get("temperature", 1))
    model = build_model(card["model"], len(labels), dropout=0.0)
    model.load_state_dict({name: weights[name] for name in model.state_dict() if name in weights}, strict=False)
    model = model.to(memory_format=torch.channels_last).eval()
    result = {}
    with torch.inference_mode():
        for path in arguments.files:
            features = (log_mel(path, mel) - mean) / deviation
            crops = torch.from_numpy(crops_of(features, int(card["crop_frames"])).astype(np.float32))[:, None]
            logits = model(crops.contiguous(memory_format=torch.channels_last)).mean(0)
            result[path] = dict(zip(labels, torch.softmax(logits / temperature, 0).tolist(), strict=True))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
