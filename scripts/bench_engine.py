"""Measures the training engine beside Flower's simulation and plain PyTorch: python -m scripts.bench_engine --help

Federated averaging on MNIST, 10 clients with 6,000 samples of two shards each, one local epoch a round. Every side is
a command of its own that loads the same arrays, starts from the same weights, trains with the same batches of samples
and hyperparameters, on two cores. Flower runs in an environment of its own, made under build/flower.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bcfl_client.learning.datasets import load_dataset
from bcfl_client.learning.models import build_model
from bcfl_client.learning.partitions import partition
from scripts.toolbox import ROOT, environment

__all__ = ["main"]

FLOWER = ["flwr[simulation]==1.20.0", "torch==2.13.0", "numpy<3"]
QUIET = {"FLWR_TELEMETRY_ENABLED": "0", "RAY_USAGE_STATS_ENABLED": "0"}
CLIENTS, RATE = 10, 0.1
SIDES = ("ours", "torch", "flower")
CORES = 2


@dataclass(frozen=True)
class Measured:
    """One side's figures."""

    train_seconds: float  # from the first round's start to the last one's end
    whole_seconds: float  # of the command
    accuracy: float  # of the last model on the test images
    peak_bytes: int  # of all its processes, shared pages counted once

    def rate(self, rounds: int) -> float:
        """Client-epochs per second after start-up."""
        return CLIENTS * rounds / self.train_seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, nargs="+", default=[10, 32, 64], help="batch sizes")
    parser.add_argument("--model", choices=("2nn", "cnn"), default="2nn")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=SIDES)
    options = parser.parse_args()
    if "BCFL_DATA" not in os.environ:
        print("error: set BCFL_DATA to the folder that holds MNIST/raw", file=sys.stderr)
        return 2
    pythons = dict.fromkeys(("ours", "torch"), sys.executable)
    if "flower" in options.sides:
        pythons["flower"] = str(environment("flower", FLOWER) / "python")
    print(f"sgemm on {CORES} cores: {sgemm_rate():.0f} GFLOP/s")
    with tempfile.TemporaryDirectory() as folder:
        for batch in options.batch:
            write_task(Path(folder), options.model, batch, options.rounds)
            measured = {side: measure(pythons[side], side, Path(folder)) for side in options.sides}
            print_table(options.model, batch, options.rounds, measured)
    return 0


def write_task(folder: Path, model: str, batch: int, rounds: int) -> None:
    """What every side reads."""
    data = load_dataset("mnist", Path(os.environ["BCFL_DATA"]))
    parts = partition(data.train_labels, CLIENTS, "shards:2", 0)
    start = [tensor.numpy() for tensor in build_model(model, data.input_shape, data.classes).state_dict().values()]
    arrays = {f"start_{i}": tensor for i, tensor in enumerate(start)}
    arrays |= {f"part_{i}": part for i, part in enumerate(parts)}
    arrays |= {"train_images": data.train_images, "train_labels": data.train_labels}
    arrays |= {"test_images": data.test_images, "test_labels": data.test_labels}
    np.savez(folder / "task.npz", **arrays)
    task = {"model": model, "batch": batch, "rounds": rounds, "rate": RATE, "clients": CLIENTS, "cores": CORES}
    (folder / "task.json").write_text(json.dumps(task))


def measure(python: str, side: str, folder: Path) -> Measured:
    """Runs a side to its end."""
    started = time.perf_counter()
    code = ["-m", "scripts.bench_sides.ours"] if side == "ours" else [f"scripts/bench_sides/{side}_side.py"]
    with subprocess.Popen(
        [python, *code, str(folder)],
        cwd=ROOT,
        env={**os.environ, **({"PYTHONPATH": str(ROOT / "scripts/bench_sides"), **QUIET} if side != "ours" else {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as it:
        peak = Peak(it.pid)
        output, errors = it.communicate()
        whole = time.perf_counter() - started
        peak.stop()
    if it.returncode:
        raise SystemExit(f"{errors.decode()[-2000:]}\nerror: the side {side} failed")
    said = json.loads(output.decode().splitlines()[-1])
    return Measured(said["seconds"], whole, said["accuracy"], peak.most)


class Peak:
    """Watches how much memory a process and its descendants take."""

    def __init__(self, pid: int) -> None:
        self.most = 0
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.25):
            self.most = max(self.most, sum(map(_memory, descendants(self._pid))))


def descendants(pid: int) -> list[int]:
    """The process and all that it started."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(path.parent.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def _memory(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def sgemm_rate() -> float:
    """GFLOP/s of float32 products of 1024 x 1024 on all cores, the best of some."""
    code = f"""
import time, torch
torch.set_num_threads({CORES})
a, b = torch.rand(1024, 1024), torch.rand(1024, 1024)
best = 9e9
for _ in range(20):
    start = time.perf_counter()
    torch.mm(a, b)
    best = min(best, time.perf_counter() - start)
print(2 * 1024**3 / best / 1e9)
"""
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def print_table(model: str, batch: int, rounds: int, measured: dict[str, Measured]) -> None:
    """A line for each side, and how much faster ours is."""
    print(f"\n{model}, batch {batch}, {rounds} rounds of {CLIENTS} clients")
    print("side    client-epochs/s    whole s   accuracy   peak MB    ours: after start-up    whole    memory")
    ours = measured.get("ours")
    for side, one in measured.items():
        line = f"{side:<8}{one.rate(rounds):15.1f} {one.whole_seconds:10.1f} {one.accuracy:10.4f}"
        line += f" {one.peak_bytes / 1e6:9.0f}"
        if ours and side != "ours":
            faster, whole = ours.rate(rounds) / one.rate(rounds), one.whole_seconds / ours.whole_seconds
            line += f" {faster:22.2f}x {whole:7.2f}x {ours.peak_bytes / one.peak_bytes:8.2f}"
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
