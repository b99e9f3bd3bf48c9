"""Times PyTorch and torchaudio on a GPU with the shapes of melgrad_bench: training steps and log-mels.

    python gpu_pytorch.py --out pytorch.json --batch-size 256 --frames 130

A training step has three settings: eager NCHW float32, the simplest code; channels_last with bfloat16 autocast and
fused AdamW; the same with torch.compile(mode="max-autotune"), which uses CUDA graphs. TF32 is off. If a package is
missing, the result holds the error message in place of the time.
"""

import argparse
import json
import pathlib
import statistics
import time

import torch
import torch.nn.functional as F


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--out", type=pathlib.Path, required=True, help="JSON file for the result")
    add("--model", default="resnet18")
    add("--batch-size", type=int, default=256)
    add("--n-mels", type=int, default=128)
    add("--frames", type=int, default=130)
    add("--classes", type=int, default=10)
    add("--samples", type=int, default=11)
    return parser.parse_args()


def measure(body, samples, sample_seconds=0.2):
    """Returns the median and the least seconds of a call, measured as in bench/timing.h."""

    def seconds_of(calls):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(calls):
            body()
        torch.cuda.synchronize()
        return time.perf_counter() - start

    for _ in range(5):
        seconds_of(1)
    calls = max(1, min(1000, int(sample_seconds / seconds_of(1))))
    seconds = [seconds_of(calls) / calls for _ in range(samples)]
    return {"seconds": statistics.median(seconds), "least_seconds": min(seconds)}


def training_step(options, build_model, channels_last, autocast, compiled):
    torch.manual_seed(0)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model = build_model(options.model, options.classes, 0.3).cuda().to(memory_format=layout)
    x = 2 * torch.rand(options.batch_size, 1, options.n_mels, options.frames, device="cuda") - 1
    x = x.contiguous(memory_format=layout)
    targets = torch.full((options.batch_size, options.classes), 1 / options.classes, device="cuda")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01, fused=autocast)

    def loss_of(x, targets):
        with torch.autocast("cuda", torch.bfloat16, enabled=autocast):
            return F.cross_entropy(model(x), targets, label_smoothing=0.1)

    run = torch.compile(loss_of, mode="max-autotune") if compiled else loss_of

    def step():
        optimizer.zero_grad()
        run(x, targets).backward()
        optimizer.step()

    torch.cuda.reset_peak_memory_stats()
    return measure(step, options.samples) | {"peak_bytes": torch.cuda.max_memory_allocated()}


def log_mel(options):
    import torchaudio

    transform = torchaudio.transforms.MelSpectrogram(
        sample_rate=22050, n_fft=2048, hop_length=512, n_mels=128, pad_mode="constant", norm="slaney", mel_scale="slaney"
    ).cuda()
    decibels = torchaudio.transforms.AmplitudeToDB("power").cuda()
    waves = torch.randn(256, 3 * 22050, device="cuda")
    return measure(lambda: decibels(transform(waves)), options.samples, 0.02) | {"version": torchaudio.__version__}


def attempt(name, body):
    """Returns the result, or the error message: one failure must not lose the other measurements."""
    try:
        result = body()
        print(f"{name}: {result['seconds'] * 1e3:.3f} ms", flush=True)
    except Exception as error:  # noqa: BLE001
        result = {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
        print(f"{name}: {result['error']}", flush=True)
    return result


def main():
    options = parse_arguments()
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    from models import build_model

    steps = {
        "eager_nchw_fp32": dict(channels_last=False, autocast=False, compiled=False),
        "channels_last_bf16": dict(channels_last=True, autocast=True, compiled=False),
        "channels_last_bf16_compiled": dict(channels_last=True, autocast=True, compiled=True),
    }
    result = {
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "device": torch.cuda.get_device_name(),
        "model": options.model,
        "batch_size": options.batch_size,
        "frames": options.frames,
        "training_step": {
            name: attempt(name, lambda: training_step(options, build_model, **settings))
            for name, settings in steps.items()
        },
        "mel": attempt("torchaudio log-mel, 256 clips of 3 s", lambda: log_mel(options)),
    }
    options.out.write_text(json.dumps(result, indent=1) + "\n")


main()
