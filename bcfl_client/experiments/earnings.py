"""What the trainers of a simulated federation earn, by the contract's formula."""

from __future__ import annotations

from collections.abc import Sequence

from bcfl_client.experiments.federation import PlayedRound
from bcfl_client.scoring.medians import lower_median
from bcfl_client.scoring.pay import Claim, share_budget

__all__ = ["ROUND_BUDGET", "Earnings"]

ROUND_BUDGET = 10**17  # wei for the trainers of one round: as in a task of 1 ether with ten of them
_FLOOR_SHARE = 2  # half of it is prices, if all take part; the rest goes by samples and score


class Earnings:
    """Pay by seat in wei, round after round. All ask the same price per sample; `samples` are by seat."""

    def __init__(self, samples: Sequence[int]) -> None:
        self.samples = list(samples)
        self.paid = [0] * len(samples)
        self.denied_rounds = [0] * len(samples)
        self._price = ROUND_BUDGET // _FLOOR_SHARE // sum(samples)

    def add(self, played: PlayedRound) -> None:
        """Settles a round as `Settlement._settleTrainers`: what is denied is burnt at the round's median score."""
        middle = lower_median(list(played.scores.values())) if played.scores else 0
        claims = {}
        for seat in played.uploads:
            denied = seat not in played.paid
            counts = middle if denied else played.scores[seat]
            claims[seat] = Claim(self._price * self.samples[seat], self.samples[seat] * counts, denied)
        for seat, amount in share_budget(ROUND_BUDGET, claims).items():
            if claims[seat].denied:
                self.denied_rounds[seat] += 1
            else:
                self.paid[seat] += amount

    def per_sample(self, seats: Sequence[int]) -> float:
        """Mean pay of `seats` for each of their samples, in wei."""
        return sum(self.paid[seat] for seat in seats) / sum(self.samples[seat] for seat in seats)
