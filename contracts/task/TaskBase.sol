// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";

import {IReputation} from "../interfaces/IReputation.sol";
import {ITaskEvents} from "../interfaces/ITaskEvents.sol";
import {
    Bid,
    Head,
    Miner,
    Phase,
    Role,
    Round,
    Stage,
    State,
    Terms,
    Trainer
} from "../interfaces/TaskTypes.sol";
import {PhaseRules} from "../libraries/PhaseRules.sol";

/// @title Storage, terms and phase of a task, shared by its parts
abstract contract TaskBase is ITaskEvents {
    State internal _state;
    uint16 internal _roundsLeft;
    uint8 internal _voidRounds;
    bool internal _lastReachedTarget;
    uint32 internal _biddingEnd; // Unix seconds
    uint32 internal _arrivals; // bids taken so far
    uint80 internal _highestFee; // of the selected miners, wei per block
    uint256 internal _difficulty;
    uint256 internal _pool;
    uint256 internal _burnt;

    Head internal _head;
    Round internal _round;
    Trainer[] internal _trainers;
    Miner[] internal _miners;

    uint256[][2] internal _heaps; // by role
    mapping(address account => Bid)[2] internal _bids; // by role
    mapping(address account => uint256) internal _owed; // refunds, and what returns to the publisher

    // ------------------------------------------------------------------ terms

    /// @dev The proxy's code ends with `abi.encode(terms, publisher, factory, reputation)`. Terms are static value
    /// types only, so their ABI encoding is their memory layout and a pointer is enough; `publish` checked them.
    function _terms() internal view returns (Terms memory t) {
        bytes memory args = Clones.fetchCloneArgs(address(this));
        assembly ("memory-safe") {
            t := add(args, 0x20)
        }
    }

    function _publisher() internal view returns (address) {
        return _argument(3);
    }

    function _factory() internal view returns (address) {
        return _argument(2);
    }

    function _reputation() internal view returns (IReputation) {
        return IReputation(_argument(1));
    }

    /// @dev The word of the proxy's arguments that stands `fromEnd` words before their end.
    function _argument(uint256 fromEnd) private view returns (address account) {
        bytes memory args = Clones.fetchCloneArgs(address(this));
        assembly ("memory-safe") {
            account := mload(add(add(args, 0x20), sub(mload(args), mul(0x20, fromEnd))))
        }
    }

    // ------------------------------------------------------------------ phase

    function _phase(Terms memory t) internal view returns (Phase current, uint256 deadline) {
        if (_state == State.Bidding) {
            bool full = t.closeWhenFull && _heaps[0].length == t.trainerSlots && _heaps[1].length == t.minerSlots;
            if (!full && block.timestamp < _biddingEnd) return (Phase.Bidding, _biddingEnd);
            return (Phase.Select, 0);
        }
        if (_state != State.Running) return (Phase.Closed, 0);

        Round memory r = _loadRound();
        uint256 inputCount = r.frozen ? r.inputCount : type(uint256).max;
        (current, deadline) = PhaseRules.current(r, t, inputCount, block.timestamp);
        // Votes that are not frozen decide only whether Seal opens; counting them costs too much to do it earlier.
        if (current == Phase.Seal && !r.frozen && _count(_inputs()) < t.minUpdates) return (Phase.Finalise, 0);
        if (current == Phase.Challenge) {
            (bytes32 truth, uint256 votes) = _truth();
            if (truth == 0 || _winner(truth) == type(uint256).max) return (Phase.Finalise, 0);
            bool unanimous = votes == _count(r.activeMiners);
            deadline = uint256(r.firstProposal) + (unanimous ? t.minWindow : t.challengeWindow);
            if (block.timestamp >= deadline) return (Phase.Finalise, 0);
        }
    }

    function _require(Phase required) internal view returns (Terms memory t) {
        t = _terms();
        (Phase actual,) = _phase(t);
        if (actual != required) revert LearningTask_WrongPhase(actual, required);
    }

    // ------------------------------------------------------------------ rounds

    /// @dev One place for the unpacking, which is much code.
    function _loadRound() internal view returns (Round memory) {
        return _round;
    }

    function _startRound() internal {
        Round memory next;
        next.id = _round.id + 1;
        next.start = uint32(block.timestamp);
        uint256 limit = _terms().maxStrikes;
        for (uint256 i; i < _trainers.length; ++i) {
            if (_trainers[i].strikes < limit) ++next.activeTrainers;
        }
        for (uint256 m; m < _miners.length; ++m) {
            if (_miners[m].strikes < limit) next.activeMiners |= uint16(1 << m);
        }
        _round = next;
        emit RoundStarted(next.id, _head.blockHash, _difficulty, next.activeTrainers, next.activeMiners);
    }

    // ------------------------------------------------------------------ refunds

    /// @dev A bid that is not, or no longer, in: its deposit is owed back.
    function _refund(Role role, address account) internal returns (uint256 deposit) {
        deposit = _bids[uint256(role)][account].deposit;
        delete _bids[uint256(role)][account];
        _owed[account] += deposit;
    }

    // ------------------------------------------------------------------ votes

    /// @dev Bitmap by trainer seat of the updates that are, or would now be, the round's inputs.
    function _currentInputs() internal view returns (uint128) {
        return _round.frozen ? _round.inputs : _inputs();
    }

    /// @dev Revealed in this round and not rejected by a strict majority of the round's miners. A miner that is
    /// also a trainer has no say on its own update.
    function _inputs() internal view returns (uint128 kept) {
        Round memory r = _loadRound();
        uint256[] memory rejections = new uint256[](_trainers.length);
        for (uint256 m; m < _miners.length; ++m) {
            if (r.checkers >> m & 1 == 0) continue;
            uint256 own = _miners[m].trainerSeat;
            uint256 verdicts = _miners[m].verdicts;
            for (uint256 i; verdicts != 0; ++i) {
                if (verdicts & 2 != 0 && i < rejections.length && i + 1 != own) ++rejections[i];
                verdicts >>= 2;
            }
        }
        uint256 quorum = _count(r.activeMiners) / 2 + 1;
        for (uint256 i; i < rejections.length; ++i) {
            Trainer storage tr = _trainers[i];
            bool revealed = tr.round == r.id && tr.stage == Stage.Revealed;
            if (revealed && rejections[i] < quorum) kept |= uint128(1) << uint128(i);
        }
    }

    /// @dev The result opened by a strict majority of the round's miners, or zero, and its votes.
    function _truth() internal view returns (bytes32 truth, uint256 votes) {
        uint256 openers = _round.openers;
        uint256 n = _miners.length;
        bytes32[] memory results = new bytes32[](n);
        for (uint256 m; m < n; ++m) {
            if (openers >> m & 1 != 0) results[m] = _miners[m].result;
        }
        uint256 quorum = _count(_round.activeMiners) / 2 + 1;
        for (uint256 m; m < n; ++m) {
            if (results[m] == 0) continue;
            votes = 0;
            for (uint256 k; k < n; ++k) {
                if (results[k] == results[m]) ++votes;
            }
            if (votes >= quorum) return (results[m], votes);
        }
        return (0, 0);
    }

    /// @dev Fork choice among the round's blocks that carry the truth: the earliest valid proposal. All ones if none.
    function _winner(bytes32 truth) internal view returns (uint256 seat) {
        seat = type(uint256).max;
        uint256 proposers = _round.proposers;
        uint256 earliest = type(uint256).max;
        for (uint256 m; m < _miners.length; ++m) {
            if (proposers >> m & 1 == 0 || _miners[m].result != truth) continue;
            if (_miners[m].order < earliest) (seat, earliest) = (m, _miners[m].order);
        }
    }

    /// @dev Ones in a bitmap.
    function _count(uint256 bitmap) internal pure returns (uint256 ones) {
        for (; bitmap != 0; bitmap &= bitmap - 1) ++ones;
    }
}
