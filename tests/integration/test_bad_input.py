"""Bad input: one clear line on stderr, exit code 2, nothing sent and nothing lost. Each case against a real chain."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from eth_utils import keccak

from bcfl_client.chain.contracts import artifact
from bcfl_client.chain.task import Task, TaskActor
from bcfl_client.cli import main
from bcfl_client.roles.publisher import publish
from bcfl_client.roles.task_config import TaskConfig
from bcfl_client.storage import Content, ContentStore
from bcfl_client.terms import make_terms

if TYPE_CHECKING:
    from tests.integration.conftest import World

NOWHERE = "0x000000000000000000000000000000000000dEaD"
DEAD_URL = "http://127.0.0.1:9"


@dataclass
class Bench:
    """A published task of digits, and the command line of an account that may join it."""

    world: World
    store: ContentStore
    task: Task
    folder: Path
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def use_key(self, key: str) -> None:
        """The account that the commands act for."""
        self.monkeypatch.setenv("BCFL_PRIVATE_KEY", key)

    def train(self, *options: str, task: str | None = None) -> str:
        """stderr of a refused `bcfl train`."""
        given = ["--task", task or self.task.address, "--dataset", "digits", "--price", "1 gwei"]
        return self.refused("train", *given, *self._place(), *options)

    def mine(self, *options: str) -> str:
        """stderr of a refused `bcfl mine`."""
        return self.refused("mine", "--task", self.task.address, "--fee", "1 gwei", *self._place(), *options)

    def node(self, *options: str) -> str:
        """stderr of a refused `bcfl node`, whose budget holds the task's two rounds."""
        given = [self.task.address, "--dataset", "digits", "--price", "1 gwei", "--fee", "1 gwei"]
        given += ["--budget", "8", "--training-cost", "2", "--block-cost", "2"]
        return self.refused("node", *given, *self._place(), *options)

    def publish(self, text: str, *options: str) -> str:
        """stderr of a refused `bcfl publish` of the task file `text`."""
        (self.folder / "task.toml").write_text(text)
        given = [str(self.folder / "task.toml"), "--factory", self.world.contracts.factory]
        return self.refused("publish", *given, "--rpc", self.world.chain.url, "--store", self.store.url, *options)

    def refused(self, *arguments: str) -> str:
        """stderr of a command that is refused: one line, exit code 2, no transaction, no money moved."""
        before = self._money()
        self.capsys.readouterr()
        try:
            code = main(arguments)
        except SystemExit as stopped:
            code = stopped.code
        err = self.capsys.readouterr().err
        assert (code, err.count("\n")) == (2, 1), err
        assert self._money() == before
        return err

    def _place(self) -> list[str]:
        return ["--rpc", self.world.chain.url, "--store", self.store.url, "--state", str(self.folder / "state")]

    def _money(self) -> list[object]:
        request = self.world.connection.request
        return [
            (
                request("eth_getBalance", account.address, "latest"),
                request("eth_getTransactionCount", account.address, "pending"),
            )
            for account in self.world.accounts[:4]
        ]


