"""Log-mel features computed by librosa and cached as .npy. melgrad computes the same features with its own code."""

import pathlib

import librosa
import numpy as np

SAMPLE_RATE, N_FFT, HOP_LENGTH, N_MELS, TOP_DB = 22050, 2048, 512, 128, 80


def log_mel(path):
    """Returns float32 [n_mels, frames] in dB, clipped at TOP_DB below the clip's maximum."""
    samples, _ = librosa.load(path, sr=SAMPLE_RATE, mono=True, res_type="soxr_hq")
    power = librosa.feature.melspectrogram(y=samples, sr=SAMPLE_RATE, n_fft=N_FFT, hop_length=HOP_LENGTH, n_mels=N_MELS)
    return librosa.power_to_db(power, ref=1.0, top_db=TOP_DB).astype(np.float32)


def cached_log_mel(path, cache, relative):
    """Returns log_mel(path); keeps the result in `cache` under the track's relative path."""
    file = pathlib.Path(cache) / (str(relative).replace("/", "__") + ".npy")
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, log_mel(path))
    return np.load(file)
