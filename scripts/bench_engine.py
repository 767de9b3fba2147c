"""Measures the training engine beside Flower's simulation and plain PyTorch: python -m scripts.bench_engine --help

Federated averaging on MNIST, 10 clients with 6,000 samples of two shards each, one local epoch a round. Every side is
a command of its own that loads the same arrays, starts from the same weights and takes the same batches of samples in
the same order, on two cores. Flower runs in an environment of its own, made under build/flower.
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
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.learning.models import build_model
from bcfl_client.learning.partitions import partition
from bcfl_client.learning.training import LocalTrainer
from scripts.toolbox import ROOT, environment

__all__ = ["main"]

FLOWER = ["flwr[simulation]==1.20.0", "torch==2.13.0", "numpy<3"]
QUIET = {"FLWR_TELEMETRY_ENABLED": "0", "RAY_USAGE_STATS_ENABLED": "0"}
CLIENTS, RATE = 10, 0.1
SIDES = ("ours", "torch", "flower")
CORES = 2
PARAMETERS = 199_210  # of the 2NN
REPETITIONS, FEW_SAMPLES = 20, 1200  # of a figure of the paper
SCALE_SAMPLES = 600


@dataclass(frozen=True)
class Measured:
    """One side's figures."""

    train_seconds: float  # from the second round's start to the last one's end: in the first all sides still load
    whole_seconds: float  # of the command
    accuracy: float  # of the last model on the test images
    peak_bytes: int  # of all its processes, shared pages counted once

    def rate(self, rounds: int) -> float:
        """Client-epochs per second after start-up."""
        return CLIENTS * (rounds - 1) / self.train_seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, nargs="+", default=[10, 32, 64], help="batch sizes")
    parser.add_argument("--model", choices=("2nn", "cnn"), default="2nn")
    parser.add_argument("--rounds", type=int, default=10, help="at least 2; the first counts as start-up")
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=SIDES)
    parser.add_argument("--device", metavar="NAME", help="measure our stack on a device of torch too, as cuda")
    parser.add_argument("--scale", action="store_true", help="measure 10 to 1,000 clients in one engine instead")
    options = parser.parse_args()
    if options.rounds < 2:
        parser.error("--rounds must be at least 2")
    if options.scale and options.device:
        parser.error("--scale measures the cores alone: leave out --device")
    if "BCFL_DATA" not in os.environ:
        print("error: set BCFL_DATA to the folder that holds MNIST/raw", file=sys.stderr)
        return 2
    devices = [options.device] if options.device else []
    pythons = dict.fromkeys(("ours", "torch"), sys.executable)
    if "flower" in options.sides:
        pythons["flower"] = str(environment("flower", FLOWER) / "python")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.scale:
            write_task(folder, options.model, 10, 1)
            print_scale(options.model, folder)
            return 0
        peak, at_64 = sgemm_rate(1024, 1024, 1024), sgemm_rate(64, 784, 200)
        print(f"sgemm on {CORES} cores: {peak:.0f} GFLOP/s, {at_64:.0f} on the products of the 2NN at batch 64")
        for batch in options.batch:
            write_task(folder, options.model, batch, options.rounds)
            commands = {side: side_command(pythons[side], side, folder) for side in options.sides}
            commands |= {name: [*side_command(sys.executable, "ours", folder), name] for name in devices}
            measured = {side: measure(command, side) for side, command in commands.items()}
            print_table(options.model, batch, options.rounds, measured)
            if "ours" in measured and options.model == "2nn":
                print_share(measured["ours"].rate(options.rounds), peak)
        if "ours" in options.sides and options.model == "2nn":
            what = f"{CLIENTS} clients x {REPETITIONS} repetitions with {FEW_SAMPLES:,} samples"
            command = many_command(folder, CLIENTS * REPETITIONS, FEW_SAMPLES)
            print(f"\n{what}, batch {options.batch[-1]}")
            for side, last in {"ours": [], **{name: [name] for name in devices}}.items():
                rate = CLIENTS * REPETITIONS / measure([*command, *last], "many clients").train_seconds
                print(f"{side}: {rate:.0f} client-epochs/s", flush=True)
    return 0


