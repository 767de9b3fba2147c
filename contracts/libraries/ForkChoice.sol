// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Which of a round's verified blocks becomes the head (paper, section IV-C)
/// @notice All candidates carry the truth, so they hold the same model: the rule decides who is paid, and no training
/// is lost. `bcfl_client/fork_choice.py` is the same rule for clients and simulation.
library ForkChoice {
    uint8 internal constant LONGEST = 0; // the earliest valid proposal, by the contract's counter
    uint8 internal constant REPUTATION = 1; // the miner with the highest reputation
    uint8 internal constant DISTANCE = 2; // the smallest distance to the truth: 0 for all here, so the lowest hash

    struct Candidate {
        uint8 seat;
        uint8 order; // of the proposal in its round, from 1
        uint16 reputation; // of 65,535
        bytes32 blockHash;
    }

    /// @notice Whether `a` comes before `b`. Ties go to the lower block hash; hashes of two blocks differ.
    function isBefore(uint8 rule, Candidate memory a, Candidate memory b) internal pure returns (bool) {
        if (rule == LONGEST) return a.order < b.order;
        if (rule == REPUTATION && a.reputation != b.reputation) return a.reputation > b.reputation;
        return a.blockHash < b.blockHash;
    }
}
