// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Who of the ranked bidders takes part (paper, section III-B, function 2)
library Selection {
    uint256 internal constant CAP_MEDIANS = 3; // samples count up to three times the selected bids' median
    uint256 private constant PRICE_BITS = 96;
    uint256 internal constant MAX_TOTAL_SAMPLES = 2 ** 31 - 1; // keeps weighted sums within a signed 64-bit integer

    /// @notice Walks `prices` (wei per sample and round) and `offers` (samples) by rank and skips whom `budget` (wei
    /// per round) cannot cover together with those taken before.
    /// @return taken who is selected
    /// @return cap samples that count at most: three times the lower median of the selected offers
    function choose(
        uint256[] memory prices,
        uint256[] memory offers,
        uint256 budget
    ) internal pure returns (bool[] memory taken, uint256 cap) {
        uint256 n = offers.length;
        taken = new bool[](n);
        uint256[] memory ascending = new uint256[](n); // of those taken: offer, then price in the low bits
        uint256 count;
        for (uint256 i; i < n; ++i) {
            uint256 at = _insert(ascending, count, offers[i] << PRICE_BITS | prices[i]);
            uint256 wouldBe = CAP_MEDIANS * (ascending[count / 2] >> PRICE_BITS);
            if (_affordable(ascending, ++count, wouldBe, budget)) {
                (taken[i], cap) = (true, wouldBe);
            } else {
                --count;
                for (; at < count; ++at) ascending[at] = ascending[at + 1];
            }
        }
    }

    function _insert(uint256[] memory ascending, uint256 count, uint256 value) private pure returns (uint256 at) {
        at = count;
        // Safe: `at` is positive where one is taken from it.
        unchecked {
            for (; at > 0; --at) {
                uint256 below = ascending[at - 1];
                if (below <= value) break;
                ascending[at] = below;
            }
        }
        ascending[at] = value;
    }

    function _affordable(
        uint256[] memory ascending,
        uint256 count,
        uint256 cap,
        uint256 budget
    ) private pure returns (bool) {
        uint256 cost;
        uint256 samples;
        // No overflow: 128 terms of at most 32 and 96 bits.
        unchecked {
            for (uint256 i; i < count; ++i) {
                uint256 counted = ascending[i] >> PRICE_BITS;
                if (counted > cap) counted = cap;
                samples += counted;
                cost += uint96(ascending[i]) * counted;
            }
        }
        return cost <= budget && samples <= MAX_TOTAL_SAMPLES;
    }
}
