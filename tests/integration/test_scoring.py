"""A task that scores otherwise than by accuracy, from publishing to the audit, with the real trainers and miners."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from bcfl_client.audit import audit_task
from bcfl_client.chain.task import Task
from bcfl_client.roles.local_data import local_data
from bcfl_client.roles.miner import MinerSettings, run_miner
from bcfl_client.roles.publisher import publish
from bcfl_client.roles.session import Session, open_session
from bcfl_client.roles.task_config import TaskConfig
from bcfl_client.roles.trainer import TrainerSettings, run_trainer
from bcfl_client.roles.watch import follow
from bcfl_client.scoring.rules import ScoringRule
from bcfl_client.storage import ContentStore
from bcfl_client.terms import make_terms
from bcfl_client.types import Role

if TYPE_CHECKING:
    from tests.integration.conftest import World

TRAINERS, MINERS, ROUNDS = 4, 2, 2


def test_a_task_is_scored_and_paid_by_shapley_values(world: World, store: ContentStore, tmp_path: Path) -> None:
    """Trimmed mean, two rounds: the miners agree on every score, trainers are paid by them, the audit says the same."""
    terms = make_terms(
        scoring_rule=int(ScoringRule.SHAPLEY), aggregation_rule=2, trim_share=3000, pay_score=0, rounds=ROUNDS,
        trainer_slots=TRAINERS, miner_slots=MINERS, min_miners=MINERS,
    )  # fmt: skip
    config = TaskConfig(dataset="digits", model="mlp:32", terms=terms)
    task = publish(world.connection, world.sender(1), store, world.contracts.factory, config, None)

    def play(account: int, act: Callable[[Session], object]) -> None:
        session = open_session(world.chain.url, task, world.accounts[account], store.url, tmp_path / "state")
        act(session)
        session.close()

    def train(seat: int) -> Callable[[Session], object]:
        data = local_data("digits", None, "dirichlet:0.5", (seat + 1, TRAINERS), 0)
        settings = TrainerSettings(500 * 10**9, "mlp:32", trainer_id=seat)
        return lambda session: run_trainer(session, settings, *data)

    jobs = [(1, lambda session: follow(session, lambda status: False, 0.1))]  # the publisher selects
    jobs += [(2 + seat, train(seat)) for seat in range(TRAINERS)]
    jobs += [(10 + seat, lambda session: run_miner(session, MinerSettings(10**16, "mlp:32"))) for seat in range(MINERS)]
    with ThreadPoolExecutor(len(jobs)) as pool:
        for done in [pool.submit(play, *job) for job in jobs]:
            done.result(timeout=120)

    report = audit_task(world.connection, store, task)
    assert report.ok, report.summary
    assert [one.scores for one in report.rounds] == [TRAINERS * MINERS] * ROUNDS
    events = Task(world.connection, task).events()
    opened = [event.args["opening"]["scores"] for event in events if event.name == "Opened"]  # type: ignore[index]
    assert len(opened) == MINERS * ROUNDS and len(set(map(tuple, opened))) == ROUNDS
    paid = {event.args["seat"] for event in events if event.name == "Paid" and event.args["role"] == Role.TRAINER}
    assert paid == set(range(TRAINERS))
