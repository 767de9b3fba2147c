"""A budget's arithmetic in both readings of the paper's example, and the planner's curve."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcfl_client.budget import MEASURED, Budget, LossCurve, Split, read_curve
from bcfl_client.cli import main
from bcfl_client.errors import ConfigError


def test_the_papers_example_fits_only_without_its_own_block_cost() -> None:
    """12 rounds at tau = 1: 7 epochs with t_B = 2, as the paper sets it; 15, as its text says, with t_B = 1."""
    assert Budget(200, 2, 2).epochs(12) == 7
    assert Budget(200, 1, 1).epochs(12) == 15


def test_splits_use_the_budget_and_hold_the_extremes() -> None:
    """One round up to as many as have an epoch each; 200 / 50 - 2 is exactly one epoch."""
    splits = Budget(200, 2, 2).splits()
    assert splits[0] == Split(1, 99) and splits[-1] == Split(50, 1) and Split(12, 7) in splits
    assert Budget(0.3, 0.1, 0.05).epochs(2) == 1  # in binary fractions it would be a hair less


@given(st.integers(1, 3000), st.integers(1, 30), st.integers(0, 30))
def test_every_split_fits_and_nothing_better_does(total: int, training: int, block: int) -> None:
    """No split costs more than the budget; one round or one epoch more would."""
    if training + block > total:
        return
    budget = Budget(total, training, block)
    for split in budget.splits():
        assert split.rounds * (split.epochs * training + block) <= total
        assert (split.rounds + 1) * (split.epochs * training + block) > total
        assert split.rounds * ((split.epochs + 1) * training + block) > total


@pytest.mark.parametrize("costs", [(0, 1, 1), (10, 0, 1), (10, 1, -1), (float("nan"), 1, 1), (3, 2, 2), (1e9, 1e-3, 0)])
def test_what_is_no_budget_is_refused(costs: tuple[float, float, float]) -> None:
    """Costs that are none, nothing that fits, more rounds than can be listed."""
    with pytest.raises(ConfigError):
        Budget(*costs)


def test_dear_training_asks_for_fewer_rounds() -> None:
    """The curve falls with rounds and with epochs, and its optimum moves as in Fig. 3."""
    assert MEASURED.loss(Split(10, 5)) < MEASURED.loss(Split(10, 4)) < MEASURED.loss(Split(9, 4)) < MEASURED.start
    best = [MEASURED.best(Budget(200, training, 2)) for training in (1, 2, 4, 8)]
    rounds = [split.rounds for split in best]
    assert rounds == sorted(rounds, reverse=True) and all(
        1 < split.rounds < Budget(200, cost, 2).most_rounds for split, cost in zip(best, (1, 2, 4, 8))
    )


def test_reads_the_curve_of_an_experiment(tmp_path: Path) -> None:
    """And says what is wrong with any other file."""
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"findings": {"curve": {**vars(MEASURED), "pace": 0.5}}}))
    assert read_curve(path) == LossCurve(MEASURED.start, MEASURED.floor, 0.5, MEASURED.fade, MEASURED.shape)
    for text in ("{}", "nothing", '{"findings": {"curve": {"start": 1}}}', "[]"):
        path.write_text(text)
        with pytest.raises(ConfigError, match="no curve"):
            read_curve(path)
    path.write_text(json.dumps({"findings": {"curve": {**vars(MEASURED), "fade": -1}}}))
    with pytest.raises(ConfigError, match="positive"):
        read_curve(path)
    with pytest.raises(ConfigError, match="cannot read"):
        read_curve(tmp_path / "missing.json")


def test_plan_shows_what_fits(capsys: pytest.CaptureFixture[str]) -> None:
    """The command: both extremes, one recommendation; a single K; bad input is one line and exit code 2."""
    costs = ["--training-cost", "2", "--block-cost", "2"]
    assert main(["plan", "--budget", "200", *costs]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in (lines[1], lines[-1])] == [["1", "99"], ["50", "1"]]
    assert sum("recommended" in line for line in lines) == 1
    assert main(["plan", "--budget", "200", *costs, "--rounds", "12"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:3] == ["12", "7", "192"]
    for wrong in (["--budget", "3"], ["--budget", "200", "--rounds", "51"], ["--budget", "200", "--rounds", "0"]):
        assert main(["plan", *wrong, *costs]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_task_beyond_the_budget_is_refused() -> None:
    """What fits exactly passes; one round, one epoch or one hair less, and the message says what would fit."""
    Budget(120, 2, 2).require(Split(10, 5))
    Budget(0.6, 0.1, 0.1).require(Split(2, 2))
    with pytest.raises(ConfigError, match=r"10 rounds of 5 epochs take 120 .* 9 rounds of 5 epochs, or 10 rounds of 4"):
        Budget(119, 2, 2).require(Split(10, 5))
    with pytest.raises(ConfigError, match="10 rounds of 5 epochs, or 11 rounds of 4 epochs"):
        Budget(131, 2, 2).require(Split(11, 5))
    with pytest.raises(ConfigError, match="holds 1 round of 2 epochs, or 2 rounds of 1 epoch;"):
        Budget(7, 2, 1).require(Split(2, 2))


@given(st.integers(1, 3000), st.integers(1, 30), st.integers(0, 30), st.integers(1, 50), st.integers(1, 20))
def test_what_is_required_is_what_costs_no_more(
    total: int, training: int, block: int, rounds: int, epochs: int
) -> None:
    """A split passes exactly when its cost is within the budget."""
    if training + block > total:
        return
    budget, wanted = Budget(total, training, block), Split(rounds, epochs)
    if budget.cost(wanted) <= total:
        budget.require(wanted)
    else:
        with pytest.raises(ConfigError):
            budget.require(wanted)
