// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILearningTask} from "../interfaces/ILearningTask.sol";
import {Bid, Miner, Role, State, TrainerSeat} from "../interfaces/TaskTypes.sol";
import {TaskBase} from "./TaskBase.sol";

/// @title Where money rests and how it leaves
/// @notice Paid in = paid out + burnt + left, at every moment. The contract never reads its balance, so ether
/// forced upon it changes nothing.
abstract contract Payout is TaskBase, ILearningTask {
    /// @inheritdoc ILearningTask
    function withdraw(address account) external returns (uint256 amount) {
        bool atStake;
        (amount, atStake) = _available(account);
        if (amount == 0) {
            if (atStake) revert LearningTask_NotFinal(account);
            revert LearningTask_NothingOwed(account);
        }
        bool closed = _closed();
        _owed[account] = 0;
        uint8 seat = _updates[account].seat;
        if (seat != 0) {
            _trainers[seat - 1].earned = 0;
            if (closed) _trainers[seat - 1].deposit = 0;
        }
        seat = _bids[uint256(Role.Miner)][account].seat;
        if (seat != 0) {
            _miners[seat - 1].earned = 0;
            if (closed) _miners[seat - 1].deposit = 0;
        }
        emit Withdrawn(account, amount);
        // All state is written: whatever the receiver does, it can only spoil its own claim.
        (bool sent,) = account.call{value: amount}("");
        if (!sent) revert LearningTask_TransferFailed(account);
    }

    /// @inheritdoc ILearningTask
    function withdrawable(address account) external view returns (uint256 amount) {
        (amount,) = _available(account);
    }

    function _available(address account) private view returns (uint256 amount, bool atStake) {
        bool closed = _closed();
        amount = _owed[account];
        uint8 seat = _updates[account].seat;
        if (seat != 0) {
            TrainerSeat storage tr = _trainers[seat - 1];
            amount += tr.earned;
            if (closed) amount += tr.deposit;
        }
        atStake = !closed && _bids[uint256(Role.Trainer)][account].deposit != 0;
        Bid storage bid = _bids[uint256(Role.Miner)][account];
        if (bid.seat != 0) {
            Miner storage mi = _miners[bid.seat - 1];
            amount += mi.earned;
            if (closed) amount += mi.deposit;
        }
        atStake = atStake || (!closed && bid.deposit != 0);
    }

    function _closed() private view returns (bool) {
        return _state == State.Completed || _state == State.Aborted;
    }
}
