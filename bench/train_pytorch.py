"""Trains melgrad's models with PyTorch on the CPU, to compare accuracy and epoch times.

Reads a manifest.csv (path,label,group,fold). Each fold in --folds is held out and tested once, after training;
validation tracks are a group split of the other folds. Writes a JSON result to --out: track and segment accuracy and
the seconds of a training epoch, for each run and as means.
"""

import argparse
import copy
import csv
import json
import math
import pathlib
import platform
import time

import librosa
import numpy as np
import torch
import torch.nn.functional as F

from features import N_MELS, cached_log_mel
from models import MODELS, build_model


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add("manifest", type=pathlib.Path)
    add("--cache", type=pathlib.Path, required=True, help="folder for the features (.npy)")
    add("--out", type=pathlib.Path, required=True, help="JSON file for the result")
    add("--model", choices=MODELS, default="resnet_small")
    add("--folds", type=int, nargs="+", default=[0, 1, 2, 3], help="folds to hold out in turn")
    add("--seeds", type=int, nargs="+", default=[0])
    add("--threads", type=int, default=1)
    add("--epochs", type=int, default=160)
    add("--warmup-epochs", type=int, default=5)
    add("--batch", type=int, default=32)
    add("--crop-frames", type=int, default=256)
    add("--crops-per-epoch", type=int, default=1, help="random crops per track and epoch")
    add("--test-crops", type=int, default=10)
    add("--lr", type=float, default=1e-3)
    add("--weight-decay", type=float, default=0.01)
    add("--dropout", type=float, default=0.3)
    add(
        "--standardise",
        choices=("scalar", "bin"),
        default="bin",
        help="standardise with one mean and deviation, or with one per mel bin",
    )
    add("--label-smoothing", type=float, default=0.1)
    add("--mixup", type=float, default=0.3, help="alpha of the Beta distribution; 0: no mixup")
    add("--pitch-shift", type=int, default=4, help="largest random shift along the mel axis, in mel bins")
    add("--equalizer", type=float, default=4.0, help="standard deviation of the random filter curve, in dB")
    add("--level", type=float, default=6.0, help="largest random change of the level, in dB")
    add("--frequency-width", type=int, default=16, help="largest width of a SpecAugment frequency mask, in mel bins")
    add("--time-width", type=int, default=32, help="largest width of a SpecAugment time mask, in frames")
    add("--clip-norm", type=float, default=0.0, help="largest gradient norm; 0: no clipping")
    add(
        "--ema",
        type=float,
        default=0.0,
        help="evaluate an exponential moving average of the weights with this decay; 0: evaluate the weights",
    )
    add(
        "--select",
        choices=("last", "best"),
        default="last",
        help="epoch to test: the last or the best on the validation tracks",
    )
    return parser.parse_args()


class Tracks:
    """All tracks in memory: labels, groups, folds and log-mels."""

    def __init__(self, manifest, cache):
        rows = list(csv.DictReader(manifest.open()))
        self.classes = sorted({row["label"] for row in rows})
        self.labels = np.array([self.classes.index(row["label"]) for row in rows])
        self.groups = np.array([row["group"] for row in rows])
        self.folds = np.array([int(row["fold"]) for row in rows])
        self.log_mels = [cached_log_mel(manifest.parent / row["path"], cache, row["path"]) for row in rows]

    def standardised(self, train, by_bin):
        """Returns (log-mels, deviation), standardised by the training tracks' statistics, overall or per mel bin."""
        values = np.concatenate([self.log_mels[i] for i in train], axis=1)
        axis = 1 if by_bin else None
        mean = values.mean(axis, np.float64, keepdims=True)
        deviation = values.std(axis, np.float64, keepdims=True)
        return [((log_mel - mean) / deviation).astype(np.float32) for log_mel in self.log_mels], deviation

    def split(self, fold, seed, fraction=0.2):
        """Returns (train, validation, test): validation has whole groups, up to `fraction` of every class."""
        rng = np.random.default_rng([seed, fold])
        rest = np.flatnonzero(self.folds != fold)
        most = np.round(fraction * np.bincount(self.labels[rest]))
        validation = np.zeros(len(self.labels), bool)
        for group in rng.permutation(np.unique(self.groups[rest])):
            taken = validation | (self.groups == group) & (self.folds != fold)
            if (np.bincount(self.labels[taken], minlength=len(most)) <= most).all():
                validation = taken
        return rest[~validation[rest]], np.flatnonzero(validation), np.flatnonzero(self.folds == fold)


