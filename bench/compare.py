"""Times melgrad and the programs that people use instead, in turn, with equal threads, on one machine's CPU.

training_step, inference: a step of melgrad_bench beside PyTorch in both memory layouts (step_pytorch.py).
log-mel: clips of --data in memory, beside librosa, torchaudio and audioFlux (audio_peers.py).
features: files of --data to features, beside librosa in a pool of processes.
predict: `melgrad predict` of files of --data, from start to end, beside a script of torch and librosa
    (predict_pytorch.py).

Each round runs melgrad, then every peer, each in a process of its own. The figures are medians over the rounds. A ratio
above 1 means that melgrad is faster; for steps it is that of PyTorch's faster layout. Before log-mel, features and
predict are timed, the results of both sides are compared. That steps compute the same is tested (ctest ModelParity).
"""

import argparse
import functools
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent

# The limits that make both programs use an instruction set.
INSTRUCTION_SETS = {
    "native": {},
    "avx2": {
        "MELGRAD_CPU": "avx2",
        "DNNL_MAX_CPU_ISA": "AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    },
}

# The largest difference in dB between a peer's features and melgrad's. The peers compute in float32, too.
MOST_DECIBELS = {"librosa": 0.002, "torchaudio": 0.01, "audioflux": 0.02}
MOST_PROBABILITY = 0.01


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n", maxsplit=1)[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    add = parser.add_argument
    works = ["training_step", "inference", "log-mel", "features", "predict"]
    add("--program", type=pathlib.Path, default="build/cpu/bench/melgrad_bench", help="melgrad_bench")
    add("--work", choices=works, default="training_step")
    add("--threads", nargs="+", type=int, default=[1, os.cpu_count()])
    add("--instruction-sets", nargs="+", choices=INSTRUCTION_SETS, default=list(INSTRUCTION_SETS))
    add("--rounds", type=int, default=5)
    add("--json", type=pathlib.Path, help="write all figures to this file")
    steps = parser.add_argument_group("training_step and inference")
    steps.add_argument("--models", nargs="+", default=["resnet18", "resnet_small", "cnn_bn"])
    steps.add_argument("--batch-sizes", nargs="+", type=int, default=[16, 64])
    steps.add_argument("--compile", action="store_true", help="let PyTorch use torch.compile")
    music = parser.add_argument_group("log-mel, features and predict")
    music.add_argument("--data", type=pathlib.Path, help="folder with audio files and a manifest.csv")
    music.add_argument("--clips", type=int, default=16, help="tracks to use; predict: files of one call")
    music.add_argument("--melgrad", type=pathlib.Path, default="build/cpu/melgrad", help="the program, for predict")
    music.add_argument("--checkpoint", type=pathlib.Path, help="a model for predict, from melgrad train")
    arguments = parser.parse_args()
    if arguments.work in works[2:] and not arguments.data:
        parser.error(f"--work {arguments.work} needs --data")
    if arguments.work == "predict" and not arguments.checkpoint:
        parser.error("--work predict needs --checkpoint")
    return arguments


def run(command, environment):
    command = [str(part) for part in command]
    result = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)} failed with exit code {result.returncode}: {result.stderr.strip()}")
    return result.stdout


def run_script(name, options, environment):
    """Returns the JSON that a script beside this one prints."""
    return json.loads(run([sys.executable, HERE / name, *options], environment))


