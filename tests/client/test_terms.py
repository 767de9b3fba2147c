"""The terms in code and in docs/terms.md are the same, and nonsense is refused before it costs anything."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import pytest

from bcfl_client.errors import ConfigError
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.terms import TERMS, make_terms

ROW = re.compile(r"\| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|")
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "terms.md"


def _number(text: str) -> int | str:
    """A bound as the document writes it: 10,000, 2^32 - 1, 4 x 10^16, or a product of terms."""
    text = text.replace(",", "")
    if re.search("[a-z]{2}", text):
        return text
    return int(eval(text.replace("^", "**").replace("x", "*")))


def _rows() -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """The document's rows, of terms and of what stands under [training]."""
    text = DOCUMENT.read_text()
    start = text.index("## Training")
    end = text.index("## ", start + 1)
    sections = text[:start] + text[end:], text[start:end]
    terms, training = ({row[0]: row[1:] for row in ROW.findall(section)} for section in sections)
    return terms, training


def test_the_document_explains_how_to_train() -> None:
    """Every key, with the default and the range of the code: both ends are in, what is beyond them is out."""
    defaults = asdict(Hyperparameters())
    _, rows = _rows()
    assert set(rows) == set(defaults) - {"optimizer"}
    for key, (_, default, allowed, _) in rows.items():
        kind = type(defaults[key])
        assert kind(default) == defaults[key], key
        low, high = (kind(bound.replace(",", "").replace("10^6", "1e6")) for bound in allowed.split(" to "))
        step = kind(1) if kind is int else 0.000001
        for value in (low, high):
            assert getattr(Hyperparameters(**{key: value}), key) == value
        for value in (low - step, high + step):
            with pytest.raises(ConfigError, match=key):
                Hyperparameters(**{key: value})


def test_the_document_explains_every_term() -> None:
    """Unit, default and range of each row are those of the code, and each says why."""
    rows, _ = _rows()
    assert set(rows) == {term.name for term in TERMS}
    for term in TERMS:
        unit, default, allowed, why = (cell.strip() for cell in rows[term.name])
        low, high = (_number(bound) for bound in allowed.split(" to "))
        assert (unit, _number(default), low, high) == (term.unit, term.default, term.low, term.high), term.name
        assert len(why) > 20


def test_defaults_are_allowed() -> None:
    """All by default is a task."""
    terms = make_terms()
    assert all(terms[term.name] == term.default for term in TERMS)


def test_a_default_gives_way_to_a_given_term() -> None:
    """Fewer slots lower the minimum, longer training the window, a larger bond the deposit."""
    terms = make_terms(
        trainer_slots=2, max_training_time=500, challenge_bond="1 ether", min_samples=1, trainer_deposit=5
    )
    assert (terms["min_trainers"], terms["min_updates"]) == (2, 2)
    assert terms["commit_window"] == 500
    assert terms["miner_deposit"] == 4 * 10**18
    assert terms["penalty"] == 5


@pytest.mark.parametrize("term", [term for term in TERMS if term.unit != "yes/no"], ids=lambda term: term.name)
def test_each_range_is_enforced(term: object) -> None:
    """Both ends are in, what is beyond them is out, and the message names the term."""
    low, high = make_terms().range_of(term)  # type: ignore[arg-type]
    name = term.name  # type: ignore[attr-defined]
    for value in (low - 1, high + 1):
        with pytest.raises(ConfigError, match=name):
            make_terms(**{name: value})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"round": 1}, "unknown term round"),
        ({"rounds": "10"}, "rounds must be a whole number"),
        ({"rounds": True}, "rounds must be a whole number"),
        ({"rounds": 1.5}, "rounds must be a whole number"),
        ({"reward": 0.5}, "reward must be a whole number"),
        ({"reward": "half an ether"}, "not an amount"),
        ({"close_when_full": 1}, "true or false"),
        ({"miner_deposit": "0.03 ether"}, "miner_deposit is 0.03 ether, allowed are 0.04 ether .4 x challenge_bond"),
    ],
)
def test_nonsense_is_refused(given: dict[str, object], message: str) -> None:
    """Unknown names, other types, amounts without sense, a deposit too small."""
    with pytest.raises(ConfigError, match=message):
        make_terms(**given)  # type: ignore[arg-type]


def test_the_contract_gets_its_own_names() -> None:
    """Camel case, and a bool where the contract has one."""
    values = make_terms().for_contract()
    assert values["minTrainers"] == 3
    assert values["closeWhenFull"] is True
