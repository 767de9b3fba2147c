"""What was said against results, and for them: claims with their bonds, questions, answers, refutations."""

from __future__ import annotations

from dataclasses import replace

from bcfl_client.audit.answers import STEP, answer_length, fold, has_node, parts_to_nodes
from bcfl_client.audit.checks import Args, Checks
from bcfl_client.audit.phases import clock_at
from bcfl_client.audit.state import Accusation, Expected, Moment, Refutation, RoundState, Stake
from bcfl_client.chain.digests import question_digest
from bcfl_client.learning.tree import LEAF_PARAMETERS, leaf_count, root_hash, tree_height

__all__ = ["WITHHELD", "DisputeActs"]

WITHHELD = 2**256 - 1
"""In place of a coordinate: the result was refuted by silence on a question."""


class DisputeActs(Checks):
    """Methods take an event's arguments and when it happened, and return the events that must follow."""

    def challenge_committed(self, args: Args, moment: Moment) -> list[Expected]:
        r = self._round(args)
        where = self._disputable(r, args, moment)
        self._post(r, where, args, moment, Stake(args["challenger"], moment.block, r.id, args["seat"]))
        if args["seat"] not in r.refuted:
            r.first_claims.setdefault(args["seat"], args["claim"])
        return []

    def questioned(self, args: Args, moment: Moment) -> list[Expected]:
        r, seat = self._round(args), args["seat"]
        where = self._disputable(r, args, moment)
        height, index = args["height"], args["index"]
        place = self._place(r, args["challenger"])
        self._expect(where, "claim of the question", question_digest(place, seat, height, index), args["claim"])
        self._expect(where, "node of the result's tree", True, has_node(self._parameters, height, index))
        deadline = moment.second + self._task.terms["responseWindow"]
        self._expect(where, "deadline of the answer", deadline, args["deadline"])
        stake = Stake(args["challenger"], moment.block, r.id, seat, height, index, args["deadline"])
        self._post(r, where, args, moment, stake)
        return []

    def answered(self, args: Args, moment: Moment) -> list[Expected]:
        """Whoever has the bytes may answer."""
        r, claim, parts = self._round(args), args["claim"], args["parts"]
        where = f"{self._miner(r, args['seat'])}, claim 0x{claim.hex()}"
        stake = self._task.stakes.get(claim)
        asked = stake is not None and stake.deadline is not None and stake.round_id == r.id
        if self._expect(where, "open question", True, asked):
            assert stake is not None and stake.deadline is not None and stake.height is not None
            self._expect(where, "answer in time", True, moment.second < stake.deadline)
            self._expect(where, "miner that is asked", stake.seat, args["seat"])
            length = answer_length(self._parameters, stake.height, stake.index)
            if self._expect(where, "bytes of the answer", length, len(parts)):
                self._check_nodes(r, where, stake.height, stake.index, parts, r.results[stake.seat][0])
            self._task.stakes[claim] = replace(stake, deadline=None)
        if clock_at(self._task, moment).disputable(r):
            r.last_dispute = moment.second
        return []

    def refuted(self, args: Args, moment: Moment) -> list[Expected]:
        """Whoever committed first gets the bounty in the end; other bonds that were behind a true claim come back."""
        task, r, seat, claim = self._task, self._round(args), args["seat"], args["claim"]
        where = self._miner(r, seat)
        coordinate = None if args["coordinate"] == WITHHELD else args["coordinate"]
        stake = task.stakes.pop(claim, None)
        if not self._expect(where, f"bond behind the claim 0x{claim.hex()}", True, stake is not None):
            return []
        assert stake is not None
        self._expect(where, "round of the claim", r.id, stake.round_id)
        self._expect(where, "miner against whom the bond was posted", stake.seat, seat)
        self._expect(where, "who posted the bond", stake.challenger, args["challenger"])
        if coordinate is None:
            self._disputable(r, args, moment)
            late = stake.deadline is not None and stake.deadline <= moment.second
            self._expect(where, "question without an answer, past its deadline", True, late)
        else:
            # A bond that was posted in time lets its claim be shown until the round is settled.
            self._expect(where, "kind of the claim that was shown", "challenge", _kind(stake))
            self._at_most(where, "coordinate", coordinate, LEAF_PARAMETERS * leaf_count(self._parameters) - 1)
        if seat not in r.refuted:
            r.last_dispute = moment.second  # a second proof of the same gives no time
        self._accuse(r, seat, Accusation(stake.challenger, stake.block))
        task.disputants[stake.challenger].refutations += 1
        r.refutations.append(Refutation(seat, stake.challenger, r.results[seat], coordinate))
        if r.fast is not None and r.fast.seat == seat:
            r.fast = None
            r.miners -= {seat}
            r.seals.pop(seat, None)
        return []

    def bond_returned(self, args: Args, moment: Moment) -> list[Expected]:
        task, seat, challenger = self._task, args["seat"], args["challenger"]
        where = f"round {args['round']}, miner {seat} ({task.miners[seat].account})"
        stake = task.stakes.pop(args["claim"], None)
        if self._expect(where, f"bond behind the claim 0x{args['claim'].hex()}", True, stake is not None):
            assert stake is not None
            found = (args["round"], seat, challenger)
            self._expect(where, "round, miner and owner", (stake.round_id, stake.seat, stake.challenger), found)
            self._expect(where, "round in which the result was refuted", task.miners[seat].proven_round, args["round"])
            task.return_bond(challenger)
        return []

    # ------------------------------------------------------------------ parts

    @property
    def _parameters(self) -> int:
        return int(self._task.terms["parameterCount"])

    def _disputable(self, r: RoundState, args: Args, moment: Moment) -> str:
        """The result is known and can still be refuted. Returns whose it is."""
        seat = args["seat"]
        where = self._miner(r, seat)
        fast = r.fast is not None and r.fast.seat == seat
        if r.fast is not None and fast:
            if r.fast.drawn is None:
                r.fast.drawn = False
            self._expect(where, "fast block of an earlier block", True, moment.block > r.fast.proposed.block)
        self._expect(where, "result that is known", True, seat in r.openings or fast)
        clock = clock_at(self._task, moment)
        if not clock.disputable(r):
            self._expect(where, f"phase at second {moment.second}", "one for disputes", clock.phase.name)
        return where

    def _post(self, r: RoundState, where: str, args: Args, moment: Moment, stake: Stake) -> None:
        self._expect(where, "earlier bond behind the claim", False, args["claim"] in self._task.stakes)
        self._task.post_bond(args["claim"], stake)
        r.claims += 1
        if r.fast is not None:
            r.fast.disputed = True
        r.last_dispute = moment.second

    def _accuse(self, r: RoundState, seat: int, newer: Accusation) -> None:
        older = r.refuted.get(seat)
        if older is None:
            r.refuted[seat] = newer
        elif newer.block < older.block:
            r.refuted[seat] = newer
            self._task.return_bond(older.challenger)
        else:
            self._task.return_bond(newer.challenger)

    def _check_nodes(self, r: RoundState, where: str, height: int, index: int, parts: bytes, root: bytes) -> None:
        """The node is the tree's top, or one that an earlier answer has shown: then it is known what it must be."""
        nodes = parts_to_nodes(height, parts)
        node = fold(nodes)
        if height == tree_height(self._parameters):
            self._expect(where, "root of the answered nodes", root, root_hash(self._parameters, node))
        elif (root, height, index) in r.nodes:
            self._expect(where, "node that the answer makes", r.nodes[root, height, index], node)
        below = max(0, height - STEP)
        first = index << (height - below)
        r.nodes |= {(root, below, first + i): one for i, one in enumerate(nodes)}


def _kind(stake: Stake) -> str:
    return "challenge" if stake.height is None else "question"
