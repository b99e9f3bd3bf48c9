"""Compares the event files of runs with their logs, read by TensorBoard's own loader.

    venv/bin/pip install tensorboard
    venv/bin/python bench/read_events.py RUN...

Each scalar of RUN/events.out.tfevents.* must have one value for each epoch of RUN/log.jsonl, the same within the
rounding to float32. A finished run must have its pictures and its hyperparameters. Prints one line per run.
"""

import argparse
import json
import pathlib
import struct

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.plugins.hparams import metadata

NAMES = {
    "train_loss": "loss/train",
    "train_accuracy": "accuracy/train",
    "validation_loss": "loss/validation",
    "validation_track_accuracy": "accuracy/validation",
    "seconds": "epoch_seconds",
}


def rounded_to_float32(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def numbers_of(log):
    """name -> [(epoch, value)]"""
    numbers = {}
    for line in log:
        for key, value in line.items():
            if key not in ("epoch", "time", "best") and value is not None:
                numbers.setdefault(NAMES.get(key, key), []).append((line["epoch"], rounded_to_float32(value)))
    return numbers


def check(run):
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    # 0: keep all
    events = event_accumulator.EventAccumulator(str(run), size_guidance={"scalars": 0, "images": 0, "tensors": 0})
    events.Reload()
    tags = events.Tags()
    expected = numbers_of(log)
    assert set(tags["scalars"]) == set(expected), (tags["scalars"], sorted(expected))
    for name, values in expected.items():
        read = events.Scalars(name)
        assert [(event.step, event.value) for event in read] == values, (name, read, values)
        times = [line["time"] for line in log if "time" in line]
        assert not times or [event.wall_time for event in read][-1] == times[-1], name
    hparams = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    options = metadata.parse_session_start_info_plugin_data(hparams).hparams
    assert options["model"].string_value and options["epochs"].number_value >= len(log)
    pictures = {name: events.Images(name)[-1] for name in tags["images"]}
    assert "training crop" in pictures, pictures
    if (run / "validation.json").exists() and len(log) == options["epochs"].number_value:
        assert pictures["confusion of the validation tracks"].step == len(log)
        end = events.SummaryMetadata("_hparams_/session_end_info").plugin_data.content
        assert metadata.parse_session_end_info_plugin_data(end).status == 1
    for picture in pictures.values():
        assert picture.encoded_image_string.startswith(b"\x89PNG") and picture.width > 100
    sizes = sum(len(picture.encoded_image_string) for picture in pictures.values())
    print(f"{run}: {len(log)} epochs of {len(expected)} scalars, {len(options)} options, "
          f"{len(pictures)} pictures of {sizes / 1e6:.2f} MB")


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("runs", nargs="+", type=pathlib.Path)
for folder in parser.parse_args().runs:
    check(folder)
