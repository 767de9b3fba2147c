// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice Lower medians by sorting, to hold against the contracts' counting.
library Medians {
    /// @notice The lower median of the first `count` values; 0 of none. Sorts in place.
    function lower(uint256[] memory values, uint256 count) internal pure returns (uint256) {
        for (uint256 i = 1; i < count; ++i) {
            uint256 value = values[i];
            uint256 at = i;
            for (; at > 0 && values[at - 1] > value; --at) values[at] = values[at - 1];
            values[at] = value;
        }
        return count == 0 ? 0 : values[(count - 1) / 2];
    }

    /// @notice Score of trainer seat `i` among packed words, sixteen to a word from the low end.
    function lane(uint256[] memory words, uint256 i) internal pure returns (uint256) {
        return words[i / 16] >> (16 * (i % 16)) & 0xffff;
    }

    /// @notice Writes the score of trainer seat `i`.
    function setLane(uint256[] memory words, uint256 i, uint256 value) internal pure {
        uint256 shift = 16 * (i % 16);
        words[i / 16] = words[i / 16] & ~(uint256(0xffff) << shift) | value << shift;
    }
}
