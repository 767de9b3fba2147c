// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";

import {ILearningTask} from "./interfaces/ILearningTask.sol";
import {Bidding} from "./task/Bidding.sol";
import {ModelChain} from "./task/ModelChain.sol";
import {Payout} from "./task/Payout.sol";
import {TaskViews} from "./task/TaskViews.sol";
import {Updates} from "./task/Updates.sol";

/// @title One federated learning task
/// @notice Read the parts in the order of a task's life: `Bidding` (escrow, bids), `Selecting` (seats), `Updates`
/// (commit, reveal), `ModelChain` (check, seal, mine, open), `Settlement` (finalise), `Closing` (penalties, end),
/// `Payout` (withdraw). `TaskBase` holds what they share: storage, terms, phase. Every task is a minimal proxy of
/// this code with an address and an escrow of its own; its terms are part of the proxy's code.
contract LearningTask is Bidding, Updates, ModelChain, Payout, TaskViews {
    /// @inheritdoc ILearningTask
    address public immutable transitions;

    constructor(address transitions_) {
        transitions = transitions_;
    }

    /// @inheritdoc ILearningTask
    function select() external {
        _run();
    }

    /// @inheritdoc ILearningTask
    function cancel() external {
        _run();
    }

    /// @inheritdoc ILearningTask
    function finalise(uint256[] calldata, uint16) external {
        _run();
    }

    /// @dev The same call, run by `transitions` on this task's storage.
    function _run() private {
        Address.functionDelegateCall(transitions, msg.data);
    }
}