def cut(log_mel, start, frames):
    """Returns frames start, start + 1, ... of a clip, repeating the clip when it ends."""
    return log_mel[:, np.arange(start, start + frames) % log_mel.shape[1]]


def channels_last(batch):
    return torch.from_numpy(np.ascontiguousarray(batch))[:, None].contiguous(memory_format=torch.channels_last)


def spectral_jitter(x, rng, deviation, most_bins, equalizer, level, knots=5):
    """Shifts each example along the mel axis, repeating the edge bins, and applies a random broad filter and level."""
    examples, n_mels, _ = x.shape
    shifts = rng.integers(-most_bins, most_bins + 1, (examples, 1))
    sources = np.clip(np.arange(n_mels) + shifts, 0, n_mels - 1)
    heights = rng.normal(0, equalizer, (examples, knots))
    places = np.linspace(0, knots - 1, n_mels)
    gains = np.stack([np.interp(places, np.arange(knots), height) for height in heights])
    gains += rng.uniform(-level, level, (examples, 1))
    moved = np.take_along_axis(x, sources[:, :, None], axis=1)
    return (moved + (gains / deviation.reshape(1, -1))[:, :, None]).astype(np.float32)


def spec_augment(x, rng, most_mels, most_frames):
    """Applies two frequency and two time masks per example, in place: widths uniform on {0..most}, value 0, the mean."""
    for example in x:
        for _ in range(2):
            for axis, most in ((example, most_mels), (example.T, most_frames)):
                width = rng.integers(0, most + 1)
                start = rng.integers(0, len(axis) - width + 1)
                axis[start : start + width] = 0


def mixup(x, targets, rng, alpha):
    """Mixes example i with example n - 1 - i of the batch, with its own lambda."""
    share = rng.beta(alpha, alpha, len(x)).astype(np.float32)[:, None]
    return share[..., None] * x + (1 - share[..., None]) * x[::-1], share * targets + (1 - share) * targets[::-1]


def training_batches(options, rng, log_mels, deviation, labels, classes, train):
    order = rng.permutation(np.repeat(train, options.crops_per_epoch))
    for first in range(0, len(order), options.batch):
        picks = order[first : first + options.batch]
        starts = [rng.integers(0, max(0, log_mels[i].shape[1] - options.crop_frames) + 1) for i in picks]
        x = np.stack([cut(log_mels[i], start, options.crop_frames) for i, start in zip(picks, starts)])
        targets = np.eye(classes, dtype=np.float32)[labels[picks]]
        if options.pitch_shift or options.equalizer or options.level:
            x = spectral_jitter(x, rng, deviation, options.pitch_shift, options.equalizer, options.level)
        spec_augment(x, rng, options.frequency_width, options.time_width)
        if options.mixup:
            x, targets = mixup(x, targets, rng, options.mixup)
        yield channels_last(x), torch.from_numpy(targets)


@torch.no_grad()
def evaluate(options, model, log_mels, labels, tracks):
    """Returns (track accuracy, segment accuracy, track cross entropy); a track's logits are the mean over its crops."""
    model.eval()
    right_tracks = right_segments = loss = 0.0
    for i in tracks:
        last = max(0, log_mels[i].shape[1] - options.crop_frames)
        starts = np.linspace(0, last, options.test_crops).round().astype(int)
        logits = model(channels_last(np.stack([cut(log_mels[i], start, options.crop_frames) for start in starts])))
        right_tracks += float(logits.mean(0).argmax() == labels[i])
        right_segments += float((logits.argmax(1) == labels[i]).float().mean())
        loss += float(F.cross_entropy(logits.mean(0), torch.tensor(labels[i])))
    return right_tracks / len(tracks), right_segments / len(tracks), loss / len(tracks)


@torch.no_grad()
def update_average(average, model, decay, step):
    """Updates the exponential moving average of weights and statistics; decay is at most (1 + step) / (10 + step)."""
    share = 1 - min(decay, (1 + step) / (10 + step))
    for kept, new in zip(average.state_dict().values(), model.state_dict().values()):
        kept.lerp_(new, share) if new.is_floating_point() else kept.copy_(new)


