"""Compares the probabilities of exported ONNX files in onnxruntime with those of melgrad predict, and their times.

    venv/bin/pip install onnx onnxruntime soundfile soxr
    venv/bin/python bench/check_onnx.py build/cpu/melgrad MUSIC RUN... [--files 20] [--threads 1]

MUSIC is a folder of audio files, of which every n-th is taken. For every RUN, exports the model with and without the
front end, has both files checked by onnx.checker, and prints the largest difference of a probability. The log-mel
spectrograms come from melgrad mel. The waveforms are decoded by libsndfile, mixed and resampled by soxr with the settings
of melgrad. Ends with exit code 1 if a difference is above 1e-4. Times are those of whole files: melgrad decodes and
classifies all files in one process; onnxruntime gets decoded waveforms.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy
import onnx
import onnxruntime
import soundfile
import soxr

TOLERANCE = 1e-4
SUFFIXES = {".wav", ".flac", ".ogg", ".mp3", ".opus", ".au"}


def melgrad(program, *arguments):
    return subprocess.run([program, *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def waveform(file, rate):
    samples, file_rate = soundfile.read(file, dtype="float32", always_2d=True)
    mono = samples.mean(axis=1, dtype=numpy.float32)
    return mono if file_rate == rate else soxr.resample(mono, file_rate, rate, quality="HQ")


def session(file, threads):
    onnx.checker.check_model(onnx.load(file), full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def probabilities(net, inputs):
    """The probabilities of every input, and the seconds that they took."""
    name = net.get_inputs()[0].name
    start = time.perf_counter()
    result = [net.run(["probabilities"], {name: x[numpy.newaxis]})[0][0] for x in inputs]
    return numpy.array(result), time.perf_counter() - start


def check(arguments, run, files, folder):
    spectrum_file, wave_file = folder / "log_mel.onnx", folder / "waveform.onnx"
    card = json.loads(melgrad(arguments.program, "export", run, spectrum_file, "--json", "--quiet"))["metadata"]
    melgrad(arguments.program, "export", run, wave_file, "--with-frontend", "--quiet")
    labels, mel = json.loads(card["labels"]), json.loads(card["mel"])

    start = time.perf_counter()
    rows = json.loads(melgrad(arguments.program, "predict", run, *files, "--json", "--quiet", "--top", len(labels),
                              "--device", "cpu", "--threads", arguments.threads))
    own_seconds = time.perf_counter() - start
    own = []
    for row in rows:
        of_label = {entry["label"]: entry["probability"] for entry in row["predictions"]}
        own.append([of_label[label] for label in labels])
    own = numpy.array(own)

    spectra = []
    for file in files:
        melgrad(arguments.program, "mel", file, "--npy", folder / "mel.npy", "--quiet", "--sample-rate",
                mel["sample_rate"], "--n-fft", mel["n_fft"], "--hop-length", mel["hop_length"], "--n-mels",
                mel["n_mels"], "--fmin", mel["fmin"], "--fmax", mel["fmax"], "--top-db", mel["top_db"],
                *(["--htk"] if mel["htk"] else []))
        spectra.append(numpy.load(folder / "mel.npy"))
    waves = [waveform(file, mel["sample_rate"]) for file in files]

    from_spectra, spectrum_seconds = probabilities(session(spectrum_file, arguments.threads), spectra)
    from_waves, wave_seconds = probabilities(session(wave_file, arguments.threads), waves)
    audio_seconds = sum(len(wave) for wave in waves) / mel["sample_rate"]
    differences = [float(numpy.abs(own - other).max()) for other in (from_spectra, from_waves)]
    print(f"{card['model']:<14} {len(files)} files, {audio_seconds:.0f} s of audio; largest difference: log-mel "
          f"{differences[0]:.1e}, waveform {differences[1]:.1e}; melgrad predict {own_seconds:.2f} s with decoding and "
          f"start, onnxruntime {wave_seconds:.2f} s from waveforms, {spectrum_seconds:.2f} s from log-mel")
    return max(differences) <= TOLERANCE


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("music", type=pathlib.Path)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    found = sorted(file for file in arguments.music.rglob("*") if file.suffix.lower() in SUFFIXES)
    files = found[::max(1, len(found) // arguments.files)][:arguments.files]
    with tempfile.TemporaryDirectory() as folder:
        passed = [check(arguments, run, files, pathlib.Path(folder)) for run in arguments.runs]
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
