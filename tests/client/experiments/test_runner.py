"""How experiments are run: the same bytes whatever runs them, however often they are interrupted."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
import types
from dataclasses import replace
from pathlib import Path

import pytest

from bcfl_client.cli import main
from bcfl_client.errors import BcflError, ConfigError, ConnectionFailed
from bcfl_client.experiments import catalogue, results
from bcfl_client.experiments.cells import Cell, run_seed
from bcfl_client.experiments.lazy_nodes import LAZY_NODES
from bcfl_client.experiments.resource_allocation import RESOURCE_ALLOCATION
from bcfl_client.experiments.results import CellFiles
from bcfl_client.experiments.runner import RunSettings, run_experiment
from bcfl_client.learning.datasets import Dataset
from tests.client.experiments.small import ALLOCATION, LAZINESS

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The experiments with settings that take a second; `small` draws nothing."""
    drawn = replace(RESOURCE_ALLOCATION, settings={"tiny": ALLOCATION})
    monkeypatch.setitem(catalogue.EXPERIMENTS, "drawn", drawn)
    monkeypatch.setitem(catalogue.EXPERIMENTS, "small", replace(drawn, report=lambda *_: {}))
    monkeypatch.setitem(catalogue.EXPERIMENTS, "idle", replace(LAZY_NODES, settings={"tiny": LAZINESS}))


@pytest.fixture(scope="module")
def whole(digits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The CSV of `small`, played by one process in one go."""
    out = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        alone = replace(RESOURCE_ALLOCATION, settings={"tiny": ALLOCATION}, report=lambda *_: {})
        patch.setitem(catalogue.EXPERIMENTS, "small", alone)
        return csv_of(out, digits, workers=1)


def csv_of(out: Path, digits: Dataset, name: str = "small", **options: object) -> bytes:
    run_experiment(RunSettings(name, out, runs=2, **options), digits, lambda text: None)
    return (out / f"{name}-digits.csv").read_bytes()


def test_same_csv_for_any_number_of_workers(tmp_path: Path, digits: Dataset, whole: bytes) -> None:
    """One process or two; another seed gives other numbers."""
    assert csv_of(tmp_path / "2", digits, workers=2) == whole
    assert csv_of(tmp_path / "3", digits, seed=1) != whole
    about = json.loads((tmp_path / "2" / "small-digits.json").read_text())
    assert about["seeds"] == [run_seed(0, 0), run_seed(0, 1)] and about["settings"]["total"] == 16
    assert about["data"]["name"] == "digits" and "torch" in about["versions"]


def test_draws_what_it_found(tmp_path: Path, digits: Dataset, whole: bytes) -> None:
    """Figures that name their data and axes, and findings for every line."""
    assert csv_of(tmp_path, digits, "drawn") == whole
    figure = (tmp_path / "drawn-digits.svg").read_bytes()
    assert b"communication rounds K" in figure and b"digits; mean of 2 runs" in figure
    assert (tmp_path / "drawn-digits-bound.png").stat().st_size > 10_000
    assert len(json.loads((tmp_path / "drawn-digits.json").read_text())["findings"]["lines"]) == 2


def test_finished_cells_are_taken_up_again_and_others_are_not(tmp_path: Path, digits: Dataset, whole: bytes) -> None:
    """A file cut short, or one of other settings, is played again; one that is whole is not."""
    csv_of(tmp_path, digits)
    files = sorted((tmp_path / "cells" / "small-digits").iterdir())
    kept = {path.name: path.stat().st_mtime_ns for path in files}
    files[0].write_text(files[0].read_text()[:40])
    files[1].write_text(files[1].read_text().replace('"learning_rate": 0.1', '"learning_rate": 0.2'))
    files[2].unlink()
    assert csv_of(tmp_path, digits) == whole
    now = {path.name: path.stat().st_mtime_ns for path in files}
    assert {name for name in now if now[name] != kept[name]} == {path.name for path in files[:3]}


KILLED = """
from dataclasses import replace
from pathlib import Path
import sys, time
from bcfl_client.experiments import catalogue, resource_allocation as ra
from bcfl_client.experiments.runner import RunSettings, run_experiment
from bcfl_client.learning.datasets import load_dataset
from tests.client.experiments.small import ALLOCATION

def slow(values, dataset):
    time.sleep(1)
    return ra.RESOURCE_ALLOCATION.play(values, dataset)

small = replace(ra.RESOURCE_ALLOCATION, settings={"tiny": ALLOCATION}, report=lambda *_: {})
catalogue.EXPERIMENTS["small"] = replace(small, play=slow)
run_experiment(RunSettings("small", Path(sys.argv[1]), runs=2), load_dataset("digits"), print)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_goes_on_after_a_kill(tmp_path: Path, digits: Dataset, whole: bytes, how: signal.Signals) -> None:
    """Stopped in the middle, by Ctrl-C or by a signal that nobody can catch: no worker outlives it, and the CSV of the
    run that goes on is the same."""
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / "killed")], cwd=ROOT)
    cells = tmp_path / "killed" / "cells" / "small-digits"
    deadline = time.monotonic() + 60
    while len(list(cells.glob("*.json")) if cells.exists() else []) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    workers = [int(pid) for pid in children.read_text().split()] if children.exists() else []
    os.kill(process.pid, how)
    process.wait()
    done = len(list(cells.glob("*.json")))
    assert 2 <= done < 12 and not (tmp_path / "killed" / "small-digits.csv").exists()
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert time.monotonic() < deadline
    assert csv_of(tmp_path / "killed", digits) == whole


