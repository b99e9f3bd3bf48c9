"""Measures how time and memory of melgrad grow with the work, on this machine's CPU.

step: one training step of a model, at batch sizes 1 to 256, beside PyTorch's faster layout.
predict: one recording of 3 s to 2 h through `melgrad predict`, with and without --timeline.
mel: the same recordings through `melgrad mel`.

Each figure is the median of --rounds runs, each in a process of its own. Memory is the largest resident set of the
process (ru_maxrss), start-up included. The recordings are made here: noise that swells twice a second, 22050 Hz, mono.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import wave

import numpy as np
from compare import processor, run_bench, run_script

SAMPLE_RATE = 22050
SECONDS = [3, 10, 30, 120, 600, 1800, 7200]
BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256]


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n", maxsplit=1)[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    add = parser.add_argument
    add("--program", type=pathlib.Path, default="build/cpu/bench/melgrad_bench", help="melgrad_bench")
    add("--melgrad", type=pathlib.Path, default="build/cpu/melgrad", help="the program, for predict and mel")
    add("--checkpoint", type=pathlib.Path, required=True, help="a model for predict, from melgrad train")
    add("--model", default="resnet18", help="network of the training step")
    add("--threads", type=int, default=1)
    add("--rounds", type=int, default=3)
    add("--json", type=pathlib.Path, required=True, help="file for all figures")
    return parser.parse_args()


def measured(command, environment):
    """Runs a command. Returns its seconds and its largest resident set in bytes."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [str(part) for part in command], env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=errors
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            sys.exit(f"{command[1]} failed with exit code {process.returncode}: {errors.read().decode().strip()}")
    return time.perf_counter() - start, usage.ru_maxrss * 1024


def write_recording(path, seconds):
    """Writes one minute at a time, so that this script needs no more memory for long recordings."""
    generator = np.random.default_rng(1)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        for begin in range(0, seconds, 60):
            t = np.arange(min(60, seconds - begin) * SAMPLE_RATE) / SAMPLE_RATE
            samples = generator.normal(0, 0.1, len(t)) * (1 + np.sin(4 * np.pi * t))
            file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def step_rows(arguments, environment):
    for batch_size in BATCH_SIZES:
        options = ["--model", arguments.model, "--batch-size", batch_size]
        ours = [
            1000 * run_bench(arguments.program, "training_step", options, environment)["seconds"]
            for _ in range(arguments.rounds)
        ]
        _, memory = measured([arguments.program, "training_step", *options], environment)
        theirs = [
            min(
                run_script(
                    "step_pytorch.py",
                    ["--work", "training_step", *map(str, options), "--threads", str(arguments.threads), "--json"],
                    environment,
                )["milliseconds"].values()
            )
            for _ in range(arguments.rounds)
        ]
        row = {
            "work": "step",
            "batch_size": batch_size,
            "melgrad_ms": statistics.median(ours),
            "pytorch_ms": statistics.median(theirs),
            "melgrad_bytes": memory,
        }
        print(
            f"step     batch {batch_size:5}  {row['melgrad_ms'] / batch_size:8.2f} ms an example"
            f"  {row['pytorch_ms'] / batch_size:8.2f} PyTorch  {memory / 2**20:7.0f} MiB",
            flush=True,
        )
        yield row


def recording_rows(arguments, environment):
    with tempfile.TemporaryDirectory() as folder:
        for seconds in SECONDS:
            file = pathlib.Path(folder) / f"{seconds}.wav"
            write_recording(file, seconds)
            commands = {
                "predict": ["predict", arguments.checkpoint, file],
                "timeline": ["predict", arguments.checkpoint, file, "--timeline"],
                "mel": ["mel", file, "--npy", pathlib.Path(folder) / "mel.npy"],
            }
            for work, command in commands.items():
                runs = [measured([arguments.melgrad, *command], environment) for _ in range(arguments.rounds)]
                row = {
                    "work": work,
                    "seconds_of_audio": seconds,
                    "milliseconds": statistics.median(1000 * time for time, _ in runs),
                    "bytes": statistics.median(memory for _, memory in runs),
                }
                print(
                    f"{work:8} {seconds:5} s audio  {row['milliseconds']:8.0f} ms  {row['bytes'] / 2**20:7.0f} MiB",
                    flush=True,
                )
                yield row
            file.unlink()


def main():
    arguments = parse_arguments()
    environment = {"OMP_NUM_THREADS": str(arguments.threads)}
    rows = [*recording_rows(arguments, environment), *step_rows(arguments, environment)]
    machine = {"processor": processor(), "processors": os.cpu_count(), "threads": arguments.threads}
    arguments.json.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
