"""Measures melgrad on sets that are larger than the memory.

    python large_sets.py build/cpu/melgrad build/cpu/bench/melgrad_large_set FOLDER --out bench/results/large_sets.json

speed     Trains on --tracks generated recordings in a control group of --limit bytes, and without a limit, alternately.
          The limit counts the page cache too. Before each run the pages of the cache's files are given up
          (posix_fadvise), so that each run reads them from the disk once; a run without a limit then has them in memory.
start     Time from the start of the program to its first epoch, for a cached set of --start-tracks recordings.
linear    Time and peak of the memory that is not the page cache (RssAnon) of check, of the split and start of a training,
          and of evaluate, for sets of 1, 2 and 4 times --linear-tracks recordings.

Needs root, for the control group (version 1 or 2). The machine may run other work: the figures to read are ratios of
runs that were alternated. Uses no package beyond Python's own.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

GROUP = "melgrad_bench"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("program", type=pathlib.Path)
    add("generator", type=pathlib.Path)
    add("folder", type=pathlib.Path, help="folder for the sets, which are removed afterwards")
    add("--out", type=pathlib.Path, required=True, help="JSON file for the results; parts that were not run stay")
    add("--parts", default="speed,start,linear")
    add("--tracks", type=int, default=20000)
    add("--limit", type=int, default=4 << 30, help="bytes")
    add("--turns", type=int, default=2)
    add("--model", default="cnn")
    add("--train", default="--epochs 2 --crop-frames 64 --validation-fraction 0.02", help="options of the trainings")
    add("--start-tracks", type=int, default=100000)
    add("--linear-tracks", type=int, default=5000)
    return parser.parse_args()


class Group:
    """A control group that limits the memory of the processes in it."""

    def __init__(self, limit):
        first = pathlib.Path("/sys/fs/cgroup/memory")
        self.version = 1 if first.is_dir() else 2
        self.path = (first if self.version == 1 else pathlib.Path("/sys/fs/cgroup")) / GROUP
        self.path.mkdir(exist_ok=True)
        names = {1: "memory.limit_in_bytes", 2: "memory.max"}
        (self.path / names[self.version]).write_text(str(limit))

    def enter(self):
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def peak(self):
        return int((self.path / {1: "memory.max_usage_in_bytes", 2: "memory.peak"}[self.version]).read_text())

    def remove(self):
        self.path.rmdir()


def give_up_pages(folder):
    for file in folder.rglob("*.data"):
        descriptor = os.open(file, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def resident(pid):
    """Kilobytes of memory of its own and of mapped files."""
    values = {"RssAnon": 0, "RssFile": 0}
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            key, _, value = line.partition(":")
            if key in values:
                values[key] = int(value.split()[0])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return values


def run(command, group=None, until=None):
    """Runs a command. Returns its seconds, the peaks of its resident memory in MB, and what it printed."""
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        begin = time.monotonic()
        process = subprocess.Popen([str(part) for part in command], stdout=output, stderr=subprocess.STDOUT,
                                   preexec_fn=group.enter if group else None)
        peaks, reached = {"RssAnon": 0, "RssFile": 0}, None
        while process.poll() is None:
            for key, value in resident(process.pid).items():
                peaks[key] = max(peaks[key], value)
            if until and reached is None and until():
                reached = time.monotonic() - begin
                process.terminate()
            time.sleep(0.01)
        seconds = reached or time.monotonic() - begin
        output.seek(0)
        text = output.read()
    if (process.returncode != 0) if until is None else (reached is None):
        raise RuntimeError(f"{command} ended with {process.returncode}: {text[-2000:]}")
    return {"seconds": round(seconds, 2), "anon_mb": round(peaks["RssAnon"] / 1000),
            "file_mb": round(peaks["RssFile"] / 1000)}, text


class Bench:
    def __init__(self, options):
        self.options = options

    def generate(self, name, tracks, frames=1292):
        folder = self.options.folder / name
        subprocess.run([str(self.options.generator), str(folder), str(tracks), str(frames)], check=True,
                       stderr=subprocess.DEVNULL)
        return folder

    def train(self, folder, more, **how):
        out = folder / "run"
        shutil.rmtree(out, ignore_errors=True)
        command = [self.options.program, "train", folder / "music", "--cache", folder / "cache", "--cache-limit", 0, "--out",
                   out, "--model", self.options.model, "--seed", 1] + more
        result, text = run(command, **how)
        log = out / "log.jsonl"
        epochs = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        result["epoch_seconds"] = [round(epoch["seconds"], 1) for epoch in epochs]
        result["residency"] = next((line for line in text.splitlines() if "--residency" in line), "")
        checkpoint = out / "last.safetensors"
        result["weights"] = (subprocess.run(["sha256sum", checkpoint], capture_output=True, text=True).stdout[:16]
                             if checkpoint.exists() else "")
        return result

    def speed(self):
        options = self.options
        folder = self.generate("speed", options.tracks)
        features = sum(file.stat().st_size for file in folder.rglob("*.data"))
        more = options.train.split()
        limited, enough = [], []
        for _ in range(options.turns):
            for runs, limit in ((limited, options.limit), (enough, None)):
                give_up_pages(folder)
                group = Group(limit) if limit else None
                runs.append(self.train(folder, more, group=group))
                if group:
                    runs[-1]["group_peak_mb"] = group.peak() // 1_000_000
                    group.remove()
                print(json.dumps(runs[-1]), flush=True)
        # The first epoch of both reads the files from the disk.
        best = {name: min(run["epoch_seconds"][-1] for run in runs) for name, runs in (("l", limited), ("e", enough))}
        ratios = [e["epoch_seconds"][-1] / l["epoch_seconds"][-1] for l, e in zip(limited, enough)]
        shutil.rmtree(folder)
        return {"tracks": options.tracks, "feature_bytes": features, "limit_bytes": options.limit, "options": options.train,
                "model": options.model, "limited": limited, "enough": enough,
                "speed_of_limited": round(statistics.median(ratios), 3), "speed_of_fastest": round(best["e"] / best["l"], 3)}

    def start(self):
        folder = self.generate("start", self.options.start_tracks, 16)
        more = ["--crop-frames", 16, "--epochs", 1000, "--test-fraction", 0.1, "--residency", "disk"]
        times = []
        # The first run reads all features once, for the statistics and the fingerprints.
        for _ in range(4):
            config = folder / "run" / "training.safetensors"
            times.append(self.train(folder, more, until=config.exists)["seconds"])
            print(times[-1], flush=True)
        shutil.rmtree(folder)
        return {"tracks": self.options.start_tracks, "first_seconds": times[0], "seconds": times[1:]}

    def linear(self):
        result = []
        for factor in (1, 2, 4):
            tracks = self.options.linear_tracks * factor
            folder = self.generate("linear", tracks, 323)
            cache = ["--cache", folder / "cache", "--cache-limit", 0]
            row = {"tracks": tracks}
            row["train"] = self.train(folder, ["--epochs", 1, "--crop-frames", 16, "--test-fraction", 0.5])
            row["check"] = run([self.options.program, "check", folder / "music", *cache])[0]
            row["evaluate"] = run([self.options.program, "evaluate", folder / "run", folder / "music", *cache])[0]
            print(json.dumps(row), flush=True)
            result.append(row)
            shutil.rmtree(folder)
        return result


def main():
    options = parse_arguments()
    bench = Bench(options)
    results = json.loads(options.out.read_text()) if options.out.exists() else {}
    for part in options.parts.split(","):
        results[part] = getattr(bench, part)()
        options.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