def run_bench(program, work, options, environment):
    """Returns the JSON of one benchmark of melgrad_bench."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "result.json"
        run([program, work, *options, "--json", file], environment)
        return json.loads(file.read_text())[work]


def settings_of_rows(arguments):
    """Yields (threads, instruction set, environment) for each row of a table."""
    for threads in dict.fromkeys(arguments.threads):
        for name in arguments.instruction_sets:
            yield threads, name, {**INSTRUCTION_SETS[name], "OMP_NUM_THREADS": str(threads)}


def alternate(rounds, timers):
    """Calls each timer once per round. Returns the list of results of each."""
    results = {name: [] for name in timers}
    for _ in range(rounds):
        for name, timer in timers.items():
            results[name].append(timer())
    return results


# ---- steps


def compare_step(arguments, model, batch_size, threads, instruction_set, environment):
    def melgrad():
        options = ["--model", model, "--batch-size", batch_size]
        return 1000 * run_bench(arguments.program, arguments.work, options, environment)["seconds"]

    def pytorch():
        options = ["--work", arguments.work, "--model", model, "--batch-size", batch_size, "--threads", threads]
        return run_script(
            "step_pytorch.py", [*options, "--json", *(["--compile"] if arguments.compile else [])], environment
        )

    results = alternate(arguments.rounds, {"melgrad": melgrad, "pytorch": pytorch})
    ours = results["melgrad"]
    theirs = {
        layout: [result["milliseconds"][layout] for result in results["pytorch"]]
        for layout in results["pytorch"][0]["milliseconds"]
    }
    medians = {layout: statistics.median(times) for layout, times in theirs.items()}
    return {
        "work": arguments.work,
        "model": model,
        "batch_size": batch_size,
        "threads": threads,
        "instruction_set": instruction_set,
        "torch": results["pytorch"][0]["torch"],
        "compiled": arguments.compile,
        "melgrad_ms": statistics.median(ours),
        "pytorch_ms": medians,
        "ratio": min(medians.values()) / statistics.median(ours),
        "rounds": {"melgrad_ms": ours, "pytorch_ms": theirs},
    }


def compare_steps(arguments):
    print("model        batch threads     set melgrad ms  NCHW ms  NHWC ms  ratio")
    for model in arguments.models:
        for batch_size in arguments.batch_sizes:
            for threads, instruction_set, environment in settings_of_rows(arguments):
                row = compare_step(arguments, model, batch_size, threads, instruction_set, environment)
                peer = row["pytorch_ms"]
                print(
                    f"{model:12} {batch_size:5} {threads:7} {instruction_set:>7} {row['melgrad_ms']:10.1f}"
                    f" {peer['nchw']:8.1f} {peer['channels_last']:8.1f} {row['ratio']:6.2f}",
                    flush=True,
                )
                yield row


# ---- music


def require_equal_features(arguments, library, environment):
    """Compares the features of the first track in dB."""
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = pathlib.Path(folder) / "ours.npy", pathlib.Path(folder) / "theirs.npy"
        scale = ["--htk"] if library == "audioflux" else []
        options = ["--data", arguments.data, "--clips", 1]
        run_bench(arguments.program, "log_mel", [*options, *scale, "--npy", ours], environment)
        run_script("audio_peers.py", [*options, "--library", library, "--passes", 1, "--npy", theirs], environment)
        difference = np.abs(np.load(ours) - np.load(theirs)).max()
    if not difference <= MOST_DECIBELS[library]:
        sys.exit(f"{library} and melgrad differ by {difference} dB, at most {MOST_DECIBELS[library]} is expected")
    return float(difference)


def music_row(arguments, threads, instruction_set, results, extra):
    from audio_peers import first_tracks

    medians = {name: statistics.median(times) for name, times in results.items()}
    ours = medians["melgrad"]
    ratios = {name: time / ours for name, time in medians.items() if name != "melgrad"}
    for name, ratio in ratios.items():
        print(
            f"{arguments.work:9} {threads:7} {instruction_set:>7} {ours:10.2f}"
            f" {name:>10} {medians[name]:9.2f} {ratio:6.2f}",
            flush=True,
        )
    return {
        "work": arguments.work,
        "threads": threads,
        "instruction_set": instruction_set,
        "clips": arguments.clips,
        "format": first_tracks(arguments.data, 1)[0].suffix[1:],
        "milliseconds_per_clip": medians,
        "ratios": ratios,
        "rounds": results,
        **extra,
    }


def compare_features(arguments):
    """Rows of log-mel (clips in memory) and features (files)."""
    libraries = list(MOST_DECIBELS) if arguments.work == "log-mel" else ["librosa"]
    print("work      threads     set melgrad ms       peer   peer ms  ratio   (per clip)")
    for threads, instruction_set, environment in settings_of_rows(arguments):
        extra = {"versions": {}, "difference_db": {}}
        for library in libraries:
            extra["difference_db"][library] = require_equal_features(arguments, library, environment)

        def melgrad(environment=environment):
            work = arguments.work.replace("-", "_")
            options = ["--data", arguments.data, "--clips", arguments.clips]
            result = run_bench(arguments.program, work, options, environment)
            return 1000 * result["seconds"] / result["clips" if work == "log_mel" else "files"]

        def peer(library, threads=threads, environment=environment, extra=extra):
            options = ["--data", arguments.data, "--work", arguments.work, "--library", library]
            options += ["--clips", arguments.clips, "--processes", threads]
            result = run_script("audio_peers.py", options, environment)
            extra["versions"][library] = result["version"]
            return result["milliseconds"]

        timers = {"melgrad": melgrad} | {name: functools.partial(peer, name) for name in libraries}
        yield music_row(arguments, threads, instruction_set, alternate(arguments.rounds, timers), extra)


def compare_predictions(arguments):
    """Rows of predict: whole processes, start-up included."""
    from audio_peers import first_tracks

    files = first_tracks(arguments.data, arguments.clips)
    print("work      threads     set melgrad ms       peer   peer ms  ratio   (per file)")
    for threads, instruction_set, environment in settings_of_rows(arguments):
        ours = [arguments.melgrad, "predict", arguments.checkpoint, *files, "--json"]
        theirs = [sys.executable, HERE / "predict_pytorch.py", arguments.checkpoint, *files, "--threads", threads]

        def timed(command, environment=environment):
            start = time.perf_counter()
            run(command, environment)
            return 1000 * (time.perf_counter() - start) / len(files)

        difference = largest_difference(json.loads(run(ours, environment)), json.loads(run(theirs, environment)))
        commands = {"melgrad": ours, "torch": theirs}
        timers = {name: functools.partial(timed, command) for name, command in commands.items()}
        yield music_row(
            arguments,
            threads,
            instruction_set,
            alternate(arguments.rounds, timers),
            {"difference_of_probability": difference},
        )


def largest_difference(ours, theirs):
    """Compares probabilities of `melgrad predict --json` with those of the script."""
    difference = 0
    for track in ours:
        expected = theirs[track["file"]]
        for entry in track["predictions"]:
            difference = max(difference, abs(entry["probability"] - expected[entry["label"]]))
    if difference > MOST_PROBABILITY:
        sys.exit(f"the probabilities of melgrad and of the script differ by {difference}")
    return difference


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main():
    arguments = parse_arguments()
    compare = {"log-mel": compare_features, "features": compare_features, "predict": compare_predictions}
    rows = list(compare.get(arguments.work, compare_steps)(arguments))
    if arguments.json:
        machine = {"processor": processor(), "processors": os.cpu_count(), "system": platform.platform()}
        arguments.json.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
