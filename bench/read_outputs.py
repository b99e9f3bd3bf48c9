"""Checks every output format of melgrad predict with a reader that is not melgrad's own.

    venv/bin/pip install jams pandas mutagen m3u8 mir_eval
    venv/bin/python bench/read_outputs.py build/cpu/melgrad RUN MUSIC [--long FILE]

MUSIC is a folder of audio files of at least 10 s in formats that have tags. CSV is read by csv and pandas, NDJSON by json
and pandas, label tracks by mir_eval, selection tables by pandas, JAMS by jams (with validation against its schema),
playlists by m3u8, tags by mutagen. All must give the same answers. Prints one line per format.
"""

import argparse
import csv
import json
import math
import pathlib
import subprocess
import tempfile

import jams
import m3u8
import mir_eval
import mutagen
import pandas


def predict(program, run, inputs, *options):
    subprocess.run([program, "predict", run, *map(str, inputs), "--quiet", *map(str, options)],
                   check=True, stdout=subprocess.DEVNULL)


def outputs(out):
    return ["--csv", out / "a.csv", "--ndjson", out / "a.ndjson", "--audacity", out / "audacity", "--raven",
            out / "raven", "--jams", out / "jams"]


def rows_of(out):
    """The rows of the CSV table, read three times."""
    with open(out / "a.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = ["path", "start_s", "end_s", "label", "probability"]
    assert list(rows[0])[:5] == columns
    classes = [name.removeprefix("probability_") for name in list(rows[0])[5:]]
    frame = pandas.read_csv(out / "a.csv")
    lines = [json.loads(line) for line in open(out / "a.ndjson", encoding="utf-8")]
    table = pandas.read_json(out / "a.ndjson", lines=True)
    assert len(rows) == len(frame) == len(lines) == len(table)
    assert list(frame.columns) == list(table.columns) == list(rows[0])
    for row, line in zip(rows, lines):
        assert [row[name] for name in ("path", "label")] == [line[name] for name in ("path", "label")]
        for name in row:
            if name not in ("path", "label"):
                assert math.isclose(float(row[name]), line[name], abs_tol=1e-9), (name, row, line)
        assert abs(sum(float(row["probability_" + label]) for label in classes) - 1) < 1e-5
    return rows


def check_label_tracks(out, rows, name_of, namespace):
    for path in {row["path"] for row in rows}:
        expected = [row for row in rows if row["path"] == path]
        intervals, labels = mir_eval.io.load_labeled_intervals(out / "audacity" / (name_of(path) + ".txt"),
                                                               delimiter="\t")
        table = pandas.read_csv(out / "raven" / (name_of(path) + ".selections.txt"), sep="\t")
        sound = jams.load(str(out / "jams" / (name_of(path) + ".jams")), validate=True, strict=True)
        annotation = sound.search(namespace=namespace)[0]
        assert annotation.validate(strict=True)
        seconds = [(float(row["start_s"]), float(row["end_s"])) for row in expected]
        for (start, end), interval, (_, selection), observed in zip(seconds, intervals, table.iterrows(),
                                                                    annotation.data):
            for got in (interval, (selection["Begin Time (s)"], selection["End Time (s)"]),
                        (observed.time, observed.time + observed.duration)):
                assert abs(got[0] - start) < 1e-3 and abs(got[1] - end) < 1e-3, (got, start, end)
        values = [row["label"] for row in expected]
        assert values == list(labels) == list(table["Label"]) == [o.value for o in annotation.data]
        assert list(table["Selection"]) == list(range(1, len(expected) + 1))
        assert all(table["High Freq (Hz)"] > table["Low Freq (Hz)"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("run")
    parser.add_argument("music", type=pathlib.Path)
    parser.add_argument("--long", type=pathlib.Path, help="a recording for the timeline; default: the first of MUSIC")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder)
        predict(arguments.program, arguments.run, [arguments.music], *outputs(out), "--m3u", out / "m3u",
                "--write-tags", out / "tagged")
        rows = rows_of(out)
        print(f"CSV and NDJSON: {len(rows)} rows, equal in csv, json and pandas")
        check_label_tracks(out, rows, lambda path: str(pathlib.Path(path).relative_to(arguments.music)), "tag_open")
        print("Audacity, Raven, JAMS (tag_open): equal in mir_eval, pandas and jams")
        listed = {}
        for playlist in (out / "m3u").glob("*.m3u8"):
            for entry in m3u8.load(str(playlist)).segments:
                listed[str((out / "m3u" / entry.uri).resolve())] = playlist.stem
        assert listed == {str(pathlib.Path(row["path"]).resolve()): row["label"] for row in rows}
        print(f"M3U8: {len(listed)} recordings, equal in m3u8, and every path leads to its file")
        for row in rows:
            tagged = mutagen.File(out / "tagged" / pathlib.Path(row["path"]).relative_to(arguments.music), easy=True)
            genre = tagged.get("genre") or tagged.get("TCON").text
            assert list(genre) == [row["label"]], (row["path"], genre)
        print(f"tags: {len(rows)} genres, equal in mutagen")

        timeline = out / "timeline"
        timeline.mkdir()
        recording = arguments.long or pathlib.Path(rows[0]["path"])
        predict(arguments.program, arguments.run, [recording], "--timeline", *outputs(timeline))
        rows = rows_of(timeline)
        check_label_tracks(timeline, rows, lambda path: pathlib.Path(path).name, "segment_open")
        ends = [float(row["end_s"]) for row in rows]
        assert [float(row["start_s"]) for row in rows] == [0.0, *ends[:-1]]
        print(f"timeline: {len(rows)} segments of {ends[-1]:.1f} s without gaps, equal in all readers")


if __name__ == "__main__":
    main()
