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

    /// @dev By hand, as the loop below it: with 128 bidders each runs 8,000 times.
    function _insert(uint256[] memory ascending, uint256 count, uint256 value) private pure returns (uint256 at) {
        assembly ("memory-safe") {
            let first := add(ascending, 32)
            let place := add(first, shl(5, count))
            for {} gt(place, first) {} {
                let below := mload(sub(place, 32))
                if iszero(gt(below, value)) { break }
                mstore(place, below)
                place := sub(place, 32)
            }
            mstore(place, value)
            at := shr(5, sub(place, first))
        }
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
        assembly ("memory-safe") {
            let end := add(add(ascending, 32), shl(5, count))
            for { let place := add(ascending, 32) } lt(place, end) { place := add(place, 32) } {
                let one := mload(place)
                let counted := shr(PRICE_BITS, one)
                if gt(counted, cap) { counted := cap }
                samples := add(samples, counted)
                cost := add(cost, mul(and(one, 0xffffffffffffffffffffffff), counted))
            }
        }
        return cost <= budget && samples <= MAX_TOTAL_SAMPLES;
    }
}