def test_on_a_device_the_same_rows_but_for_rounding(tmp_path: Path, digits: Dataset) -> None:
    """In files of their own, which say where they come from: losses to a thousandth, accuracy to a few images."""
    csv_of(tmp_path, digits)
    about = run_experiment(RunSettings("small", tmp_path, runs=2, device="cpu"), digits, lambda text: None)
    assert about["device"] == "cpu"
    plain, stacked = (
        list(csv.DictReader((tmp_path / f"small-digits{end}.csv").read_text().splitlines())) for end in ("", "-cpu")
    )
    for one, two in zip(plain, stacked, strict=True):
        assert float(one["test_loss"]) == pytest.approx(float(two["test_loss"]), abs=1e-3)
        assert float(one["accuracy"]) == pytest.approx(float(two["accuracy"]), abs=0.01)
        measured = {"train_loss", "test_loss", "accuracy"}
        assert all(one[name] == two[name] for name in one.keys() - measured)


@pytest.mark.parametrize("name", [name for name, one in catalogue.EXPERIMENTS.items() if one.is_stackable])
def test_clients_train_on_the_device_that_a_cell_names(name: str, digits: Dataset) -> None:
    """In every experiment whose clients can: of a device that is not there, each says so."""
    experiment = catalogue.EXPERIMENTS[name]
    cells = experiment.cells(next(iter(experiment.settings.values())), [0])
    for kind in {cell.values.get("kind"): cell for cell in cells}.values():
        with pytest.raises(ConfigError, match="torch cannot use the device 'moon'"):
            experiment.play({**kind.values, "device": "moon"}, digits)


def test_lazy_nodes_hurt_and_are_found(tmp_path: Path, digits: Dataset) -> None:
    """The figure's rows: copies count in the paper's setting and earn their share; with commitments every one of them
    is rejected, no honest update is, and they earn nothing."""
    about = run_experiment(RunSettings("idle", tmp_path, runs=2), digits, lambda text: None)
    paper, defended = about["findings"]["paper"], about["findings"]["defended"]
    assert paper["lazy_rejected"] == 0 and paper["best"][2]["lazy_pay"] == pytest.approx(0.5)
    assert defended["lazy_rejected"] == defended["lazy_uploads"] > 0 and defended["honest_rejected"] == 0
    assert defended["best"][2]["lazy_pay"] == 0
    assert paper["best"][0]["accuracy"] > paper["best"][2]["accuracy"]
    assert (tmp_path / "idle-digits-defended.png").stat().st_size > 10_000


