"""Times librosa, torchaudio and audioFlux at the work of melgrad_bench's log_mel and features.

Each process computes on one thread; with several processes a pool shares the clips. Prints JSON: the library's version,
milliseconds per clip, and with --npy writes the features of the first clip in dB.
"""

import argparse
import csv
import importlib
import importlib.metadata
import json
import multiprocessing
import os
import pathlib
import statistics
import time

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np

SAMPLE_RATE, N_FFT, HOP_LENGTH, N_MELS, TOP_DB = 22050, 2048, 512, 128, 80


def librosa_log_mel():
    import librosa

    def compute(samples):
        mel = librosa.feature.melspectrogram(
            y=samples, sr=SAMPLE_RATE, n_fft=N_FFT, hop_length=HOP_LENGTH, n_mels=N_MELS
        )
        return librosa.power_to_db(mel, top_db=TOP_DB)

    return compute


def torchaudio_log_mel():
    import torch
    import torchaudio

    torch.set_num_threads(1)
    mel = torchaudio.transforms.MelSpectrogram(
        SAMPLE_RATE, N_FFT, hop_length=HOP_LENGTH, n_mels=N_MELS, norm="slaney", mel_scale="slaney", pad_mode="constant"
    )
    decibels = torchaudio.transforms.AmplitudeToDB("power", TOP_DB)

    def compute(samples):
        with torch.inference_mode():
            return decibels(mel(torch.from_numpy(samples))).numpy()

    return compute


def audioflux_log_mel():
    """The mel scale of audioFlux is that of HTK. It pads nothing itself."""
    import audioflux
    from audioflux.type import SpectralDataType, SpectralFilterBankNormalType, SpectralFilterBankScaleType, WindowType

    transform = audioflux.BFT(
        num=N_MELS,
        radix2_exp=N_FFT.bit_length() - 1,
        samplate=SAMPLE_RATE,
        low_fre=0,
        high_fre=SAMPLE_RATE / 2,
        window_type=WindowType.HANN,
        slide_length=HOP_LENGTH,
        scale_type=SpectralFilterBankScaleType.MEL,
        normal_type=SpectralFilterBankNormalType.BAND_WIDTH,
        data_type=SpectralDataType.POWER,
    )

    def compute(samples):
        power = np.abs(transform.bft(np.pad(samples, N_FFT // 2), result_type=1))
        decibels = 10 * np.log10(np.maximum(power, 1e-10))
        return np.maximum(decibels, decibels.max() - TOP_DB)

    return compute


LIBRARIES = {"librosa": librosa_log_mel, "torchaudio": torchaudio_log_mel, "audioflux": audioflux_log_mel}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add("--data", type=pathlib.Path, required=True, help="folder with a manifest.csv")
    add("--work", choices=["log-mel", "features"], default="log-mel")
    add("--library", choices=LIBRARIES, default="librosa")
    add("--clips", type=int, default=8, help="tracks to use, in the order of their names")
    add("--processes", type=int, default=1)
    add("--passes", type=int, default=5, help="over the clips in memory; files are read once")
    add("--npy", type=pathlib.Path, help="write the features of the first clip to this file")
    return parser.parse_args()


def first_tracks(data, count):
    with open(data / "manifest.csv", newline="", encoding="utf-8") as file:
        return [data / path for path in sorted(row["path"] for row in csv.DictReader(file))[:count]]


def load(path):
    import librosa

    return librosa.load(path, sr=SAMPLE_RATE)[0]


def start_process(library, clips):
    global compute, inputs
    compute, inputs = LIBRARIES[library](), clips


def compute_clip(i):
    """Returns the features of clip i, which is given by its samples or by its file."""
    clip = inputs[i]
    return compute(clip if isinstance(clip, np.ndarray) else load(clip))


def compute_only(i):
    """The features stay in the process: a pool would otherwise spend its time on moving them."""
    compute_clip(i)


def main():
    arguments = parse_arguments()
    clips = first_tracks(arguments.data, arguments.clips)
    in_memory = arguments.work == "log-mel"
    if in_memory:
        clips = [load(path) for path in clips]
    passes = arguments.passes if in_memory else 1
    importlib.import_module(arguments.library)  # a pool whose processes cannot start would wait for ever
    times = []
    with multiprocessing.get_context("fork").Pool(
        arguments.processes, start_process, (arguments.library, clips)
    ) as pool:
        # Imports and first calls are not timed.
        pool.map(compute_only, range(min(2 * arguments.processes, len(clips))), chunksize=1)
        for _ in range(passes):
            start = time.perf_counter()
            pool.map(compute_only, range(len(clips)), chunksize=1)
            times.append(1000 * (time.perf_counter() - start) / len(clips))
        if arguments.npy:
            np.save(arguments.npy, pool.apply(compute_clip, (0,)))
    version = importlib.metadata.version(arguments.library)
    print(json.dumps({"version": version, "milliseconds": statistics.median(times)}))


if __name__ == "__main__":
    main()
