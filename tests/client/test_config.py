"""Configuration files are read strictly, and amounts exactly."""

from __future__ import annotations

from pathlib import Path

import pytest

from bcfl_client.config import Table, format_wei, parse_wei, read_toml
from bcfl_client.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "wei"),
    [
        (0, 0),
        (7, 7),
        ("7", 7),
        ("7 wei", 7),
        ("20 gwei", 20 * 10**9),
        ("0.5 ether", 5 * 10**17),
        ("1ether", 10**18),
        ("0.000000000000000001 ether", 1),
        ("1.5000 gwei", 15 * 10**8),
        ("604462909807.314587353088 ether", 604462909807314587353088000000),
    ],
)
def test_amounts_are_exact(text: int | str, wei: int) -> None:
    """Every digit counts, also beyond what a float or a short decimal holds."""
    assert parse_wei(text) == wei


@pytest.mark.parametrize("text", ["", "ether", "-1", -1, "1 eth", "1e3 ether", "0.5", "0.5 wei", "0.0000000001 gwei"])
def test_what_is_no_amount_is_refused(text: int | str) -> None:
    """Unknown units, signs, exponents and parts of a wei do not pass."""
    with pytest.raises(ConfigError):
        parse_wei(text)


@pytest.mark.parametrize("wei", [0, 1, 999_999, 10**9, 10**15, 123_456_789_012_345_678, 10**22, 2**79])
def test_formatted_amounts_read_back(wei: int) -> None:
    """What is shown is the whole truth: it reads back to the same wei."""
    assert parse_wei(format_wei(wei).replace(",", "")) == wei


def test_amounts_are_shown_in_the_unit_that_suits_them() -> None:
    """Signs, separators and trailing zeros."""
    assert format_wei(1500 * 10**18) == "1,500 ether"
    assert format_wei(-(10**9)) == "-1 gwei"
    assert format_wei(25 * 10**14) == "0.0025 ether"


def test_a_table_gives_its_keys_once_and_refuses_the_rest() -> None:
    """What nobody asked for is named, with what is known."""
    table = Table({"a": 1, "b": "x", "c": "20 gwei", "typo": 1}, "file.toml")
    assert (table.integer("a"), table.text("b"), table.wei("c"), table.text("d")) == (1, "x", 20 * 10**9, None)
    with pytest.raises(ConfigError, match=r"file\.toml: unknown key typo; known are a, b"):
        table.finish(("a", "b"))


@pytest.mark.parametrize("value", [True, 1.5, "1", [1], {"x": 1}])
def test_a_value_of_another_type_is_refused(value: object) -> None:
    """A bool is no number, neither is a text."""
    with pytest.raises(ConfigError, match="key must be a whole number"):
        Table({"key": value}, "file.toml").integer("key")


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    """Syntax, encoding, length and absence each give one line with the path."""
    for name, data in {"a": b"x = ", "b": b"\xff\xfe", "c": b"#" * 1_000_001}.items():
        (tmp_path / name).write_bytes(data)
    for name in ("a", "b", "c", "missing"):
        with pytest.raises(ConfigError, match=str(tmp_path / name)):
            read_toml(tmp_path / name)
