#!/usr/bin/env python3
"""Draws docs/images/architecture.svg: the folders of melgrad, and the path of a batch through them.

    tools/draw_architecture.py

Needs only Python's standard library. `rsvg-convert docs/images/architecture.svg -o build/architecture.png` converts the
picture to PNG for a look at it.
"""

import html
import pathlib

WIDTH, HEIGHT, MARGIN = 1000, 1116, 24
INK, FAINT, PAPER = "#1f2328", "#57606a", "#ffffff"
FILL = {"apps": "#fde9d9", "models": "#fdf3cf", "framework": "#dcefdc", "kernels": "#dbe8f8"}
EDGE = {"apps": "#d98c4a", "models": "#c9a227", "framework": "#5a9e5a", "kernels": "#4a7fc1"}

shapes = []


def rectangle(x, y, width, height, floor, inner=False):
    fill = PAPER if inner else FILL[floor]
    shapes.append(f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="{fill}" stroke="{EDGE[floor]}"'
                  f' stroke-width="1.5"/>')


def text(x, y, words, size=15, color=INK, weight="normal", anchor="start", mono=False):
    family = "DejaVu Sans Mono, Menlo, Consolas, monospace" if mono else "DejaVu Sans, Verdana, Helvetica, sans-serif"
    shapes.append(f'<text x="{x}" y="{y}" font-family="{family}" font-size="{size}" fill="{color}"'
                  f' font-weight="{weight}" text-anchor="{anchor}">{html.escape(words)}</text>')


def arrow(*points):
    path = " L ".join(f"{x} {y}" for x, y in points)
    shapes.append(f'<path d="M {path}" fill="none" stroke="{FAINT}" stroke-width="2" marker-end="url(#tip)"/>')


def heading(y, words, remark):
    text(MARGIN, y, words, 20, weight="bold")
    text(WIDTH - MARGIN, y, remark, 14, FAINT, anchor="end")


def floor(y, height, name, title, remark):
    """A band over the whole width: a folder of the top level."""
    rectangle(MARGIN, y, WIDTH - 2 * MARGIN, height, name)
    text(MARGIN + 16, y + 29, title, 17, weight="bold", mono=True)
    text(MARGIN + 170, y + 29, remark)


def room(x, y, width, height, name, title, *lines):
    """A box inside a band: a folder or a group of files."""
    rectangle(x, y, width, height, name, inner=True)
    text(x + 12, y + 23, title, 15, weight="bold", mono=title.endswith("/"))
    for number, line in enumerate(lines):
        text(x + 12, y + 45 + 20 * number, line, 14, FAINT)


def step(x, y, width, name, title, lines, files):
    """A box of the batch's path: what happens, what comes out, and the files that do it."""
    height = 124
    rectangle(x, y, width, height, name)
    text(x + 12, y + 25, title, 16, weight="bold")
    for number, line in enumerate(lines):
        text(x + 12, y + 47 + 19 * number, line, 14)
    for number, file in enumerate(files):
        text(x + 12, y + height - 12 - 18 * (len(files) - 1 - number), file, 13, FAINT, mono=True)


def draw_folders(top):
    heading(top, "The folders", "A folder includes only what is below it; a test checks this.")
    floor(top + 16, 46, "apps", "apps/", "command line: one file per subcommand")
    floor(top + 70, 46, "models", "models/", "networks made of layers; the classifier for other programs")
    floor(top + 124, 244, "framework", "framework/", "tensor, autograd, ops, module, layers, optimizer, schedule")
    y = top + 168
    room(40, y, 430, 66, "framework", "dataset/", "manifests, splits, cache, clips, augmentation, checks")
    room(482, y, 158, 66, "framework", "prediction/", "answers, timelines")
    room(40, y + 78, 390, 106, "framework", "training/", "trainer of any module on any batch source,",
         "checkpoints, metrics, log", "includes nothing of dataset/ or audio/")
    room(442, y + 78, 198, 106, "framework", "audio/", "decode, resample,", "log-mel")
    room(652, y, 308, 86, "framework", "io/", "safetensors, npy, CSV, pictures,", "atomic file writes")
    room(652, y + 98, 308, 86, "framework", "terminal/", "progress, text, interrupts")
    floor(top + 376, 174, "kernels", "kernels/",
          "ops on raw pointers: x.h declares, x.cpp runs on the CPU, x.cu on the GPU")
    y = top + 420
    room(40, y, 920, 116, "kernels", "device/", "stream, caching allocator, dtype, errors, launch helpers")
    for x, width, title, indent, remark in ((52, 232, "CPU", 58, "threads, oneDNN"),
                                            (296, 284, "CUDA", 70, "cuBLAS, cuFFT, cuDNN"),
                                            (592, 356, "emulated/", 108, "runs the .cu files on the CPU")):
        rectangle(x, y + 58, width, 46, "kernels")
        text(x + 12, y + 87, title, 15, weight="bold", mono=title.endswith("/"))
        text(x + indent, y + 87, remark, 14, FAINT)


