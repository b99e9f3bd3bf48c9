"""Cross-validates melgrad: holds out each fold in turn, trains and validates on the other folds, then tests once.

    python cross_validate.py build/cpu/melgrad music --runs runs --out bench/results/genres4.json --models resnet_small --seeds 0 1 2

Needs only Python's standard library. An interrupted call continues when repeated: finished runs in --runs are kept.
"""

import argparse
import concurrent.futures
import itertools
import json
import pathlib
import platform
import statistics
import subprocess


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("program", type=pathlib.Path)
    add("data", type=pathlib.Path, help="a data set whose manifest has folds")
    add("--runs", type=pathlib.Path, required=True, help="folder for the trained runs")
    add("--out", type=pathlib.Path, required=True, help="JSON file for the result")
    add("--models", nargs="+", default=["resnet_small"])
    add("--folds", type=int, nargs="+", default=[0, 1, 2, 3])
    add("--seeds", type=int, nargs="+", default=[0])
    add("--jobs", type=int, default=1, help="number of runs in parallel")
    add("--threads", type=int, default=1, help="threads per run")
    add("--options", default="", help="more options for melgrad train, as one string")
    return parser.parse_args()


def run(options, model, fold, seed):
    folder = options.runs / f"{model}_fold{fold}_seed{seed}"
    train = [options.program, "train", options.data, "--model", model, "--fold", fold, "--seed", seed, "--out", folder,
             "--threads", options.threads, *options.options.split()]
    evaluate = [options.program, "evaluate", folder, options.data, "--split", "test", "--threads", options.threads]
    result = folder / "result.json"
    if not result.exists():
        resume = ["--resume"] if (folder / "training.safetensors").exists() else []
        trained = json.loads(call(train + resume))
        measured = json.loads(call(evaluate))
        epochs = [json.loads(line)["seconds"] for line in (folder / "log.jsonl").read_text().splitlines()]
        result.write_text(json.dumps({
            "model": model, "fold": fold, "seed": seed,
            "track_accuracy": measured["track_accuracy"], "segment_accuracy": measured["segment_accuracy"],
            "macro_f1": measured["macro_f1"], "tracks": measured["tracks"],
            "validation_track_accuracy": trained["validation_track_accuracy"],
            "validation_loss": trained["validation_loss"],
            "train_seconds": trained["seconds"], "epoch_seconds": statistics.median(epochs)}))
    print(result.read_text(), flush=True)
    return json.loads(result.read_text())


def call(command):
    return subprocess.run([str(part) for part in command] + ["--json", "--quiet"], check=True, capture_output=True, text=True).stdout


def mean(runs, key):
    return round(statistics.mean(run[key] for run in runs), 4)


def main():
    options = parse_arguments()
    options.runs.mkdir(parents=True, exist_ok=True)
    jobs = list(itertools.product(options.models, options.seeds, options.folds))
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        runs = list(pool.map(lambda job: run(options, job[0], job[2], job[1]), jobs))
    summary = {}
    for model in options.models:
        mine = [result for result in runs if result["model"] == model]
        summary[model] = {
            "track_accuracy": mean(mine, "track_accuracy"),
            "track_accuracy_by_fold": [mean([r for r in mine if r["fold"] == fold], "track_accuracy") for fold in options.folds],
            "track_accuracy_by_seed": [mean([r for r in mine if r["seed"] == seed], "track_accuracy") for seed in options.seeds],
            "segment_accuracy": mean(mine, "segment_accuracy"),
            "macro_f1": mean(mine, "macro_f1"),
            "validation_track_accuracy": mean(mine, "validation_track_accuracy"),
            "validation_loss": mean(mine, "validation_loss"),
            "epoch_seconds": mean(mine, "epoch_seconds"),
            "train_seconds": mean(mine, "train_seconds")}
    version = subprocess.run([options.program, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"version": version, "machine": platform.processor() or platform.machine(),
                                       "options": options.options, "threads": options.threads, "jobs": options.jobs,
                                       "summary": summary, "runs": runs}, indent=2) + "\n")
    print(json.dumps(summary, indent=2))


if __name__ == "__main__":
    main()
