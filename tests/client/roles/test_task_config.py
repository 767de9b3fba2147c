"""A task file says what is learnt and on which terms; a wrong one is refused with the key that is wrong."""

from __future__ import annotations

from dataclasses import astuple, replace
from pathlib import Path

import pytest

from bcfl_client.errors import ConfigError
from bcfl_client.experiments.poisoning import DEFENCES, Poisoning
from bcfl_client.roles.task_config import TaskConfig, read_task_config

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples"


def test_the_example_is_read() -> None:
    """The file that the documentation shows is a task on its defaults, but for its description."""
    config = read_task_config(EXAMPLES / "mnist.toml")
    assert config == TaskConfig(description=config.description)


def test_the_robust_example_is_what_the_experiment_recommends() -> None:
    """Aggregation, trimming, scoring, what is paid, the bound and the batches are those that `bcfl experiment
    poisoning` measures."""
    task, measured = read_task_config(EXAMPLES / "robust.toml"), Poisoning()
    names = ("aggregation_rule", "trim_share", "scoring_rule", "pay_score")
    terms = [task.terms[name] for name in names]
    assert (*terms, task.hyperparameters.clipping_norm) == astuple(DEFENCES["recommended"])
    trained = replace(measured.learning.hyper(1), clipping_norm=DEFENCES["recommended"].clipping_norm)
    assert task.hyperparameters == trained and task.terms["rounds"] == measured.rounds


def test_an_empty_file_is_the_default_task(tmp_path: Path) -> None:
    """Everything has a default."""
    (tmp_path / "task.toml").write_text("")
    assert read_task_config(tmp_path / "task.toml") == TaskConfig()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rounds = 3", "unknown key rounds; known are learning, training, terms"),
        ("terms = 3", "terms must be a table"),
        ("[learning]\nmodels = '2nn'", r"\[learning\]: unknown key models"),
        ("[learning]\nseed = '1'", "seed must be a whole number"),
        ("[learning]\nseed = -1", "seed is -1"),
        ("[learning]\ndataset = 1", "dataset must be a text"),
        ("[training]\nrate = 0.1", r"\[training\]: unknown key rate; known are learning_rate"),
        ("[training]\nlearning_rate = 'fast'", "learning_rate must be a number"),
        ("[training]\nbatch_size = 0", "batch_size"),
        ("[terms]\nround = 3", r"\[terms\].*unknown term round"),
        ("[terms]\nrounds = 0", r"\[terms\].*rounds is 0, allowed are 1 to 10000"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """Unknown keys, other types, values out of range: one line that names file, table and key."""
    path = tmp_path / "task.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as refused:
        read_task_config(path)
    assert "\n" not in str(refused.value)
