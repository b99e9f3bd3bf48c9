"""Times a training epoch of melgrad and of PyTorch on the same work, alternately. Run it on an otherwise idle machine.

    python epoch_time.py build/cpu/melgrad music --cache features --out bench/results/epoch_time.json

Each turn trains both for --epochs epochs on the same fold with the default recipe. The time of a turn is the median of
its epochs; the time of a program is the median of its turns. Needs the same Python packages as train_pytorch.py.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("program", type=pathlib.Path)
    add("data", type=pathlib.Path, help="a data set whose manifest.csv has folds")
    add("--cache", type=pathlib.Path, required=True, help="folder for the features that PyTorch uses")
    add("--out", type=pathlib.Path, required=True, help="JSON file for the result")
    add("--model", default="resnet_small")
    add("--threads", type=int, default=2)
    add("--epochs", type=int, default=12)
    add("--turns", type=int, default=3)
    return parser.parse_args()


def call(*command):
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)


def melgrad_seconds(options, folder):
    run = folder / "run"
    call(options.program, "train", options.data, "--out", run, "--model", options.model, "--fold", 0, "--threads",
         options.threads, "--epochs", options.epochs, "--quiet")
    return statistics.median(json.loads(line)["seconds"] for line in (run / "log.jsonl").read_text().splitlines())


def pytorch_result(options, folder):
    result = folder / "pytorch.json"
    call(sys.executable, pathlib.Path(__file__).with_name("train_pytorch.py"), options.data / "manifest.csv", "--cache",
         options.cache, "--out", result, "--model", options.model, "--folds", 0, "--threads", options.threads,
         "--epochs", options.epochs)
    return json.loads(result.read_text())


def main():
    options = parse_arguments()
    turns = {"melgrad": [], "pytorch": []}
    for turn in range(options.turns):
        with tempfile.TemporaryDirectory() as folder:
            turns["melgrad"].append(melgrad_seconds(options, pathlib.Path(folder)))
            pytorch = pytorch_result(options, pathlib.Path(folder))
            turns["pytorch"].append(pytorch["mean"]["epoch_seconds"])
        print(", ".join(f"{name} {seconds[-1]:.3f} s an epoch" for name, seconds in turns.items()), flush=True)
    options.out.write_text(json.dumps({
        "model": options.model, "threads": options.threads, "epochs": options.epochs,
        "tracks": pytorch["runs"][0]["train_tracks"], "machine": pytorch["machine"], "versions": pytorch["versions"],
        "seconds_an_epoch": {name: round(statistics.median(times), 4) for name, times in turns.items()},
        "turns": turns}, indent=2) + "\n")


if __name__ == "__main__":
    main()
