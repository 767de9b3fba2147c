// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILearningTask} from "../interfaces/ILearningTask.sol";
import {
    Bid,
    Head,
    Miner,
    Phase,
    Question,
    Role,
    Round,
    Stage,
    Stake,
    Status,
    Terms,
    Trainer,
    TrainerSeat,
    Update
} from "../interfaces/TaskTypes.sol";
import {Digests} from "../libraries/Digests.sol";
import {PhaseRules} from "../libraries/PhaseRules.sol";
import {STANDING_WORDS, Standings} from "../libraries/Standings.sol";
import {TaskBase} from "./TaskBase.sol";

/// @title What anybody may look up
abstract contract TaskViews is TaskBase, ILearningTask {
    using Standings for uint256[STANDING_WORDS];

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
    function phase() external view returns (Phase) {
        return _clock(_terms()).phase;
    }

    /// @inheritdoc ILearningTask
    function inputs() external view returns (uint128) {
        return _currentInputs(_loadRound());
    }

    /// @inheritdoc ILearningTask
    function status() external view returns (Status memory s) {
        s.state = _state;
        PhaseRules.Clock memory c = _clock(_terms());
        s.phase = c.phase;
        s.deadline = uint64(c.deadline);
        s.attempt = c.again ? _round.attempt + 1 : _round.attempt;
        s.roundsLeft = _roundsLeft;
        s.voidRounds = _voidRounds;
        s.difficulty = _difficulty;
        s.sealsDigest = _sealsDigest;
        s.round = _loadRound();
        s.head = _head;
    }

    /// @inheritdoc ILearningTask
    function trainerCount() external view returns (uint256) {
        return _trainerCount;
    }

    /// @inheritdoc ILearningTask
    function minerCount() external view returns (uint256) {
        return _minerCount;
    }

    /// @inheritdoc ILearningTask
    function trainer(uint8 seat) external view returns (Trainer memory tr) {
        TrainerSeat memory who = _trainers[seat];
        Update memory u = _updates[who.account];
        (tr.account, tr.strikes, tr.paidRounds, tr.price) = (who.account, who.strikes, who.paidRounds, who.price);
        (tr.earned, tr.deposit) = (who.earned, who.deposit);
        (tr.cap, tr.quality) = _standings.read(seat);
        (tr.round, tr.samples, tr.digest) = (u.round == STRUCK ? 0 : u.round, u.samples, u.digest);
        if (tr.round != 0) tr.stage = u.samples == 0 ? Stage.Committed : Stage.Revealed;
    }

    /// @inheritdoc ILearningTask
    function miner(uint8 seat) external view returns (Miner memory) {
        return _miners[seat];
    }

    /// @inheritdoc ILearningTask
    function bidOf(Role role, address account) external view returns (Bid memory) {
        Bid memory bid = _bids[uint256(role)][account];
        if (role == Role.Trainer) bid.seat = _updates[account].seat;
        return bid;
    }

    /// @inheritdoc ILearningTask
    function stakeOf(bytes32 claim) external view returns (Stake memory) {
        for (uint8 m; m < _minerCount; ++m) {
            Miner storage mi = _miners[m];
            if (mi.accuser == address(0) || mi.verdicts == 0 || bytes32(mi.verdicts) != claim) continue;
            return Stake(mi.accuser, mi.accusedAt, _round.id, m, 0);
        }
        return _stakes[claim];
    }

    /// @inheritdoc ILearningTask
    function questionOf(bytes32 claim) external view returns (Question memory) {
        return _questions[claim];
    }

    /// @inheritdoc ILearningTask
    function domainSeparator() external view returns (bytes32) {
        return Digests.domain();
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
