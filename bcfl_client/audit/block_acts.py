"""What miners did on the model chain: verdicts, seals, blocks, fast blocks, openings."""

from __future__ import annotations

from bcfl_client.audit.checks import Args, Checks
from bcfl_client.audit.phases import clock_at, is_drawn, seal_end
from bcfl_client.audit.state import Block, Expected, FastBlock, Moment, RoundState
from bcfl_client.audit.votes import current_inputs, true_result
from bcfl_client.chain.digests import (
    fast_header_digest,
    header_digest,
    seal_digest,
    seals_digest,
    target,
    work_digest,
)
from bcfl_client.types import Opening, Phase

__all__ = ["BlockActs"]


class BlockActs(Checks):
    """Methods take an event's arguments and when it happened, and return the events that must follow."""

    _proposal: Args | None = None  # whose opening comes in the same call

    # ------------------------------------------------------------------ check, seal

    def checked(self, args: Args, moment: Moment) -> list[Expected]:
        r, seat = self._round(args), args["seat"]
        self._require(self._acting_miner(r, seat), moment, Phase.CHECK)
        r.verdicts[seat] = args["verdicts"]
        if len(r.verdicts) < len(r.miners):
            return []
        r.check_closed = moment.second
        return [self._freeze(r)]

    def inputs_frozen(self, args: Args, moment: Moment) -> list[Expected]:
        """Comes by itself when the first seal, or a fast block, follows a Check that the clock closed."""
        r = self._round(args)
        where = f"round {r.id}"
        self._require(where, moment, Phase.SEAL)
        if self._expect(where, "inputs frozen before", False, r.frozen is not None):
            self._expect(where, "bitmap of the inputs", self._freeze(r).args["inputs"], args["inputs"])
        return []

    def sealed(self, args: Args, moment: Moment) -> list[Expected]:
        r, seat = self._round(args), args["seat"]
        where = self._acting_miner(r, seat)
        self._require(where, moment, Phase.SEAL)
        self._expect(where, "earlier seal", False, seat in r.seals)
        self._expect(where, "inputs frozen before the first seal", True, r.frozen is not None)
        self._expect(where, "fast block that stands in the way of seals", None, _fast_seat(r))
        r.seals[seat] = args["digest"]
        r.seals_digest = seals_digest(r.seals_digest, seat, args["digest"])
        if len(r.seals) == len(r.miners):
            r.seal_closed = moment.second
        return []

    # ------------------------------------------------------------------ fast blocks

    def fast_proposed(self, args: Args, moment: Moment) -> list[Expected]:
        task, r, seat = self._task, self._round(args), args["seat"]
        where, account = self._acting_miner(r, seat), task.miners[seat].account
        self._require(where, moment, Phase.SEAL)
        trusted = self._registry.trusts(account, len(task.miners), task.terms)
        self._expect(where, "trusted to propose without a vote", True, trusted)
        self._expect(where, "earlier fast block", False, r.window_from is not None)
        self._expect(where, "inputs frozen before the block", True, r.frozen is not None)
        self._expect(where, "parent of the block", task.head.block_hash, args["parent"])
        self._expect(where, "difficulty", task.difficulty, args["difficulty"])
        inputs = sum(1 << i for i in current_inputs(r, task.miners))
        block = Opening(args["root"], args["contentId"], args["accuracy"], (), bytes(32))
        header = fast_header_digest(self._place(r, account), task.head.block_hash, inputs, block, task.difficulty)
        self._check_work(where, header, args)
        r.results[seat] = (block.root, block.content_digest)
        drawn = is_drawn(self._hashes.get(moment.block))
        r.fast = FastBlock(seat, args["blockHash"], block.accuracy, moment, drawn)
        r.window_from = moment.second
        return []

    def fast_voted(self, args: Args, moment: Moment) -> list[Expected]:
        """Comes with the first seal after it, or with the first block."""
        r = self._round(args)
        where = self._miner(r, args["seat"])
        if self._expect(where, "fast block that gives way to a vote", args["seat"], _fast_seat(r)):
            assert r.fast is not None
            if r.fast.drawn is None:
                r.fast.drawn = True
            phase = clock_at(self._task, moment).phase
            self._expect(where, "phase of the vote", True, phase in (Phase.SEAL, Phase.MINE))
        r.fast = None
        return []

    # ------------------------------------------------------------------ mine, open

    def proposed(self, args: Args, moment: Moment) -> list[Expected]:
        """Of a first block the work is checked with the opening that comes in the same call."""
        r, seat = self._round(args), args["seat"]
        where = self._acting_miner(r, seat)
        clock = self._require(where, moment, Phase.MINE)
        attempt = r.attempt + 1 if clock.again else 0
        self._expect(where, "mining attempt", attempt, args["attempt"])
        self._expect(where, "parent of the block", self._task.head.block_hash, args["parent"])
        self._expect(where, "digest of the seals in the block", r.seals_digest, args["sealsDigest"])
        self._expect(where, "difficulty", self._task.difficulty, args["difficulty"])
        self._expect(where, "earlier block", False, seat in r.blocks)
        self._expect(where, "fast block that stands in the way of blocks", None, _fast_seat(r))
        if clock.again:
            self._mine_again(r, where, args, moment)
        else:
            self._mine(r, args, moment)
        r.blocks[seat] = Block(args["blockHash"], len(r.blocks) + 1, args["attempt"], moment)
        return []

    def _mine(self, r: RoundState, args: Args, moment: Moment) -> None:
        if r.first_block is None:
            # With the window's start the clock's end of Seal would be lost.
            r.seal_closed = seal_end(r, self._task.terms)
            r.first_block = moment.second
        r.window_from = moment.second
        if self._task.terms["forkWindow"] == 0 or len(r.blocks) + 1 == len(r.seals):
            r.mine_closed = moment.second
        self._proposal = args

    def _mine_again(self, r: RoundState, where: str, args: Args, moment: Moment) -> None:
        """The truth has no block: who opened it makes one of the same opening."""
        seat, (truth, _) = args["seat"], true_result(r)
        opening = r.openings.get(seat)
        if self._expect(where, "result that is mined again", truth, r.results.get(seat)) and opening is not None:
            self._check_block(r, where, opening, args)
        r.attempt = args["attempt"]
        r.window_from = moment.second
        if r.last_dispute == moment.second:
            r.last_dispute -= 1  # it was about an earlier block

    def opened(self, args: Args, moment: Moment) -> list[Expected]:
        r, seat, opening = self._round(args), args["seat"], _opening(args["opening"])
        where = self._acting_miner(r, seat)
        proposal, self._proposal = self._proposal, None
        if proposal is not None and proposal["seat"] == seat:
            self._check_block(r, where, opening, proposal)
        else:
            self._require(where, moment, Phase.OPEN)
        self._expect(where, "earlier opening", False, seat in r.openings)
        self._expect(where, "words of scores", (len(self._task.trainers) + 15) // 16, len(opening.scores))
        place = self._place(r, self._task.miners[seat].account)
        self._expect(where, "seal that the opening fits", r.seals.get(seat), seal_digest(place, opening))
        r.openings[seat] = opening
        r.results[seat] = (opening.root, opening.content_digest)
        if len(r.openings) == len(r.seals):
            r.open_closed = moment.second
        return []

    def _check_block(self, r: RoundState, where: str, opening: Opening, block: Args) -> None:
        task = self._task
        place = self._place(r, task.miners[block["seat"]].account, block["attempt"])
        header = header_digest(place, task.head.block_hash, r.seals_digest, opening, task.difficulty)
        self._check_work(where, header, block)

    def _check_work(self, where: str, header: bytes, block: Args) -> None:
        block_hash = work_digest(header, block["nonce"])
        self._expect(where, "block hash", block_hash, block["blockHash"])
        limit = target(self._task.difficulty)
        self._at_most(where, "block hash as a number", int.from_bytes(block_hash, "big"), limit)

    def _freeze(self, r: RoundState) -> Expected:
        r.frozen = current_inputs(r, self._task.miners)
        return Expected("InputsFrozen", {"round": r.id, "inputs": sum(1 << seat for seat in r.frozen)})


def _fast_seat(r: RoundState) -> int | None:
    return None if r.fast is None else r.fast.seat


def _opening(args: Args) -> Opening:
    return Opening(args["root"], args["contentId"], args["accuracy"], tuple(args["scores"]), args["salt"])