def test_ray_gives_the_same_csv(tmp_path: Path, whole: bytes) -> None:
    """Tasks on a local Ray, in a process of its own: Ray changes signals and warnings of the one it runs in."""
    pytest.importorskip("ray", reason='Ray is not installed: pip install "ray"')
    script = KILLED.replace("runs=2)", 'runs=2, ray_address="local")').replace("play=slow", "")
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "ray")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "ray" / "small-digits.csv").read_bytes() == whole


def test_errors_of_a_cell_reach_the_caller(tmp_path: Path, digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they are, from a worker too; nothing is written."""
    wild = replace(ALLOCATION, learning=replace(ALLOCATION.learning, learning_rate=100.0))
    monkeypatch.setitem(catalogue.EXPERIMENTS, "small", replace(RESOURCE_ALLOCATION, settings={"tiny": wild}))
    with pytest.raises(ConfigError, match="diverged"):
        csv_of(tmp_path, digits)
    assert not (tmp_path / "small-digits.csv").exists()

    def die(values: object, dataset: object) -> list[dict[str, object]]:
        os._exit(9)

    broken = replace(RESOURCE_ALLOCATION, settings={"tiny": ALLOCATION}, play=die)
    monkeypatch.setitem(catalogue.EXPERIMENTS, "small", broken)
    with pytest.raises(BcflError, match="killed"):
        csv_of(tmp_path, digits)


def test_a_cell_of_other_code_or_data_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of other data are other numbers, and those of other code may be."""
    cell = Cell("one", {"a": (1, 2)})
    CellFiles(tmp_path, {"sha256": "x"}).save(cell, [{"b": 0.1}])
    assert CellFiles(tmp_path, {"sha256": "x"}).load(cell) == [{"b": 0.1}]
    assert CellFiles(tmp_path, {"sha256": "y"}).load(cell) is None
    monkeypatch.setattr(results, "_code_digest", lambda: "0" * 64)
    assert CellFiles(tmp_path, {"sha256": "x"}).load(cell) is None
    (tmp_path / "one.json").write_text("[1]")
    assert CellFiles(tmp_path, {"sha256": "x"}).load(cell) is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "unknown experiment 'nothing': known are resource-allocation, lazy-nodes"),
        (["lazy-nodes", "--runs", "0"], "--runs must be from 1 to 1000"),
        (["lazy-nodes", "--workers", "0"], "--workers must be"),
        (["lazy-nodes", "--setting", "moon"], "no setting 'moon'"),
        (["lazy-nodes", "--dataset", "nowhere"], "data set nowhere"),
        (["lazy-nodes", "--dataset", "digits", "--device", "moon"], "torch cannot use the device 'moon'"),
        (["lazy-nodes", "--device", "cpu", "--workers", "2"], "no --workers, no --ray-address"),
        (["scale", "--device", "cpu"], "scale has no rounds in which all clients train"),
        (["lazy-nodes", "--dataset", "digits", "--out", "/proc/none"], "--out /proc/none"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Before anything is played."""
    monkeypatch.chdir(tmp_path)
    assert main(["experiment", *arguments]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert said in error


def test_list_names_every_experiment(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["experiment", "list"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in catalogue.EXPERIMENTS)


def test_without_ray_or_its_cluster_the_error_says_so(
    tmp_path: Path, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How to get it, or that nothing answers, at once."""
    monkeypatch.setitem(sys.modules, "ray", types.ModuleType("ray"))
    for address in ("127.0.0.1:9", "ray://127.0.0.1:9", "[::1]:9", "127.0.0.1:99999"):
        with pytest.raises(ConnectionFailed, match="no Ray cluster"):
            csv_of(tmp_path, digits, ray_address=address)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match="pip install"):
        csv_of(tmp_path, digits, ray_address="local")