def learning_rate(base, step, warmup, total):
    if step < warmup:
        return base * (step + 1) / warmup
    return 0.5 * base * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))


def train_and_test(options, tracks, fold, seed):
    torch.manual_seed(seed)
    rng = np.random.default_rng([1, seed, fold])
    train, validation, test = tracks.split(fold, seed)
    log_mels, deviation = tracks.standardised(train, options.standardise == "bin")
    model = build_model(options.model, len(tracks.classes), options.dropout).to(memory_format=torch.channels_last)
    tested = copy.deepcopy(model) if options.ema else model
    weights = [p for p in model.parameters() if p.ndim > 1]
    norms_and_biases = [p for p in model.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": weights, "weight_decay": options.weight_decay}, {"params": norms_and_biases, "weight_decay": 0.0}],
        lr=options.lr,
    )
    steps_per_epoch = math.ceil(len(train) * options.crops_per_epoch / options.batch)
    step, epoch_seconds, best = 0, [], None
    for epoch in range(1, options.epochs + 1):
        begin = time.perf_counter()
        model.train()
        losses = []
        classes = len(tracks.classes)
        for x, targets in training_batches(options, rng, log_mels, deviation, tracks.labels, classes, train):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(
                    options.lr, step, steps_per_epoch * options.warmup_epochs, steps_per_epoch * options.epochs
                )
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), targets, label_smoothing=options.label_smoothing)
            loss.backward()
            if options.clip_norm:
                torch.nn.utils.clip_grad_norm_(model.parameters(), options.clip_norm)
            optimizer.step()
            if options.ema:
                update_average(tested, model, options.ema, step)
            step += 1
            losses.append(loss.item())
        epoch_seconds.append(time.perf_counter() - begin)
        if options.select == "best" or epoch == options.epochs:
            accuracy, _, validation_loss = evaluate(options, tested, log_mels, tracks.labels, validation)
            if best is None or options.select == "last" or (accuracy, -validation_loss) > best[:2]:
                best = accuracy, -validation_loss, epoch, copy.deepcopy(tested)
            print(
                f"fold {fold} seed {seed} epoch {epoch} loss {np.mean(losses):.4f} validation {accuracy:.4f}",
                flush=True,
            )
    track_accuracy, segment_accuracy, _ = evaluate(options, best[3], log_mels, tracks.labels, test)
    print(
        f"fold {fold} seed {seed} track accuracy {track_accuracy:.4f} segment accuracy {segment_accuracy:.4f} "
        f"{np.median(epoch_seconds):.3f} s/epoch",
        flush=True,
    )
    return {
        "fold": fold,
        "seed": seed,
        "track_accuracy": track_accuracy,
        "segment_accuracy": segment_accuracy,
        "validation_accuracy": best[0],
        "epoch": best[2],
        "epoch_seconds": float(np.median(epoch_seconds)),
        "train_tracks": len(train),
        "validation_tracks": len(validation),
        "test_tracks": len(test),
    }


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines() if pathlib.Path("/proc/cpuinfo").exists() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def main():
    options = parse_arguments()
    torch.set_num_threads(options.threads)
    tracks = Tracks(options.manifest, options.cache)
    assert all(len(log_mel) == N_MELS for log_mel in tracks.log_mels)
    runs = [train_and_test(options, tracks, fold, seed) for seed in options.seeds for fold in options.folds]
    means = {
        what: float(np.mean([run[what] for run in runs]))
        for what in ("track_accuracy", "segment_accuracy", "epoch_seconds")
    }
    settings = {name: value for name, value in vars(options).items() if not isinstance(value, pathlib.Path)}
    versions = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "librosa": librosa.__version__,
        "numpy": np.__version__,
    }
    options.out.write_text(
        json.dumps(
            {
                "settings": settings,
                "versions": versions,
                "machine": f"{platform.machine()}, {processor()}",
                "threads": options.threads,
                "mean": means,
                "runs": runs,
            },
            indent=1,
        )
        + "\n"
    )
    print(json.dumps(means))


if __name__ == "__main__":
    main()
