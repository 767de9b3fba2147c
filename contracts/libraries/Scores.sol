// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Vectors of 16-bit scores, sixteen to a word from the low end
library Scores {
    /// @notice Words that hold the scores of `count` trainers.
    function words(uint256 count) internal pure returns (uint256) {
        return (count + 15) / 16;
    }

    /// @notice Score `index` of the word that holds it.
    function lane(uint256 word, uint256 index) internal pure returns (uint256) {
        return uint16(word >> (16 * (index % 16)));
    }

    /// @notice Whether a value is the lower median of `count` values of which `less` are below it and `atMost` are
    /// not above it: checking by counting is much cheaper than sorting.
    function isLowerMedian(uint256 less, uint256 atMost, uint256 count) internal pure returns (bool) {
        uint256 rank = (count - 1) / 2;
        return less <= rank && rank < atMost;
    }
}
