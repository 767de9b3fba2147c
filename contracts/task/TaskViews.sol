// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILearningTask} from "../interfaces/ILearningTask.sol";
import {Bid, Head, Miner, Phase, Role, Status, Terms, Trainer} from "../interfaces/TaskTypes.sol";
import {TaskBase} from "./TaskBase.sol";

/// @title What anybody may look up
abstract contract TaskViews is TaskBase, ILearningTask {
    /// @inheritdoc ILearningTask
    function factory() external view returns (address) {
        return _factory();
    }

    /// @inheritdoc ILearningTask
    function reputation() external view returns (address) {
        return address(_reputation());
    }

    /// @inheritdoc ILearningTask
    function publisher() external view returns (address) {
        return _publisher();
    }

    /// @inheritdoc ILearningTask
    function terms() external view returns (Terms memory) {
        return _terms();
    }

    /// @inheritdoc ILearningTask
    function phase() external view returns (Phase current) {
        (current,) = _phase(_terms());
    }

    /// @inheritdoc ILearningTask
    function inputs() external view returns (uint128) {
        return _currentInputs();
    }

    /// @inheritdoc ILearningTask
    function status() external view returns (Status memory s) {
        s.state = _state;
        (Phase current, uint256 deadline) = _phase(_terms());
        s.phase = current;
        s.deadline = uint64(deadline);
        s.roundsLeft = _roundsLeft;
        s.voidRounds = _voidRounds;
        s.difficulty = _difficulty;
        s.round = _loadRound();
        s.head = _head;
    }

    /// @inheritdoc ILearningTask
    function trainerCount() external view returns (uint256) {
        return _trainers.length;
    }

    /// @inheritdoc ILearningTask
    function minerCount() external view returns (uint256) {
        return _miners.length;
    }

    /// @inheritdoc ILearningTask
    function trainer(uint8 seat) external view returns (Trainer memory) {
        return _trainers[seat];
    }

    /// @inheritdoc ILearningTask
    function miner(uint8 seat) external view returns (Miner memory) {
        return _miners[seat];
    }

    /// @inheritdoc ILearningTask
    function bidOf(Role role, address account) external view returns (Bid memory) {
        return _bids[uint256(role)][account];
    }

    /// @inheritdoc ILearningTask
    function bidCount(Role role) external view returns (uint256) {
        return _heaps[uint256(role)].length;
    }

    /// @inheritdoc ILearningTask
    function head() external view returns (Head memory) {
        return _head;
    }

    /// @inheritdoc ILearningTask
    function pool() external view returns (uint256) {
        return _pool;
    }

    /// @inheritdoc ILearningTask
    function burnt() external view returns (uint256) {
        return _burnt;
    }
}
