// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IReputation} from "../interfaces/IReputation.sol";
import {Fault, Miner, Phase, Role, Round, Stage, State, Terms, Trainer} from "../interfaces/TaskTypes.sol";
import {ProofOfWork} from "../libraries/ProofOfWork.sol";
import {Scores} from "../libraries/Scores.sol";
import {TermsRules} from "../libraries/TermsRules.sol";
import {Closing} from "./Closing.sol";

/// @title The end of a round: fork choice, head, fees, pay, strikes, reputation, difficulty
abstract contract Settlement is Closing {
    /// @dev How a round ended. Memory only.
    struct Outcome {
        bytes32 majority; // result id opened by a strict majority; 0 = none
        bytes32 truth; // the same, if a block carries it; 0 = void
        uint256 winner; // miner seat of the block
        uint16 accuracy; // lower median over the openers of the truth
        uint128 inputs;
        uint8 unjudged; // 1 + trainer seat of the only opener, which nobody else scored; 0 = none
        bool early; // the target was reached twice in a row
    }

    /// @dev Who gets what of a round's budget. Memory only.
    struct Shares {
        uint256 surplus; // wei above the prices
        uint256[] floors; // wei by trainer seat: the price of what it revealed
        uint256[] weights; // counted samples x score, of the same
        uint256 sum; // of the weights
        uint256 denied; // bitmap by trainer seat: burnt instead of paid
    }

    /// @notice See {ILearningTask}.
    function finalise(uint256[] calldata medians, uint16 middle) external {
        Terms memory t = _require(Phase.Finalise);
        Outcome memory o = _outcome(t);
        if (o.truth != 0) _requireMedians(o, medians, middle);
        _finalise(t, o, medians, o.truth == 0 ? 0 : middle);
    }

    // ------------------------------------------------------------------ outcome

    function _outcome(Terms memory t) private view returns (Outcome memory o) {
        o.inputs = _currentInputs();
        (bytes32 truth, uint256 votes) = _truth();
        if (truth == 0) return o;
        o.majority = truth;
        o.winner = _winner(truth);
        if (o.winner == type(uint256).max) return o;
        o.truth = truth;
        if (votes == 1) o.unjudged = _miners[o.winner].trainerSeat;
        o.accuracy = _medianAccuracy(truth);
        o.early = t.targetAccuracy != 0 && o.accuracy >= t.targetAccuracy && _lastReachedTarget;
    }

    function _isOpener(bytes32 truth, uint256 seat) private view returns (bool) {
        return _round.openers >> seat & 1 != 0 && _miners[seat].result == truth;
    }

    function _medianAccuracy(bytes32 truth) private view returns (uint16) {
        uint16[] memory ascending = new uint16[](_miners.length);
        uint256 count;
        for (uint256 m; m < _miners.length; ++m) {
            if (!_isOpener(truth, m)) continue;
            uint16 value = _miners[m].accuracy;
            uint256 at = count++;
            for (; at > 0 && ascending[at - 1] > value; --at) ascending[at] = ascending[at - 1];
            ascending[at] = value;
        }
        return ascending[(count - 1) / 2];
    }

    function _requireMedians(Outcome memory o, uint256[] calldata medians, uint16 middle) private view {
        uint256 words = Scores.words(_trainers.length);
        if (medians.length != words) revert LearningTask_WrongScores(medians.length, words);
        uint256 wrong = _wrongMedian(o, medians, middle);
        if (wrong != type(uint256).max) revert LearningTask_WrongMedian(uint8(wrong));
    }

    /// @dev The first trainer seat with a wrong median, the number of trainers for a wrong `middle`, or all ones.
    function _wrongMedian(
        Outcome memory o,
        uint256[] calldata medians,
        uint16 middle
    ) private view returns (uint256) {
        uint256[] memory less = new uint256[](_trainers.length);
        uint256[] memory atMost = new uint256[](_trainers.length);
        uint256[] memory voters = new uint256[](_trainers.length);
        for (uint256 m; m < _miners.length; ++m) {
            if (!_isOpener(o.truth, m)) continue;
            uint256 own = _miners[m].trainerSeat;
            uint256 word;
            for (uint256 i; i < less.length; ++i) {
                if (i % 16 == 0) word = _miners[m].scores[i / 16];
                if (i + 1 == own) continue;
                uint256 score = Scores.lane(word, i);
                uint256 median = Scores.lane(medians[i / 16], i);
                ++voters[i];
                if (score < median) ++less[i];
                if (score <= median) ++atMost[i];
            }
        }
        uint256 below;
        uint256 notAbove;
        uint256 count;
        for (uint256 i; i < less.length; ++i) {
            uint256 median = Scores.lane(medians[i / 16], i);
            if (o.inputs >> i & 1 == 0 || voters[i] == 0) {
                if (median != 0) return i; // nobody to judge it, or nothing to judge
            } else if (!Scores.isLowerMedian(less[i], atMost[i], voters[i])) {
                return i;
            }
            if (o.inputs >> i & 1 == 0) continue;
            ++count;
            if (median < middle) ++below;
            if (median <= middle) ++notAbove;
        }
        return Scores.isLowerMedian(below, notAbove, count) ? type(uint256).max : less.length;
    }

    // ------------------------------------------------------------------ settlement

    function _finalise(Terms memory t, Outcome memory o, uint256[] calldata medians, uint16 middle) private {
        Round memory r = _loadRound();
        bool accepted = o.truth != 0;
        uint256 fee;
        if (accepted) {
            fee = _miners[o.winner].fee;
            _accept(t, o, r, medians);
        } else {
            ++_voidRounds;
            _lastReachedTarget = false;
            emit RoundVoided(r.id, r.reveals != 0, o.inputs);
        }
        // Fees of all rounds to come stay covered whatever the trainers get.
        uint256 budget = (_pool - uint256(_highestFee) * _roundsLeft) / _roundsLeft;
        if (o.early) budget += (_pool - fee - budget) * t.earlyBonus / TermsRules.BASIS;
        _settleTrainers(t, o, budget, medians, middle);
        _settleMiners(t, o, r, fee);
        if (accepted || r.reveals != 0) --_roundsLeft;
        _advance(t, o.early);
    }

    function _accept(Terms memory t, Outcome memory o, Round memory r, uint256[] calldata medians) private {
        Miner storage mi = _miners[o.winner];
        _head.blockHash = mi.blockHash;
        _head.root = mi.root;
        _head.contentId = mi.contentId;
        _lastReachedTarget = t.targetAccuracy != 0 && o.accuracy >= t.targetAccuracy;
        emit RoundFinalised(
            r.id, uint8(o.winner), mi.blockHash, mi.root, mi.contentId, o.accuracy, medians
        );
        uint256 next = ProofOfWork.retarget(_difficulty, r.firstProposal - _sealEnd(t, r), t.blockTime);
        if (next != _difficulty) {
            _difficulty = next;
            emit DifficultyChanged(r.id, next);
        }
    }

    /// @dev Unix seconds at which mining began.
    function _sealEnd(Terms memory t, Round memory r) private pure returns (uint256 end) {
        if (r.sealClosed != 0) return r.sealClosed;
        end = r.commitClosed != 0 ? r.commitClosed : uint256(r.start) + t.commitWindow;
        end = r.revealClosed != 0 ? r.revealClosed : end + t.revealWindow;
        end = r.checkClosed != 0 ? r.checkClosed : end + t.checkWindow;
        return end + t.sealWindow;
    }

    /// @dev Pays inputs their price and, in an accepted round, their part of the rest of `budget` (wei); strikes who
    /// failed. What a vote takes from one trainer is burnt, so that nobody gains by condemning.
    function _settleTrainers(
        Terms memory t,
        Outcome memory o,
        uint256 budget,
        uint256[] calldata medians,
        uint16 middle
    ) private {
        Shares memory s;
        s.surplus = budget;
        s.floors = new uint256[](_trainers.length);
        s.weights = new uint256[](_trainers.length);
        for (uint8 i; i < s.floors.length; ++i) {
            Trainer storage tr = _trainers[i];
            if (tr.strikes >= t.maxStrikes) continue;
            if (tr.round != _round.id) {
                _strikeTrainer(t, i);
            } else if (tr.stage == Stage.Committed) {
                _punishTrainer(t, i, Fault.NotRevealed);
            } else {
                uint256 score = o.truth == 0 ? 0 : Scores.lane(medians[i / 16], i);
                _settleUpdate(t, o, s, i, score, middle);
            }
        }
        for (uint8 i; i < s.floors.length; ++i) {
            uint256 amount = s.floors[i];
            if (s.sum != 0) amount += s.surplus * s.weights[i] / s.sum;
            if (amount == 0) continue;
            _pool -= amount;
            if (s.denied >> i & 1 != 0) {
                _burnt += amount;
                emit Forfeited(_round.id, i, amount);
            } else {
                _trainers[i].earned += uint80(amount);
                emit Paid(_round.id, Role.Trainer, i, amount);
            }
        }
    }

    function _settleUpdate(
        Terms memory t,
        Outcome memory o,
        Shares memory s,
        uint8 seat,
        uint256 score,
        uint16 middle
    ) private {
        Trainer storage tr = _trainers[seat];
        uint256 counted = tr.samples < tr.cap ? tr.samples : tr.cap;
        uint256 floor = uint256(tr.price) * counted;
        s.surplus -= floor;
        s.floors[seat] = floor;
        bool isInput = o.inputs >> seat & 1 != 0;
        bool unjudged = seat + 1 == o.unjudged;
        if (!isInput || (o.truth != 0 && !unjudged)) _learn(tr, seat, score);
        if (isInput && (unjudged || score * TermsRules.BASIS >= uint256(middle) * t.payScore)) {
            ++tr.paidRounds;
            s.weights[seat] = counted * score;
        } else {
            // As if it had the median score, so that the others' parts do not grow when it is condemned.
            s.weights[seat] = counted * middle;
            s.denied |= 1 << seat;
            _punishTrainer(t, seat, isInput ? Fault.LowScore : Fault.Rejected);
        }
        s.sum += s.weights[seat];
    }

    /// @dev Quality follows scores: half-way down, an eighth up, so that it falls fast and recovers slowly.
    function _learn(Trainer storage tr, uint8 seat, uint256 score) private {
        uint256 quality = tr.quality;
        if (score > quality) quality += (score - quality) / 8;
        else quality -= (quality - score) / 2;
        if (quality == tr.quality) return;
        tr.quality = uint16(quality);
        emit QualityChanged(_round.id, seat, uint16(quality));
    }

    /// @dev Pays the block `fee` (wei): half to the block's miner, half in equal parts to all who opened the truth;
    /// strikes who failed, and writes the round into the registry.
    function _settleMiners(Terms memory t, Outcome memory o, Round memory r, uint256 fee) private {
        uint256 sharers;
        for (uint256 m; m < _miners.length; ++m) {
            if (o.truth != 0 && _isOpener(o.truth, m)) ++sharers;
        }
        IReputation.Service[] memory services = new IReputation.Service[](_count(r.activeMiners));
        uint256 at;
        for (uint8 m; m < _miners.length; ++m) {
            if (r.activeMiners >> m & 1 == 0) continue;
            bool won = o.truth != 0 && m == o.winner;
            uint256 amount = won ? fee / 2 : 0;
            if (o.truth != 0 && _isOpener(o.truth, m)) amount += (fee - fee / 2) / sharers;
            if (amount != 0) {
                _miners[m].earned += uint80(amount);
                _pool -= amount;
                emit Paid(r.id, Role.Miner, m, amount);
            }
            uint256 offered = o.truth != 0 ? fee : _highestFee;
            services[at++] = IReputation.Service(_miners[m].account, won, uint96(amount), uint96(offered));
            _judgeMiner(t, o, r, m);
        }
        _reputation().recordRound(services);
    }

    /// @dev At most one strike a round, for the gravest failure. Nobody answers for a phase that the round never
    /// reached.
    function _judgeMiner(Terms memory t, Outcome memory o, Round memory r, uint8 seat) private {
        if (r.reveals < t.minUpdates) return;
        bool checked = r.checkers >> seat & 1 != 0;
        bool sealed_ = r.sealers >> seat & 1 != 0;
        bool opened = r.openers >> seat & 1 != 0;
        if (_count(o.inputs) < t.minUpdates) {
            if (!checked) _strikeMiner(t, seat);
        } else if (!sealed_) {
            _punishMiner(t, seat, Fault.NotSealed);
        } else if (r.firstProposal != 0 && !opened) {
            _punishMiner(t, seat, Fault.NotOpened);
        } else if (o.majority != 0 && !_isOpener(o.majority, seat)) {
            _punishMiner(t, seat, Fault.Outvoted); // also in a void round: it may have kept the majority from a block
        } else if (!checked || r.firstProposal == 0) {
            _strikeMiner(t, seat);
        }
    }

    /// @dev The next round, or the end.
    function _advance(Terms memory t, bool early) private {
        if (_roundsLeft == 0 || early) return _close(State.Completed, early);
        uint256 trainers;
        uint256 miners;
        for (uint256 i; i < _trainers.length; ++i) if (_trainers[i].strikes < t.maxStrikes) ++trainers;
        for (uint256 m; m < _miners.length; ++m) if (_miners[m].strikes < t.maxStrikes) ++miners;
        if (_voidRounds > t.maxVoidRounds || trainers < t.minUpdates || miners == 0) {
            return _close(State.Aborted, false);
        }
        _startRound();
    }
}