@pytest.fixture
def bench(
    world: World,
    store: ContentStore,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Bench:
    monkeypatch.delenv("BCFL_DATA", raising=False)
    config = TaskConfig(dataset="digits", terms=make_terms(rounds=2, bidding_window=10_000))
    address = publish(world.connection, world.sender(1), store, world.contracts.factory, config, None)
    bench = Bench(world, store, Task(world.connection, address), tmp_path, capsys, monkeypatch)
    bench.use_key(world.chain.accounts[2])
    return bench


def _file(bench: Bench, term: str, size_term: str | None = None) -> Path:
    """The stored file that the task's terms name."""
    size = bench.task.terms[size_term] if size_term else 4 * bench.task.terms["parameterCount"]
    return Path(bench.store.url.removeprefix("dir:")) / Content(bench.task.terms[term], size).cid


def _published_with(bench: Bench, **terms: object) -> str:
    """A task with the bench's terms but for the given ones, as a hostile publisher would make it."""
    codec = artifact("TaskFactory").codec
    values: dict[str, Any] = {**bench.task.terms, **terms}
    data = codec.call("publish", tuple(values[name] for name in codec.fields("publish")))
    sender = bench.world.sender(1)
    sender.wait(sender.send(bench.world.contracts.factory, data, values["reward"], codec), codec=codec)
    call = bench.world.connection.call
    count = codec.result("taskCount", call(bench.world.contracts.factory, codec.call("taskCount")))
    return str(codec.result("tasks", call(bench.world.contracts.factory, codec.call("tasks", count - 1))))


# ------------------------------------------------------------------ the chain


@pytest.mark.parametrize("command", ["status", "rewards", "withdraw", "audit", "train", "mine", "publish", "deploy"])
def test_no_chain_at_the_url(bench: Bench, command: str) -> None:
    """Every command that needs a chain says that none answers, and where it looked."""
    options = {
        "train": ["--task", bench.task.address, "--price", "1", "--store", bench.store.url],
        "mine": ["--task", bench.task.address, "--fee", "1", "--store", bench.store.url],
        "publish": [str(bench.folder / "empty.toml"), "--factory", NOWHERE],
        "audit": [bench.task.address, "--store", bench.store.url],
        "deploy": [],
    }.get(command, [bench.task.address])
    (bench.folder / "empty.toml").write_text("")
    assert f"no chain answers at {DEAD_URL}" in bench.refused(command, *options, "--rpc", DEAD_URL)


def test_wrong_chain_id(bench: Bench) -> None:
    """A key never signs for another chain than the one that was meant."""
    assert "has id 31337, not 1" in bench.train("--chain-id", "1")
    assert "has id 31337, not 1" in bench.publish("[learning]\ndataset = 'digits'", "--chain-id", "1")


def test_no_contract_at_the_address(bench: Bench) -> None:
    """Neither an empty address nor another contract passes for a task or a factory."""
    assert f"no contract at {NOWHERE}" in bench.train(task=NOWHERE)
    assert "is not a learning task" in bench.train(task=bench.world.contracts.reputation)
    assert f"no contract at {NOWHERE}" in bench.refused("status", NOWHERE, "--rpc", bench.world.chain.url)
    assert f"no contract at {NOWHERE}" in bench.publish("", "--factory", NOWHERE)


def test_port_in_use(bench: Bench) -> None:
    """`bcfl chain` starts nothing where another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as user:
        port = user.getsockname()[1]
        assert f"port {port}" in bench.refused("chain", "--port", str(port))


# ------------------------------------------------------------------ money


def test_unfunded_key(bench: Bench) -> None:
    """An account without ether can neither deploy nor publish nor bid, and is told what it lacks."""
    bench.use_key("0x" + "42" * 32)
    assert "has 0 wei" in bench.refused("deploy", "--rpc", bench.world.chain.url)
    assert "has 0 wei" in bench.publish("[learning]\ndataset = 'digits'")
    assert "has 0 wei" in bench.train()
    assert "has 0 wei" in bench.mine()
    assert "has 0 wei" in bench.node()


def test_deposit_too_small(bench: Bench) -> None:
    """Terms with a deposit below the allowed range are refused, and so is a bid that its account cannot back."""
    assert "miner_deposit" in bench.publish("[terms]\nminer_deposit = '0.01 ether'")
    bench.world.connection.request("anvil_setBalance", bench.world.accounts[2].address, hex(10**12))
    assert "does not cover" in bench.train()


def test_a_node_that_can_back_one_bid_only(bench: Bench) -> None:
    """It does not bid in one role and fail in the other."""
    bench.world.connection.request(
        "anvil_setBalance", bench.world.accounts[2].address, hex(bench.task.terms["minerDeposit"] + 10**15)
    )
    assert "wei together" in bench.node()


def test_a_task_beyond_a_nodes_budget(bench: Bench) -> None:
    """Two rounds of one epoch cost 8: a node with less, or with dearer blocks, says what would fit and does not bid."""
    error = bench.node("--budget", "7.9")
    assert "2 rounds of 1 epoch take 8 and the budget is 7.9: it holds 1 round of 1 epoch, or" in error
    assert "take 10 and" in bench.node("--block-cost", "3")
    assert "the budget is 3" in bench.node("--budget", "3")


def test_a_bid_beyond_the_terms(bench: Bench) -> None:
    """Price, fee and training time above what the task takes."""
    assert "LearningTask_PriceTooHigh" in bench.train("--price", "1 ether")
    assert "LearningTask_PriceTooHigh" in bench.mine("--fee", "1 ether")
    assert "LearningTask_TooSlow" in bench.train("--training-time", "1000000")
    assert "LearningTask_PriceTooHigh" in bench.node("--price", "1 ether")
    assert "max_fee" in bench.node("--fee", "1 ether")


def test_task_already_finished(bench: Bench) -> None:
    """Nobody joins a task that is closed."""
    TaskActor(bench.task, bench.world.sender(1)).cancel()
    assert "is aborted already" in bench.train()
    assert "is aborted already" in bench.mine()
    assert "is aborted already" in bench.node()


# ------------------------------------------------------------------ data and models


def test_unknown_data_set(bench: Bench) -> None:
    """The message lists what is known."""
    for error in (bench.train("--dataset", "imagenet"), bench.publish("[learning]\ndataset = 'imagenet'")):
        assert "imagenet" in error
        assert "BCFL_DATA" in error


def test_missing_data(bench: Bench) -> None:
    """A data set whose files are not there: the folder that was looked for is named."""
    error = bench.train("--dataset", "mnist", "--data-root", str(bench.folder))
    assert str(bench.folder / "MNIST") in error
    (bench.folder / "MNIST" / "raw").mkdir(parents=True)
    assert "train-images-idx3-ubyte" in bench.train("--dataset", "mnist", "--data-root", str(bench.folder))


def test_model_with_another_parameter_count(bench: Bench) -> None:
    """Both counts are named."""
    relayed = bench.train("--model", "cnn", "--relay", str(bench.folder))
    for error in (bench.train("--model", "cnn"), relayed, bench.mine("--model", "cnn"), bench.node("--model", "cnn")):
        assert str(bench.task.terms["parameterCount"]) in error
        assert "--model" in error


def test_unknown_model(bench: Bench) -> None:
    """A factory that is not installed, and a name that means nothing."""
    assert "ModuleNotFoundError" in bench.train("--model", "no_such_module:factory")
    assert "unknown model" in bench.train("--model", "3nn")


# ------------------------------------------------------------------ content


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values.update(classes="ten"),
        lambda values: values.update(tensors=[["w", "x"]]),
        lambda values: values.update(hyperparameters=[]),
        lambda values: values.update(extra=1),
        lambda values: values.update(input_shape=[8]),
        lambda values: values.pop("model"),
    ],
    ids=["text for number", "text for shape", "list for object", "unknown key", "one side", "no model"],
)
def test_manifest_with_wrong_types(bench: Bench, change: Callable[[dict[str, object]], object]) -> None:
    """Published as such by somebody hostile; its hash is right, its content is not."""
    values = json.loads(_file(bench, "manifestContent", "manifestSize").read_bytes())
    change(values)
    manifest = json.dumps(values, sort_keys=True, separators=(",", ":")).encode()
    content = bench.store.put(manifest)
    task = _published_with(
        bench, manifestContent=content.digest, manifestHash=keccak(manifest), manifestSize=content.size
    )
    assert "manifest" in bench.train(task=task)


def test_manifest_of_another_model(bench: Bench) -> None:
    """A manifest that is well formed but speaks of another number of parameters than the terms."""
    task = _published_with(bench, parameterCount=bench.task.terms["parameterCount"] + 1)
    assert "parameters" in bench.train(task=task)


def test_store_unreachable(bench: Bench) -> None:
    """A folder that is not there and a daemon that is not running."""
    assert "cannot read the content store" in bench.train("--store", str(bench.folder / "nowhere"))
    assert "IPFS daemon at http://127.0.0.1:9" in bench.train("--store", "ipfs:http://127.0.0.1:9")
    assert "IPFS daemon at http://127.0.0.1:9" in bench.publish(
        "[learning]\ndataset = 'digits'", "--store", "ipfs:http://127.0.0.1:9"
    )
    assert "no known kind" in bench.train("--store", "ftp://example.org")


@pytest.mark.parametrize("terms", [("manifestContent", "manifestSize"), ("validationContent", "validationSize")])
def test_blob_too_long_or_not_matching(bench: Bench, terms: tuple[str, str]) -> None:
    """Under the right name lie more bytes, other bytes, fewer bytes: each is refused by what is wrong with it."""
    path = _file(bench, *terms)
    data = path.read_bytes()
    for damaged, message in (
        (data + b"\0", "promised"),
        (bytes([data[0] ^ 1]) + data[1:], "other bytes"),
        (data[:-1], "promised"),
    ):
        path.write_bytes(damaged)
        for error in (bench.train(), bench.mine()):
            assert path.name in error
            assert message in error


# ------------------------------------------------------------------ the process


def test_the_process_itself_says_one_line(bench: Bench) -> None:
    """The same from a shell: exit code, one line, no traceback, and no child left."""
    done = subprocess.run(
        [sys.executable, "-m", "bcfl_client.cli", "train", "--task", NOWHERE, "--price", "1", "--rpc", DEAD_URL],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ.copy(),
        cwd=bench.folder,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
