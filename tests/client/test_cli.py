"""The command line without a chain: help, exit codes, one line per error, keys and role files."""

from __future__ import annotations

import argparse
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bcfl_client.cli import main
from bcfl_client.cli.parser import build_parser

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
DEAD = "http://127.0.0.1:9"
ADDRESS = "0x5392A33F7F677f59e833FEBF4016cDDD88fF9E67"


def _commands() -> dict[str, argparse.ArgumentParser]:
    parser = build_parser()
    (subparsers,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return dict(subparsers.choices)


def _run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs Python `code` in a fresh process."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env={**os.environ, **environment}
    )


def test_all_commands_are_there() -> None:
    """The set that the documentation promises."""
    promised = "chain deploy publish train mine node watch relay status withdraw rewards audit export demo doctor key "
    promised += "experiment plan"
    assert set(_commands()) == set(promised.split())


@pytest.mark.parametrize("name", sorted(_commands()))
def test_each_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Help says what it does, shows an example that starts with the command, and describes every option."""
    command = _commands()[name]
    assert f"bcfl {name}" in str(command.epilog)
    assert len(str(command.description)) > 60
    for action in command._actions:
        assert action.help, action.dest
    with pytest.raises(SystemExit) as stopped:
        main([name, "--help"])
    assert stopped.value.code == 0
    assert f"usage: bcfl {name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [[], ["bogus"], ["status"], ["status", "0x12"], ["status", ADDRESS.replace("A", "a")], ["chain", "--port", "x"]],
)
def test_wrong_arguments_are_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and one line on stderr, where argparse alone would print its usage."""
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    out, err = capsys.readouterr()
    assert (stopped.value.code, out, err.count("\n")) == (2, "", 1)


def test_no_chain_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the address and what to do."""
    assert main(["status", ADDRESS, "--rpc", DEAD]) == 2
    assert capsys.readouterr().err.startswith(f"bcfl: no chain answers at {DEAD}")


def test_help_and_status_do_not_import_torch() -> None:
    """Torch takes seconds to import; those who only look do not wait for it."""
    done = _run(
        "import sys\nfrom bcfl_client.cli import main\n"
        f"code = main(['status', '{ADDRESS}', '--rpc', '{DEAD}'])\n"
        "print(code, 'torch' in sys.modules, 'numba' in sys.modules)"
    )
    assert done.stdout == "2 False False\n"
    done = _run("import sys\nfrom bcfl_client.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
                "print('torch' in sys.modules, 'web3' in sys.modules)")  # fmt: skip
    assert done.stdout.endswith("False False\n")


FAULT = (
    "import sys\nimport bcfl_client.cli.inspect_task as module\nfrom bcfl_client.cli import main\n"
    "def fail(args): raise {error}\nmodule._status = fail\n"
    f"sys.exit(main(['status', '{ADDRESS}']))"
)


def test_ctrl_c_ends_with_130_and_no_traceback() -> None:
    """The code that shells give to interrupted programs."""
    done = _run(FAULT.format(error="KeyboardInterrupt"))
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_fault_of_ours_is_one_line_and_a_traceback_on_demand() -> None:
    """Even what nobody foresaw does not end in a traceback, unless asked for."""
    done = _run(FAULT.format(error="KeyError('x')"), BCFL_DEBUG="0")
    assert (done.returncode, done.stderr) == (1, "bcfl: unexpected KeyError: 'x' (BCFL_DEBUG=1 shows where)\n")
    done = _run(FAULT.format(error="KeyError('x')"), BCFL_DEBUG="1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_a_strangers_words_cannot_rewrite_the_terminal() -> None:
    """Control codes and line breaks in a message, say of a node, come out as one harmless line."""
    done = _run(FAULT.format(error="OSError('a\\x1b[2Jb\\nc')"), BCFL_DEBUG="0")
    assert done.stderr == "bcfl: unexpected OSError: a?[2Jb c (BCFL_DEBUG=1 shows where)\n"


def test_a_reader_that_goes_away_is_no_fault() -> None:
    """`bcfl ... | head` ends quietly."""
    script = "import sys; from bcfl_client.cli import main; sys.exit(main(['--verbose', 'doctor']))"
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -c "{script}" | true'], capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in done.stderr


def test_a_key_is_encrypted_private_and_never_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The dev account's key does not appear in file or output; only its owner can read the file."""
    monkeypatch.setenv("BCFL_PASSWORD", "secret")
    path = tmp_path / "keys" / "one.json"
    assert main(["key", str(path), "--dev", "0"]) == 0
    assert capsys.readouterr().out.startswith("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
    assert "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    assert main(["key", str(path)]) == 2
    assert path.read_bytes() == before


def test_a_wrong_key_is_not_quoted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What may be a secret with a typing error stays out of every message."""
    monkeypatch.setenv("BCFL_PRIVATE_KEY", "0xnearlyakey")
    assert main(["train", "--task", ADDRESS, "--price", "1", "--rpc", DEAD]) == 2
    err = capsys.readouterr().err
    assert "BCFL_PRIVATE_KEY is not a private key" in err
    assert "nearlyakey" not in err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("price = 'much'", "price: 'much' is not an amount"),
        ("price = true", "price must be a text or a number"),
        ("fee = 1", "unknown key fee; known are task, rpc"),
        ("part = '4/3'", "part: '4/3' is not K/N"),
        ("task = '0x12'", "task: '0x12' is not an address"),
        ("rpc = 'http://127.0.0.1:9'", "--task is needed"),
    ],
)
def test_a_wrong_role_file_is_refused(
    tmp_path: Path, text: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unknown keys, keys of the other role, values that the option would not take, and what is missing."""
    (tmp_path / "trainer.toml").write_text(text)
    assert main(["train", "--config", str(tmp_path / "trainer.toml")]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "mine"])
def test_the_role_files_of_the_documentation_are_read(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """All that they lack is the task."""
    name = {"train": "trainer.toml", "mine": "miner.toml"}[command]
    assert main([command, "--config", str(EXAMPLES / name)]) == 2
    assert capsys.readouterr().err == f"bcfl: --task is needed; see `bcfl {command} --help`\n"


def test_the_command_line_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file holds what stays the same; an option changes one run."""
    monkeypatch.setenv("BCFL_PRIVATE_KEY", "0x" + "11" * 32)
    (tmp_path / "miner.toml").write_text(f"task = '{ADDRESS}'\nfee = '0.01 ether'\nrpc = 'http://127.0.0.1:7'\n")
    assert main(["mine", "--config", str(tmp_path / "miner.toml")]) == 2
    assert "http://127.0.0.1:7" in capsys.readouterr().err
    assert main(["mine", "--config", str(tmp_path / "miner.toml"), "--rpc", DEAD]) == 2
    assert DEAD in capsys.readouterr().err


def test_doctor_names_each_part(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each; what was named and is missing makes it fail, what was not does not."""
    monkeypatch.delenv("BCFL_DATA", raising=False)
    main(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == [
        "Python", "Node", "compiler", "contracts", "Anvil", "torch", "kernels", "data", "chain", "store",
    ]  # fmt: skip
    assert main(["doctor", "--rpc", DEAD]) == 1
    assert "missing  chain" in capsys.readouterr().out


def test_a_mistyped_new_password_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is asked for twice: nobody could ever open a key that is encrypted with a slip of the finger."""
    answers = iter(["secret", "secrte"])
    monkeypatch.delenv("BCFL_PASSWORD", raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
    assert main(["key", str(tmp_path / "key.json")]) == 2
    assert "passwords differ" in capsys.readouterr().err
    assert not (tmp_path / "key.json").exists()
