// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IReputation} from "../interfaces/IReputation.sol";
import {ITaskEvents} from "../interfaces/ITaskEvents.sol";
import {
    Bid,
    Head,
    Miner,
    Phase,
    Question,
    Role,
    Round,
    Stake,
    State,
    Terms,
    TrainerSeat,
    Update
} from "../interfaces/TaskTypes.sol";
import {PhaseRules} from "../libraries/PhaseRules.sol";
import {STANDING_WORDS} from "../libraries/Standings.sol";

/// @title Storage, terms and phase of a task, shared by its parts
abstract contract TaskBase is ITaskEvents {
    uint256 internal constant ARGS = 1856; // bytes at the end of the task's code: 53 terms and five addresses, 32 each
    uint256 private constant TERMS = 1696; // bytes of the terms
    uint256 private constant RECIPE = 1600; // bytes from the parameter count on: `ARGS` - 32 x its position in `Terms`
    uint16 internal constant STRUCK = type(uint16).max; // round of a trainer that is out; no round has this number
    uint8 internal constant MAJORITY = 1; // accord: a block carries what a strict majority of the active miners opened
    uint8 internal constant UNANIMOUS = 2; // accord: a block carries what all of them opened
    uint256 internal constant FAST_VOTES = 8; // one fast block in so many is voted on

    State internal _state;
    uint16 internal _roundsLeft;
    uint8 internal _voidRounds;
    bool internal _lastReachedTarget;
    uint32 internal _biddingEnd; // Unix seconds
    uint32 internal _arrivals; // bids taken so far
    uint80 internal _highestFee; // of the selected miners, wei per block
    uint8 internal _trainerCount;
    uint8 internal _minerCount;
    uint256 internal _difficulty;
    uint256 internal _pool;
    uint256 internal _burnt;

    Head internal _head;
    Round internal _round;
    bytes32 internal _sealsDigest; // running digest over the round's seals
    mapping(uint256 seat => TrainerSeat) internal _trainers;
    mapping(uint256 seat => Miner) internal _miners;
    mapping(address trainer => Update) internal _updates;
    uint256[STANDING_WORDS] internal _standings; // cap and quality by trainer seat
    mapping(bytes32 claim => Stake) internal _stakes;
    mapping(bytes32 claim => Question) internal _questions;

    uint256[][2] internal _heaps; // by role
    mapping(address account => Bid)[2] internal _bids; // by role
    mapping(address account => uint256) internal _owed; // refunds, and what returns to the publisher

    // ------------------------------------------------------------------ terms

    /// @dev The task's code ends with `abi.encode(terms, publisher, factory, reputation, implementation, blocks)`.
    /// Terms are static value types only, so their ABI encoding is their memory layout; `publish` checked them.
    function _terms() internal view returns (Terms memory t) {
        assembly ("memory-safe") {
            extcodecopy(address(), t, sub(extcodesize(address()), ARGS), TERMS)
        }
    }

    /// @dev Parameter count, aggregation rule and trim share: all that a proof needs of the terms.
    function _recipe() internal view returns (uint256 parameterCount, uint256 rule, uint256 trimShare) {
        assembly ("memory-safe") {
            let words := mload(0x40)
            extcodecopy(address(), words, sub(extcodesize(address()), RECIPE), 96)
            parameterCount := mload(words)
            rule := mload(add(words, 32))
            trimShare := mload(add(words, 64))
        }
    }

    function _publisher() internal view returns (address) {
        return _argument(5);
    }

    function _factory() internal view returns (address) {
        return _argument(4);
    }

    function _reputation() internal view returns (IReputation) {
        return IReputation(_argument(3));
    }

    /// @dev The word that stands `fromEnd` words before the end of the task's code.
    function _argument(uint256 fromEnd) private view returns (address account) {
        assembly ("memory-safe") {
            extcodecopy(address(), 0, sub(extcodesize(address()), shl(5, fromEnd)), 32)
            account := mload(0)
        }
    }

    // ------------------------------------------------------------------ phase

    function _clock(Terms memory t) internal view returns (PhaseRules.Clock memory c) {
        if (_state == State.Bidding) {
            bool full = t.closeWhenFull && _heaps[0].length == t.trainerSlots && _heaps[1].length == t.minerSlots;
            if (!full && block.timestamp < _biddingEnd) return PhaseRules.Clock(Phase.Bidding, _biddingEnd, false);
            return PhaseRules.Clock(Phase.Select, 0, false);
        }
        if (_state != State.Running) return c;
        return _clock(t, _loadRound());
    }

    function _clock(Terms memory t, Round memory r) internal view returns (PhaseRules.Clock memory c) {
        c = PhaseRules.early(r, t, block.timestamp);
        if (c.phase != Phase.Check || (r.checkClosed == 0 && block.timestamp < c.deadline)) return c;
        return PhaseRules.late(r, t, _facts(r), c.deadline, block.timestamp);
    }

    /// @dev What the phase depends on besides marks and clock, as far as it can matter by now.
    function _facts(Round memory r) private view returns (PhaseRules.Facts memory f) {
        f.inputCount = r.inputCount != 0 ? r.inputCount : _count(_inputs(r));
        (f.fastStands, f.fastKnown) = _fast(r);
        if (r.firstProposal == 0) return f;
        if (r.accord != 0 && r.refuted == 0) {
            // For disputes: reading every result again would cost a tenth of a bond's posting.
            (f.hasTruth, f.hasBlock, f.unanimous) = (true, true, r.accord == UNANIMOUS);
            return f;
        }
        (bytes32 truth, uint256 votes) = _truth(r);
        f.hasTruth = truth != 0;
        f.unanimous = votes == _count(r.activeMiners);
        f.hasBlock = truth != 0 && _among(r.proposers, truth) != 0;
    }

    /// @dev Whether a fast block stands, and whether it is known not to be drawn. One block in eight is: the hash of
    /// the chain's block that holds it decides, which nobody knows when it is proposed. Too late to look up: drawn.
    function _fast(Round memory r) internal view returns (bool stands, bool known) {
        if (r.fast == 0) return (false, false);
        if (r.fastBlock == 0) return (true, true);
        if (block.number <= r.fastBlock) return (true, false);
        bytes32 draw = blockhash(r.fastBlock);
        stands = draw != 0 && uint256(draw) % FAST_VOTES != 0;
        return (stands, stands);
    }

    function _require(Phase required) internal view returns (Terms memory t) {
        t = _terms();
        Phase actual = _clock(t).phase;
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
        next.running = true;
        uint256 limit = _terms().maxStrikes;
        for (uint256 i; i < _trainerCount; ++i) {
            if (_trainers[i].strikes < limit) ++next.activeTrainers;
        }
        for (uint256 m; m < _minerCount; ++m) {
            if (_miners[m].strikes < limit) next.activeMiners |= uint16(1 << m);
        }
        _round = next;
        _sealsDigest = 0;
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
    function _currentInputs(Round memory r) internal view returns (uint128) {
        return r.inputCount != 0 ? r.inputs : _inputs(r);
    }

    /// @dev Revealed in this round and not rejected by a strict majority of the round's miners. A miner that is
    /// also a trainer has no say on its own update.
    function _inputs(Round memory r) internal view returns (uint128 kept) {
        kept = r.revealed;
        uint256 n = _trainerCount;
        uint256[] memory rejections = new uint256[](n);
        for (uint256 m; r.checkers >> m != 0; ++m) {
            if (r.checkers >> m & 1 == 0) continue;
            uint256 own = _miners[m].trainerSeat;
            uint256 verdicts = _miners[m].verdicts;
            for (uint256 i; verdicts != 0; ++i) {
                if (verdicts & 2 != 0 && i < n && i + 1 != own) ++rejections[i];
                verdicts >>= 2;
            }
        }
        uint256 quorum = _count(r.activeMiners) / 2 + 1;
        for (uint256 i; i < n; ++i) {
            if (rejections[i] >= quorum) kept &= ~(uint128(1) << uint128(i));
        }
    }

    /// @dev What the openers made the round's result, or zero, and its votes: opened by a strict majority of the
    /// round's miners; once a result was refuted, the one that most of the others opened (ties: the lower id).
    function _truth(Round memory r) internal view returns (bytes32 truth, uint256 votes) {
        uint256 guilty = _guilty(r);
        bytes32[] memory results = _results(r.openers & ~guilty);
        uint256 half = _count(r.activeMiners) / 2;
        for (uint256 m; m < results.length && votes <= half; ++m) {
            bytes32 result = results[m];
            if (result == truth) continue;
            uint256 n;
            for (uint256 k = m; k < results.length; ++k) if (results[k] == result) ++n;
            if (n > votes || (n == votes && result < truth)) (truth, votes) = (result, n);
        }
        if (r.refuted & r.openers == 0 && votes <= half) return (0, 0);
    }

    /// @dev Results of the miners in `seats`, a bitmap.
    function _results(uint256 seats) private view returns (bytes32[] memory results) {
        results = new bytes32[](_count(seats));
        uint256 at;
        for (uint256 m; seats != 0; ++m) {
            if (seats & 1 != 0) results[at++] = _miners[m].result;
            seats >>= 1;
        }
    }

    /// @dev Bitmap by miner seat of all who opened a result that was refuted, or proposed it as a fast block.
    function _guilty(Round memory r) internal view returns (uint256 guilty) {
        guilty = r.refuted;
        for (uint256 m; r.refuted >> m != 0; ++m) {
            if (r.refuted >> m & 1 != 0) guilty |= _among(r.openers, _miners[m].result);
        }
    }

    /// @dev Bitmap of those in `seats`, a bitmap by miner seat, whose result is `result`.
    function _among(uint256 seats, bytes32 result) internal view returns (uint256 found) {
        for (uint256 m; seats >> m != 0; ++m) {
            if (seats >> m & 1 != 0 && _miners[m].result == result) found |= 1 << m;
        }
    }

    /// @dev Ones in a bitmap.
    function _count(uint256 bitmap) internal pure returns (uint256 ones) {
        unchecked {
            for (; bitmap != 0; bitmap &= bitmap - 1) ++ones;
        }
    }
}
