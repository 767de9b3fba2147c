// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILearningTask} from "./interfaces/ILearningTask.sol";
import {Opening} from "./interfaces/TaskTypes.sol";
import {Delegation} from "./libraries/Delegation.sol";
import {Payout} from "./task/Payout.sol";
import {TaskViews} from "./task/TaskViews.sol";
import {Updates} from "./task/Updates.sol";

/// @title One federated learning task
/// @notice Read the parts in the order of a task's life: `Bidding` (escrow, bids), `Selecting` (seats), `Updates`
/// (commit, reveal), `ModelChain` (check, seal, mine, open), `Disputes` (fraud proofs), `Settlement` (finalise),
/// `Closing` (penalties, end), `Payout` (withdraw). `TaskBase` holds what they share: storage, terms, phase. Every
/// task is a `TaskProxy` to this code with an address, an escrow and terms of its own. Three further pieces of code run
/// on the same storage, so that each stays below 24 KB.
contract LearningTask is Updates, Payout, TaskViews {
    /// @inheritdoc ILearningTask
    address public immutable bidding;
    /// @inheritdoc ILearningTask
    address public immutable blocks;
    /// @inheritdoc ILearningTask
    address public immutable settlement;

    constructor(address bidding_, address blocks_, address settlement_) {
        (bidding, blocks, settlement) = (bidding_, blocks_, settlement_);
    }

    // ------------------------------------------------------------------ bidding

    /// @inheritdoc ILearningTask
    function initialise() external payable {
        Delegation.end(bidding);
    }

    /// @inheritdoc ILearningTask
    function bidAsTrainer(uint32, uint64, uint32) external payable {
        Delegation.end(bidding);
    }

    /// @inheritdoc ILearningTask
    function bidAsMiner(uint80) external payable {
        Delegation.end(bidding);
    }

    /// @inheritdoc ILearningTask
    function select() external {
        Delegation.end(bidding);
    }

    /// @inheritdoc ILearningTask
    function cancel() external {
        Delegation.end(bidding);
    }

    // ------------------------------------------------------------------ blocks and disputes

    /// @inheritdoc ILearningTask
    function check(uint8, uint256) external {
        Delegation.end(blocks);
    }

    /// @inheritdoc ILearningTask
    function seal(uint8, bytes32) external {
        Delegation.end(blocks);
    }

    /// @inheritdoc ILearningTask
    function proposeFast(uint8, Opening calldata, uint256) external {
        Delegation.end(blocks);
    }

    /// @inheritdoc ILearningTask
    function propose(uint8, Opening calldata, uint256) external {
        Delegation.end(blocks);
    }

    /// @inheritdoc ILearningTask
    function open(uint8, Opening calldata, uint256[] calldata, uint16) external {
        Delegation.end(blocks);
    }

    /// @inheritdoc ILearningTask
    function commitChallenge(uint8, bytes32) external payable {
        Delegation.end(blocks);
    }

    /// @inheritdoc ILearningTask
    function challenge(uint8, uint256, bytes32, bytes32, bytes calldata) external {
        Delegation.end(blocks);
    }

    /// @inheritdoc ILearningTask
    function reclaim(bytes32) external {
        Delegation.end(blocks);
    }

    /// @inheritdoc ILearningTask
    function question(uint8, bytes32, bytes32, uint8, uint32, bytes32, bytes32[] calldata) external payable {
        Delegation.end(blocks);
    }

    /// @inheritdoc ILearningTask
    function answer(bytes32, bytes calldata) external {
        Delegation.end(blocks);
    }

    /// @inheritdoc ILearningTask
    function expire(bytes32) external {
        Delegation.end(blocks);
    }

    // ------------------------------------------------------------------ settlement

    /// @inheritdoc ILearningTask
    function finalise(uint256[] calldata, uint16) external {
        Delegation.end(settlement);
    }
}