def draw_path(top):
    heading(top, "The path of a batch", "Boxes have the colour of the folder that does the work.")
    left, gap, width = MARGIN, 24, 220
    column = [left + number * (width + gap) for number in range(4)]
    height, rows = 124, [top + 48, top + 232]
    text(left, top + 34, "Once per file", 15, FAINT, weight="bold")
    text(left, rows[1] - 14, "Every step", 15, FAINT, weight="bold")
    step(column[0], rows[0], width, "framework", "1. Decode", ["file → samples,", "mixed to mono"],
         ["framework/audio/", "decoder.cpp"])
    step(column[1], rows[0], width, "framework", "2. Resample", ["to 22,050 Hz"],
         ["framework/audio/", "resampler.cpp"])
    step(column[2], rows[0], width, "kernels", "3. Log-mel", ["samples → dB", "[n_mels, frames]"],
         ["framework/audio/log_mel", "kernels/mel"])
    step(column[3], rows[0], width, "framework", "4. Store", ["cache on the disk, clips", "in device memory"],
         ["framework/dataset/", "feature_cache, clip_store"])
    step(column[0], rows[1], width, "kernels", "5. Crop, augment", ["clips → x, targets", "[N, mels, frames, 1]"],
         ["framework/dataset/", "kernels/crop, mixup"])
    step(column[1], rows[1], width, "models", "6. Forward, loss", ["x → logits → loss,", "ops are recorded"],
         ["models/resnet", "framework/ops, layers"])
    step(column[2], rows[1], width, "framework", "7. Backward", ["loss → gradients of", "all parameters"],
         ["framework/autograd.cpp", "kernels/conv2d, relu"])
    step(column[3], rows[1], width, "kernels", "8. Optimizer", ["clip the gradients,", "update the weights"],
         ["framework/optimizer.cpp", "kernels/adam"])
    middle = height // 2
    for row in rows:
        for number in range(3):
            arrow((column[number] + width + 3, row + middle), (column[number + 1] - 4, row + middle))
    across = rows[1] - 34
    arrow((column[3] + width // 2, rows[0] + height + 3), (column[3] + width // 2, across),
          (column[0] + width // 2, across), (column[0] + width // 2, rows[1] - 5))
    below = rows[1] + height + 24
    arrow((column[3] + 60, rows[1] + height + 3), (column[3] + 60, below),
          (column[0] + width // 2, below), (column[0] + width // 2, rows[1] + height + 5))
    text(column[1] + width // 2 + 12, below - 7, "next step", 14, FAINT, anchor="middle")
    y = below + 24
    arrow((column[3] + 160, rows[1] + height + 3), (column[3] + 160, y - 5))
    rectangle(column[2], y, 2 * width + gap, 50, "framework")
    text(column[2] + 12, y + 31, "9. Checkpoint", 16, weight="bold")
    text(column[2] + 150, y + 31, "framework/training/checkpoint_writer", 13, FAINT, mono=True)
    text(left, y + 20, "framework/training/trainer.cpp runs steps 5 to 9.", 14, FAINT)
    text(left, y + 40, "Steps 3 and 5 to 8 run on the selected device.", 14, FAINT)


def main():
    draw_folders(44)
    draw_path(638)
    picture = "\n".join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">',
         "<title>The folders of melgrad and the path of a batch through them</title>",
         f'<defs><marker id="tip" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
         f'<path d="M 0 0 L 10 5 L 0 10 z" fill="{FAINT}"/></marker></defs>',
         f'<rect width="{WIDTH}" height="{HEIGHT}" rx="12" fill="{PAPER}"/>', *shapes, "</svg>", ""])
    file = pathlib.Path(__file__).parent.parent / "docs" / "images" / "architecture.svg"
    file.write_text(picture)


main()
