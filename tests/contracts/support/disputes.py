"""A round in which miners lied, and what is said against them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import chain, digests
from .digests import Opening
from .kinds import Phase
from .models import Models
from .nodes import Nodes
from .play import Play
from .terms import BASE

BOND = BASE["challengeBond"]
LIE = 7  # the coordinate that is wrong
SALT = b"\x0b" * 32
WITHHELD = 2**256 - 1  # instead of a coordinate, where nobody answered


@dataclass(frozen=True)
class Case:
    """What the miners of a round made, by seat: models and what they sealed."""

    play: Play
    models: Models
    made: dict[int, bytes]
    results: dict[int, Opening]

    @classmethod
    def of(cls, play: Play, lies: dict[int, bytes]) -> Case:
        """Of the running round, when the miners on the seats in `lies` have other results than the truth."""
        models = Models.of(play)
        made = dict.fromkeys(range(len(play.miners)), models.truth()) | lies
        return cls(play, models, made, models.results(lies))

    @property
    def task(self) -> Any:
        return self.play.task

    # ------------------------------------------------------------------ steps of the round

    def seal(self) -> None:
        self.play.seal(results=self.results)

    def propose(self, seat: int) -> None:
        self.play.propose(seat, self.results)

    def open(self, *seats: int) -> None:
        self.play.open(*seats, results=self.results)

    # ------------------------------------------------------------------ challenges

    def digest(self, who: Any, seat: int = 0, coordinate: int = LIE, salt: bytes = SALT) -> bytes:
        """What `who` commits to."""
        return digests.challenge(self.models.said.place(who), seat, coordinate, salt)

    def claim(self, who: Any, seat: int = 0, coordinate: int = LIE, salt: bytes = SALT) -> bytes:
        """The id of that claim."""
        return digests.claim(seat, self.digest(who, seat, coordinate, salt), who)

    def commit(self, who: Any, seat: int = 0, coordinate: int = LIE, salt: bytes = SALT) -> bytes:
        """Commits `who` to a proof; returns the claim."""
        digest, bond = self.digest(who, seat, coordinate, salt), self.play.terms["challengeBond"]
        chain.send(who, self.task.commitChallenge, seat, digest, value=bond)
        return self.claim(who, seat, coordinate, salt)

    def proof(self, seat: int = 0, coordinate: int = LIE, salt: bytes = SALT, **changes: Any) -> tuple[Any, ...]:
        """What `challenge` takes."""
        values = {
            "content_id": self.results[seat].content_id,
            "evidence": self.models.evidence(coordinate, self.made[seat]),
        } | changes
        return seat, coordinate, salt, *values.values()

    def refute(self, who: Any, seat: int = 0) -> bytes:
        """Commits `who` to the proof against `seat` and shows it; returns the claim."""
        claim = self.commit(who, seat)
        chain.send(who, self.task.challenge, *self.proof(seat))
        return claim

    # ------------------------------------------------------------------ questions

    def nodes(self, seat: int = 0) -> Nodes:
        return Nodes.of(self.made[seat])

    def asked(self, who: Any, seat: int = 0, height: int | None = None, index: int = 0) -> bytes:
        """The claim of a question; without a height, of the top."""
        top = self.nodes(seat).height if height is None else height
        return digests.question(self.models.said.place(who), seat, top, index)

    def asking(self, seat: int = 0, height: int | None = None, index: int = 0, **changes: Any) -> tuple[Any, ...]:
        """What `question` takes."""
        nodes = self.nodes(seat)
        top = nodes.height if height is None else height
        values = {
            "root": self.results[seat].root,
            "content_id": self.results[seat].content_id,
            "height": top,
            "index": index,
            "node": nodes.named(top, index),
            "path": nodes.path(top, index),
        } | changes
        return seat, *values.values()

    def ask(self, who: Any, seat: int = 0, height: int | None = None, index: int = 0) -> bytes:
        """Asks `seat` for what is below a node; returns the claim."""
        bond = self.play.terms["challengeBond"]
        chain.send(who, self.task.question, *self.asking(seat, height, index), value=bond)
        return self.asked(who, seat, height, index)


def lied(play: Play, *liars: int) -> Case:
    """Plays up to Challenge or Mine: the `liars` open the same lie, the first of them proposes it."""
    case = Case.of(play.until(Phase.SEAL), dict.fromkeys(liars, Models.of(play).lie(LIE)))
    case.seal()
    case.propose(liars[0])
    case.open()
    return case
