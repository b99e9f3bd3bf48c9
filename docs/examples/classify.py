"""Classifies recordings with a file of `melgrad export RUN FILE --with-frontend`, without melgrad.

    pip install onnxruntime soundfile soxr
    python classify.py genres.onnx song.mp3 ...
"""

import json
import sys

import onnxruntime
import soundfile
import soxr

net = onnxruntime.InferenceSession(sys.argv[1])
metadata = net.get_modelmeta().custom_metadata_map
labels, rate = json.loads(metadata["labels"]), json.loads(metadata["mel"])["sample_rate"]
for path in sys.argv[2:]:
    samples, file_rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = soxr.resample(samples.mean(axis=1), file_rate, rate)
    probabilities = net.run(["probabilities"], {"waveform": mono[None]})[0][0]
    best = probabilities.argmax()
    print(f"{path}: {labels[best]} {probabilities[best]:.3f}")
