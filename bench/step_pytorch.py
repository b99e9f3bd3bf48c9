"""Times a training step or inference of melgrad's models in PyTorch on the CPU, as melgrad_bench does in melgrad.

Prints the median of the steps in milliseconds for each memory layout: NCHW and channels-last, eager or compiled.
"""

import argparse
import json
import statistics
import time

import torch
import torch.nn.functional as F

from models import MODELS, build_model

WARM_UP_STEPS = 3
N_MELS = 128
CLASSES = 10
DROPOUT = 0.3


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add("--work", choices=["training_step", "inference"], default="training_step")
    add("--model", choices=MODELS, default="resnet18")
    add("--batch-size", type=int, default=16)
    add("--frames", type=int, default=130)
    add("--threads", type=int, default=torch.get_num_threads())
    add("--steps", type=int, default=15, help="timed steps")
    add("--layouts", nargs="+", choices=["nchw", "channels_last"], default=["nchw", "channels_last"])
    add("--compile", action="store_true", help="use torch.compile")
    add("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def median_step(work, model, batch_size, frames, layout, steps, compiled):
    """Returns the median milliseconds of a training step (forward, loss, backward, gradient norm, AdamW) or inference."""
    torch.manual_seed(0)
    model = build_model(model, CLASSES, DROPOUT)
    x = torch.randn(batch_size, 1, N_MELS, frames)
    labels = torch.arange(batch_size) % CLASSES
    if layout == "channels_last":
        model = model.to(memory_format=torch.channels_last)
        x = x.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    network = torch.compile(model) if compiled else model

    def train():
        optimizer.zero_grad()
        F.cross_entropy(network(x), labels, label_smoothing=0.1).backward()
        torch.nn.utils.get_total_norm([parameter.grad for parameter in model.parameters()])
        optimizer.step()

    def infer():
        with torch.inference_mode():
            network(x)

    step = train if work == "training_step" else infer
    model.train(work == "training_step")
    times = []
    for _ in range(WARM_UP_STEPS + steps):
        start = time.perf_counter()
        step()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[WARM_UP_STEPS:])


def main():
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    result = {"torch": torch.__version__, "threads": arguments.threads, "milliseconds": {}}
    for layout in arguments.layouts:
        result["milliseconds"][layout] = median_step(
            arguments.work,
            arguments.model,
            arguments.batch_size,
            arguments.frames,
            layout,
            arguments.steps,
            arguments.compile,
        )
    if arguments.json:
        print(json.dumps(result))
    else:
        for layout, milliseconds in result["milliseconds"].items():
            print(f"{arguments.model} {arguments.work}, batch {arguments.batch_size}, {layout}: {milliseconds:.1f} ms")


if __name__ == "__main__":
    main()