def write_task(folder: Path, model: str, batch: int, rounds: int) -> None:
    """What every side reads."""
    data = load_dataset("mnist", Path(os.environ["BCFL_DATA"]))
    parts = partition(data.train_labels, CLIENTS, "shards:2", 0)
    built = build_model(model, data.input_shape, data.classes)
    ends = np.cumsum([shape.size for shape in built.shapes])
    values = np.split(built.initial(), ends[:-1])
    start = [part.reshape(shape.shape) for part, shape in zip(values, built.shapes)]
    arrays = {f"start_{i}": tensor for i, tensor in enumerate(start)}
    arrays |= {f"part_{i}": part for i, part in enumerate(parts)}
    for i, part in enumerate(parts):
        own = LocalTrainer(built, data.train_images[part], data.train_labels[part], Hyperparameters(), 0, i)
        arrays |= {f"order_{i}_{round_id}": own.epochs(round_id)[0] for round_id in range(rounds)}
    arrays |= {"train_images": data.train_images, "train_labels": data.train_labels}
    arrays |= {"test_images": data.test_images, "test_labels": data.test_labels}
    np.savez(folder / "task.npz", **arrays)
    task = {"model": model, "batch": batch, "rounds": rounds, "rate": RATE, "clients": CLIENTS, "cores": CORES}
    (folder / "task.json").write_text(json.dumps(task))


def side_command(python: str, side: str, folder: Path) -> list[str]:
    """The command of one side."""
    code = ["-m", "scripts.bench_sides.ours"] if side == "ours" else [f"scripts/bench_sides/{side}_side.py"]
    return [python, *code, str(folder)]


def many_command(folder: Path, clients: int, samples: int) -> list[str]:
    """The command of an engine of so many clients."""
    return [sys.executable, "-m", "scripts.bench_sides.many", str(folder), str(clients), str(samples)]


def measure(command: list[str], name: str) -> Measured:
    """Runs a side to its end."""
    started = time.perf_counter()
    path = {} if "-m" in command else {"PYTHONPATH": str(ROOT / "scripts/bench_sides"), **QUIET}
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **path}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as it:
        peak = Peak(it.pid)
        output, errors = it.communicate()
        whole = time.perf_counter() - started
        peak.stop()
    if it.returncode:
        raise SystemExit(f"{errors.decode()[-2000:]}\nerror: {name} failed")
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


def sgemm_rate(m: int, k: int, n: int) -> float:
    """GFLOP/s of float32 products [m, k] x [k, n], one after the other on each core, the best of some."""
    code = f"""
import time, torch
torch.set_num_threads(1)
a, b, out = torch.rand({m}, {k}), torch.rand({k}, {n}), torch.empty({m}, {n})
times = max(1, 10**9 // {m * k * n})
best = 9e9
for _ in range(30):
    start = time.perf_counter()
    for _ in range(times):
        torch.mm(a, b, out=out)
    best = min(best, time.perf_counter() - start)
print(2 * {m * k * n} * times / best / 1e9)
"""
    running = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(CORES)]
    return sum(float(one.communicate()[0]) for one in running)


def print_share(rate: float, peak: float) -> None:
    """How much of the rate of dense products the engine reaches, counting what it skips."""
    per_epoch = 6 * PARAMETERS * 60_000 / CLIENTS  # forwards, and twice as much backwards
    print(f"ours: {rate * per_epoch / 1e9:.0f} GFLOP/s as dense products, {rate * per_epoch / 1e9 / peak:.0%} of sgemm")


def print_scale(model: str, folder: Path) -> None:
    """Seconds per client-epoch and memory, from few clients to many with the same number of samples each."""
    print(
        f"{model}, batch 10, {SCALE_SAMPLES} samples each\nclients    ms per client-epoch and core    whole s   peak MB"
    )
    for clients in (10, 100, 1000):
        one = measure(many_command(folder, clients, SCALE_SAMPLES), "many clients")
        each = one.train_seconds / clients * CORES * 1e3
        print(f"{clients:<11}{each:29.2f} {one.whole_seconds:10.1f} {one.peak_bytes / 1e6:9.0f}", flush=True)


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
