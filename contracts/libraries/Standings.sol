// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

uint256 constant STANDING_WORDS = 26; // for 128 trainers

/// @title What gives a trainer's samples their weight, five trainers to a word
/// @notice A lane holds the cap in samples (32 bits) above the quality (16 bits): a fraud proof of a hundred updates
/// reads twenty words instead of a hundred (`Disputes`). An input's weight is its counted samples, scaled by the
/// quality, at least 1.
library Standings {
    uint256 private constant PER_WORD = 5;
    uint256 private constant LANE = 48;

    /// @notice Cap and quality of trainer `seat`.
    function read(uint256[STANDING_WORDS] storage words, uint256 seat) internal view returns (uint32 cap, uint16 quality) {
        uint256 lane = words[seat / PER_WORD] >> (LANE * (seat % PER_WORD));
        return (uint32(lane >> 16), uint16(lane));
    }

    /// @notice Sets cap and quality of trainer `seat`.
    function write(uint256[STANDING_WORDS] storage words, uint256 seat, uint32 cap, uint16 quality) internal {
        uint256 shift = LANE * (seat % PER_WORD);
        uint256 word = words[seat / PER_WORD] & ~(((uint256(1) << LANE) - 1) << shift);
        words[seat / PER_WORD] = word | (uint256(cap) << 16 | quality) << shift;
    }
}
