// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Difficulty of the model chain's blocks
library ProofOfWork {
    uint256 internal constant MIN_DIFFICULTY = 1;
    uint256 internal constant MAX_DIFFICULTY = 2 ** 64;

    /// @notice Largest block hash that meets `difficulty`, the expected number of hashes per block.
    function target(uint256 difficulty) internal pure returns (uint256) {
        return type(uint256).max / difficulty;
    }

    /// @notice Difficulty after a block that took `actual` seconds where `wanted` were asked; 0 wanted = fixed.
    /// Changes by a factor of 4 at most and stays within the bounds.
    function retarget(uint256 difficulty, uint256 actual, uint256 wanted) internal pure returns (uint256) {
        if (wanted == 0) return difficulty;
        uint256 next = difficulty * wanted / (actual == 0 ? 1 : actual);
        if (next > difficulty * 4) next = difficulty * 4;
        if (next < difficulty / 4) next = difficulty / 4;
        if (next < MIN_DIFFICULTY) return MIN_DIFFICULTY;
        return next > MAX_DIFFICULTY ? MAX_DIFFICULTY : next;
    }
}
