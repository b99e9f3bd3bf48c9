"""Draws the pictures of docs/performance.md from the JSON files in bench/results/.

    python bench/plot.py ratios compare_*.json --out docs/images/speed_ratios.svg
    python bench/plot.py growth growth.json --out docs/images/growth.svg
"""

import argparse
import json
import pathlib

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402  (after the choice of the renderer)

OURS, PEER, GRID = "#2a6f97", "#bc6c25", "#dddddd"
pyplot.rcParams.update({"svg.hashsalt": "melgrad", "svg.fonttype": "none", "font.size": 9, "axes.axisbelow": True})


def rows_of(files):
    return [row for file in files for row in json.loads(file.read_text())["rows"]]


def labelled_ratios(rows):
    """Yields (label, ratio), one for each bar."""
    for row in rows:
        place = f"{row['threads']} thread{'s' if row['threads'] > 1 else ''}, {row['instruction_set']}"
        if "ratio" in row:
            name = {"training_step": "training step", "inference": "evaluation"}[row["work"]]
            yield f"{name}, {row['model']}, batch {row['batch_size']}, {place} (PyTorch)", row["ratio"]
        else:
            what = f"{row['work']} of {row['format']} files" if row["work"] != "log-mel" else row["work"]
            for peer, ratio in row["ratios"].items():
                yield f"{what}, {place} ({peer})", ratio


def draw_ratios(rows):
    bars = list(labelled_ratios(rows))[::-1]
    figure, axes = pyplot.subplots(figsize=(8, 0.6 + 0.2 * len(bars)))
    axes.barh(range(len(bars)), [ratio for _, ratio in bars], color=OURS)
    axes.set_yticks(range(len(bars)), [label for label, _ in bars])
    axes.axvline(1, color=PEER)
    axes.set_xscale("log")
    axes.set_xlim(left=0.9)
    axes.set_xticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    axes.xaxis.minorticks_off()
    axes.set_xlabel("time of the other program / time of melgrad")
    for i, (_, ratio) in enumerate(bars):
        axes.text(ratio, i, f" {ratio:.1f}", va="center")
    axes.margins(x=0.1, y=0.01)
    axes.grid(axis="x", color=GRID)
    return figure


def draw_growth(rows):
    figure, (steps, times, memory) = pyplot.subplots(1, 3, figsize=(12, 3.6))
    batches = [row for row in rows if row["work"] == "step"]
    sizes = [row["batch_size"] for row in batches]
    for key, name, color in [("melgrad_ms", "melgrad", OURS), ("pytorch_ms", "PyTorch", PEER)]:
        steps.plot(sizes, [row[key] / row["batch_size"] for row in batches], "o-", color=color, label=name)
    steps.set(xscale="log", xlabel="batch size", ylabel="ms per example", title="training step")
    steps.set_ylim(bottom=0)
    for work, color in [("predict", OURS), ("timeline", PEER), ("mel", "#5a8f3c")]:
        own = [row for row in rows if row["work"] == work]
        seconds = [row["seconds_of_audio"] for row in own]
        times.plot(seconds, [row["milliseconds"] / 1000 for row in own], "o-", color=color, label=work)
        memory.plot(seconds, [row["bytes"] / 2**20 for row in own], "o-", color=color, label=work)
    times.set(xscale="log", yscale="log", xlabel="s of audio", ylabel="s", title="time")
    memory.set(xscale="log", xlabel="s of audio", ylabel="MiB", title="largest resident set")
    memory.set_ylim(bottom=0)
    for axes in (steps, times, memory):
        axes.grid(color=GRID)
        axes.legend(frameon=False)
    figure.tight_layout()
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("picture", choices=["ratios", "growth"])
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    draw = {"ratios": draw_ratios, "growth": draw_growth}[arguments.picture]
    draw(rows_of(arguments.files)).savefig(arguments.out, bbox_inches="tight", metadata={"Date": None})


if __name__ == "__main__":
    main()
