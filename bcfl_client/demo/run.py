"""The whole life of a task on one machine: chain, contracts, publisher, trainers, miners, audit, report."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bcfl_client.audit import audit_task
from bcfl_client.chain.connection import connect
from bcfl_client.chain.contracts import deploy
from bcfl_client.chain.devchain import DevChain
from bcfl_client.chain.keys import KEY_VARIABLE, account_of
from bcfl_client.chain.sender import Sender
from bcfl_client.chain.task import Task
from bcfl_client.demo.actors import Actor, Crew, Message, cast
from bcfl_client.demo.data import choose_dataset
from bcfl_client.demo.losses import print_losses
from bcfl_client.demo.parts import Scene, play, publish_task
from bcfl_client.demo.progress import Progress
from bcfl_client.demo.report import Run, print_speed, print_table, write_report
from bcfl_client.demo.settings import DemoSettings
from bcfl_client.errors import BcflError, ConfigError
from bcfl_client.learning.datasets import held_out_validation
from bcfl_client.learning.models import build_model
from bcfl_client.learning.partitions import partition
from bcfl_client.learning.warmup import warm_up
from bcfl_client.roles.materials import fetch_parameters
from bcfl_client.scoring.validation_accuracy import ValidationScorer
from bcfl_client.storage import ContentStore, open_store
from bcfl_client.types import Head

__all__ = ["run_demo"]

_FUNDS = 10 * 10**18  # wei for each actor: stakes and gas many times over
_START_SECONDS = 120.0
_POLL_SECONDS = 0.05
_KEPT_RUNS = 3
_REPORT_SECONDS = 0.3


def run_demo(settings: DemoSettings) -> int:
    """Runs one task from publication to payout and audits it. Returns 0, or 1 when the audit found a difference.

    Raises InputError for what the user can mend. Leaves no process behind, however it ends.
    """
    warm_up()  # once here instead of once in every child
    progress = Progress(settings.trainers, settings.miners, settings.rounds)
    progress.say(
        f"BC-FL demo: {settings.trainers} trainers, {settings.miners} miners, 1 publisher, {settings.rounds} rounds, "
        f"seed {settings.seed}; every actor is a process with a key of its own"
    )
    if bad := ", ".join(f"{count} {kind}" for kind, count in settings.adversaries.items() if count):
        progress.say(f"beside them, against the rules: {bad}")
    folder = _fresh_folder(settings.folder)
    report = settings.report or folder / "report.json"
    _require_place(report)
    with ExitStack() as stack:
        chain = None if settings.rpc else stack.enter_context(DevChain())
        connection = connect(settings.rpc or (chain.url if chain else ""))
        whose = " (Anvil, started for this run)" if chain else ""
        progress.say(f"chain {connection.chain_id} at {connection.url}{whose}")
        dataset, data_root = choose_dataset(settings.dataset, settings.folder, progress.say)
        build_model(settings.model, dataset.input_shape, dataset.classes)  # what is wrong with it shows here
        store = open_store(settings.store or f"dir:{folder / 'store'}")
        store.put(b"BC-FL")  # whether it can be written to shows here, not in an actor
        crew = stack.enter_context(Crew(folder))
        scene = Scene(settings, connection, store, folder, dataset, data_root)
        run = _play(scene, crew, progress)

        progress.say("audit: replaying the task from chain and content store alone")
        audit = audit_task(connection, store, run.task.address)
        print_table(run, audit)
        print_losses(run, audit)
        if settings.fast:
            print_speed(run, audit)
        write_report(report, run, audit)
        _say_where(run, folder, report)
    return 0 if audit.ok else 1


def _play(scene: Scene, crew: Crew, progress: Progress) -> Run:
    settings, connection = scene.settings, scene.connection
    actors = cast(settings)
    # Splits first: a partition that does not work costs nothing yet.
    training, _ = held_out_validation(scene.dataset)
    parts = partition(training.train_labels, settings.trainers, settings.partition, settings.seed)
    funder = Sender(connection, account_of(os.environ.get(KEY_VARIABLE) or DevChain().accounts[0]))
    sent = [funder.send(actor.account.address, b"", _FUNDS) for actor in actors]
    for digest in sent:
        funder.wait(digest)
    deployment = deploy(funder)
    progress.say(f"contracts deployed; factory {deployment.factory}, reputation {deployment.reputation}")

    publisher, *others = actors
    crew.start(publisher, partial(publish_task, scene, publisher, deployment.factory))
    address = str(_await(crew, "published").facts["task"])
    task = Task(connection, address)
    progress.say(
        f"task {address}: reward {task.terms['reward'] / 1e18:g} ETH in escrow, challengeWindow "
        f"{task.terms['challengeWindow']} s, minWindow {task.terms['minWindow']} s"
        + (" (correctness rests on the miners' majority)" if task.terms["minWindow"] == 0 else "")
    )
    for actor in others:
        # Who does not keep the rules has, or says that it has, what an honest one has: the others' parts stay the same.
        part = parts[actor.index % settings.trainers] if actor.trains else None
        data = None if part is None else (training.train_images[part], training.train_labels[part])
        crew.start(actor, partial(play, scene, actor, address, data))
    return _watch(scene, crew, progress, task, actors)


def _watch(scene: Scene, crew: Crew, progress: Progress, task: Task, actors: list[Actor]) -> Run:
    """Shows the rounds as they go and measures each model on the test images, outside the rounds."""
    dataset = scene.dataset
    model = build_model(scene.settings.model, dataset.input_shape, dataset.classes)
    scorer = ValidationScorer(model, dataset.test_images, dataset.test_labels)
    run = Run(task, actors, scene.store)
    clocks = run.clocks

    def listen() -> None:
        for message in crew.messages(_POLL_SECONDS):
            run.note(message)
            if message.verb == "refuted":
                progress.refuted(message, run.miner_name(int(str(message.facts["miner"]))), clocks)

    while len(run.gas_used) < len(actors):
        listen()
        open_rounds = [number for number, clock in clocks.items() if not clock.end]
        if not open_rounds:
            continue
        number = min(open_rounds)
        status = task.status()
        if status.round.id == number and not status.state.closed:
            progress.round(number, clocks[number])
            continue
        clocks[number].end = time.time()
        # Who made the call that ended the round reports it after the chain does.
        while clocks[number].votes() < scene.settings.miners and time.time() < clocks[number].end + _REPORT_SECONDS:
            listen()
        run.accuracy[number] = _test_accuracy(scorer, scene.store, status.head, task)
        progress.finished(number, clocks[number], run.accuracy[number])
    return run


def _test_accuracy(scorer: ValidationScorer, store: ContentStore, head: Head, task: Task) -> float:
    counted = scorer.count(fetch_parameters(store, head.content_digest, head.root, task.terms["parameterCount"]))
    return counted.correct / counted.count


def _await(crew: Crew, verb: str) -> Message:
    """The first message with this verb."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        for message in crew.messages(_POLL_SECONDS):
            if message.verb == verb:
                return message
    raise BcflError(f"nobody {verb} within {_START_SECONDS:.0f} s")


def _fresh_folder(base: Path) -> Path:
    """A new folder of this run under `base`; of earlier runs the newest few stay."""
    runs = sorted(base.glob("demo-*"), key=lambda path: path.name)
    for old in runs[: max(0, len(runs) - _KEPT_RUNS + 1)]:
        shutil.rmtree(old, ignore_errors=True)
    folder = base / f"demo-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    folder.mkdir(parents=True)
    return folder


def _require_place(report: Path) -> None:
    """A report that cannot be written is better known before the run than after it. Raises ConfigError."""
    try:
        report.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot write {report}: {error.strerror}") from error
    if report.is_dir() or not os.access(report.parent, os.W_OK):
        raise ConfigError(f"cannot write {report}: name a file in a folder that can be written to")


def _say_where(run: Run, folder: Path, report: Path) -> None:
    content = run.final_model()
    model = folder / "final-model.bin"
    model.write_bytes(run.store.get(content))
    print(f"task         {run.task.address}")
    print(f"final model  {model} (content id {content.cid})")
    print(f"report       {report}")
    print(f"logs, store  {folder}")
