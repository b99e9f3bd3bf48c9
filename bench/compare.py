"""Times training steps or inference of melgrad and of PyTorch in turn, with equal threads and instruction sets.

A round runs melgrad_bench, then step_pytorch.py in both memory layouts, each in a process of its own. The figures are
medians over the rounds of the median step of each process. The ratio is that of PyTorch's faster layout to melgrad:
above 1, melgrad is faster.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

# The limits that make both programs use an instruction set.
INSTRUCTION_SETS = {
    "native": {},
    "avx2": {
        "MELGRAD_CPU": "avx2",
        "DNNL_MAX_CPU_ISA": "AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "ATEN_CPU_CAPABILITY": "avx2",
    },
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add("--program", default="build/cpu/bench/melgrad_bench", help="melgrad_bench")
    add("--work", choices=["training_step", "inference"], default="training_step")
    add("--models", nargs="+", default=["resnet18", "resnet_small", "cnn_bn"])
    add("--batch-sizes", nargs="+", type=int, default=[16, 64])
    add("--threads", nargs="+", type=int, default=[1, os.cpu_count()])
    add("--instruction-sets", nargs="+", choices=INSTRUCTION_SETS, default=list(INSTRUCTION_SETS))
    add("--rounds", type=int, default=5)
    add("--compile", action="store_true", help="let PyTorch use torch.compile")
    add("--json", type=pathlib.Path, help="write all figures to this file")
    return parser.parse_args()


def run(command, environment):
    result = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)} failed with exit code {result.returncode}: {result.stderr.strip()}")
    return result.stdout


def melgrad_step(program, work, model, batch_size, environment):
    """Returns the milliseconds of a step."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "step.json"
        settings = ["--model", model, "--batch-size", str(batch_size), "--json", str(file)]
        run([program, work, *settings], environment)
        return 1000 * json.loads(file.read_text())[work]["seconds"]


def pytorch_step(work, model, batch_size, threads, compiled, environment):
    """Returns the version of PyTorch and the milliseconds of a step in each layout."""
    script = pathlib.Path(__file__).with_name("step_pytorch.py")
    command = [sys.executable, str(script), "--work", work, "--model", model, "--batch-size", str(batch_size)]
    command += ["--threads", str(threads), "--json"] + (["--compile"] if compiled else [])
    result = json.loads(run(command, environment))
    return result["torch"], result["milliseconds"]


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def compare(arguments, model, batch_size, threads, instruction_set):
    environment = {**INSTRUCTION_SETS[instruction_set], "OMP_NUM_THREADS": str(threads)}
    ours, theirs = [], {}
    for _ in range(arguments.rounds):
        ours.append(melgrad_step(arguments.program, arguments.work, model, batch_size, environment))
        version, layouts = pytorch_step(arguments.work, model, batch_size, threads, arguments.compile, environment)
        for layout, milliseconds in layouts.items():
            theirs.setdefault(layout, []).append(milliseconds)
    medians = {layout: statistics.median(times) for layout, times in theirs.items()}
    return {
        "work": arguments.work,
        "model": model,
        "batch_size": batch_size,
        "threads": threads,
        "instruction_set": instruction_set,
        "torch": version,
        "compiled": arguments.compile,
        "melgrad_ms": statistics.median(ours),
        "pytorch_ms": medians,
        "ratio": min(medians.values()) / statistics.median(ours),
        "rounds": {"melgrad_ms": ours, "pytorch_ms": theirs},
    }


def main():
    arguments = parse_arguments()
    rows = []
    print("model        batch threads     set melgrad ms  NCHW ms  NHWC ms  ratio")
    for model in arguments.models:
        for batch_size in arguments.batch_sizes:
            for threads in dict.fromkeys(arguments.threads):
                for instruction_set in arguments.instruction_sets:
                    row = compare(arguments, model, batch_size, threads, instruction_set)
                    rows.append(row)
                    peer = row["pytorch_ms"]
                    print(
                        f"{model:12} {batch_size:5} {threads:7} {instruction_set:>7} {row['melgrad_ms']:10.1f}"
                        f" {peer['nchw']:8.1f} {peer['channels_last']:8.1f} {row['ratio']:6.2f}",
                        flush=True,
                    )
    if arguments.json:
        machine = {"processor": processor(), "processors": os.cpu_count(), "system": platform.platform()}
        arguments.json.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
