"""Leave one out: how many validation images more the round's model gets right with an update than without it."""

from __future__ import annotations

from collections.abc import Sequence

from bcfl_client.scoring.inputs import Contributions, ScoredRound

__all__ = ["leave_one_out"]

_SWING = 20  # one of so many images, gained or lost, moves the score from the middle to its end


def leave_one_out(played: ScoredRound, seats: Sequence[int]) -> Contributions:
    """Returns each input's gain, counted from the middle of the scale: an update that changes nothing scores half.

    Among similar trainers nobody is missed, and chance makes some gains negative; without the offset such rounds would
    pay by luck. A gain of a twentieth of the images is a full score, such a loss none. One input alone has it all.
    """
    together = played.counted(seats)
    swing = max(1, together.count // _SWING)
    if len(seats) == 1:
        return Contributions({seats[0]: 2 * swing}, full=2 * swing)
    gains = {
        seat: together.correct - played.counted([other for other in seats if other != seat]).correct for seat in seats
    }
    return Contributions({seat: swing + gain for seat, gain in gains.items()}, full=2 * swing, per_image=2)
