// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IReputation} from "../interfaces/IReputation.sol";
import {BASIS, Fault, Miner, Phase, Role, Round, State, Terms, TrainerSeat, Update} from "../interfaces/TaskTypes.sol";
import {ForkChoice} from "../libraries/ForkChoice.sol";
import {Money} from "../libraries/Money.sol";
import {ProofOfWork} from "../libraries/ProofOfWork.sol";
import {Scores} from "../libraries/Scores.sol";
import {STANDING_WORDS, Standings} from "../libraries/Standings.sol";
import {Closing} from "./Closing.sol";

/// @title The end of a round: fork choice, head, fees, pay, strikes, reputation, difficulty
abstract contract Settlement is Closing {
    using Standings for uint256[STANDING_WORDS];

    /// @dev How a round ended. Memory only.
    struct Outcome {
        bytes32 majority; // result id opened by a strict majority; 0 = none
        bytes32 truth; // the result that the round ends with, if a block carries it; 0 = void
        uint256 winner; // miner seat of the block
        bool fast; // the block is a fast one: nobody else opened anything
        uint256 guilty; // bitmap by miner seat: stood for a refuted result
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
        Round memory r = _loadRound();
        Outcome memory o = _outcome(t, r);
        bool judged = o.truth != 0 && !o.fast;
        if (judged) _requireMedians(o, medians, middle);
        else if (medians.length != 0) revert LearningTask_WrongScores(medians.length, 0);
        _finalise(t, r, o, medians, judged ? middle : 0);
    }

    // ------------------------------------------------------------------ outcome

    function _outcome(Terms memory t, Round memory r) private view returns (Outcome memory o) {
        o.inputs = _currentInputs(r);
        if (r.refuted != 0) o.guilty = _guilty(r);
        (o.fast,) = _fast(r);
        if (o.fast) {
            o.winner = r.fast - 1;
            (o.truth, o.accuracy) = (_miners[o.winner].result, _miners[o.winner].accuracy);
            return o;
        }
        (bytes32 truth, uint256 votes) = _truth(r);
        if (truth == 0) return o;
        if (votes > _count(r.activeMiners) / 2) o.majority = truth;
        uint256 carriers = _among(r.proposers, truth);
        if (carriers == 0) return o;
        o.truth = truth;
        o.winner = _chooseFork(t.forkRule, carriers);
        if (votes == 1) o.unjudged = _miners[o.winner].trainerSeat;
        o.accuracy = _medianAccuracy(truth);
        o.early = _lastReachedTarget && o.accuracy >= t.targetAccuracy;
    }

    /// @dev The miner seat whose block becomes the head.
    function _chooseFork(uint8 rule, uint256 carriers) private view returns (uint256) {
        ForkChoice.Candidate memory best;
        for (uint8 m; m < _minerCount; ++m) {
            if (carriers >> m & 1 == 0) continue;
            Miner storage mi = _miners[m];
            uint16 rank = rule == ForkChoice.REPUTATION ? _reputation().minerReputation(mi.account) : 0;
            ForkChoice.Candidate memory c = ForkChoice.Candidate(m, mi.order, rank, mi.blockHash);
            if (best.blockHash == 0 || ForkChoice.isBefore(rule, c, best)) best = c;
        }
        return best.seat;
    }

    function _isOpener(bytes32 truth, uint256 seat) private view returns (bool) {
        return _round.openers >> seat & 1 != 0 && _miners[seat].result == truth;
    }

    function _medianAccuracy(bytes32 truth) private view returns (uint16) {
        uint16[] memory ascending = new uint16[](_minerCount);
        uint256 count;
        for (uint256 m; m < _minerCount; ++m) {
            if (!_isOpener(truth, m)) continue;
            uint16 value = _miners[m].accuracy;
            uint256 at = count++;
            for (; at > 0 && ascending[at - 1] > value; --at) ascending[at] = ascending[at - 1];
            ascending[at] = value;
        }
        return ascending[(count - 1) / 2];
    }

    function _requireMedians(Outcome memory o, uint256[] calldata medians, uint16 middle) private view {
        uint256 words = Scores.words(_trainerCount);
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
        uint256[] memory less = new uint256[](_trainerCount);
        uint256[] memory atMost = new uint256[](_trainerCount);
        uint256[] memory voters = new uint256[](_trainerCount);
        for (uint256 m; m < _minerCount; ++m) {
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

    function _finalise(
        Terms memory t,
        Round memory r,
        Outcome memory o,
        uint256[] calldata medians,
        uint16 middle
    ) private {
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
        uint256 budget = Money.budget(_pool, _highestFee, _roundsLeft);
        if (o.early) budget += Money.share(_pool - fee - budget, t.earlyBonus);
        _settleTrainers(t, o, budget, medians, middle);
        _settleMiners(t, o, r, fee);
        if (r.lastDispute != 0) _settleDisputes(t, o, r);
        if (accepted || r.reveals != 0) --_roundsLeft;
        _advance(t, o.early);
    }

    function _accept(Terms memory t, Outcome memory o, Round memory r, uint256[] calldata medians) private {
        Miner storage mi = _miners[o.winner];
        _head.blockHash = mi.blockHash;
        _head.root = mi.root;
        _head.contentId = mi.contentId;
        // One miner's word alone does not bring the end nearer.
        _lastReachedTarget = !o.fast && t.targetAccuracy != 0 && o.accuracy >= t.targetAccuracy;
        emit RoundFinalised(
            r.id, uint8(o.winner), mi.blockHash, mi.root, mi.contentId, o.accuracy, medians
        );
        if (o.fast) return;
        uint256 next = ProofOfWork.retarget(_difficulty, r.firstProposal - r.sealClosed, t.blockTime);
        if (next != _difficulty) {
            _difficulty = next;
            emit DifficultyChanged(r.id, next);
        }
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
        uint16 id = _round.id;
        s.surplus = budget;
        s.floors = new uint256[](_trainerCount);
        s.weights = new uint256[](_trainerCount);
        for (uint8 i; i < s.floors.length; ++i) {
            TrainerSeat storage tr = _trainers[i];
            if (tr.strikes >= t.maxStrikes) continue;
            Update memory u = _updates[tr.account];
            if (u.round != id) {
                _strikeTrainer(t, i);
            } else if (u.samples == 0) {
                _punishTrainer(t, i, Fault.NotRevealed);
            } else {
                uint256 score = o.truth == 0 || o.fast ? 0 : Scores.lane(medians[i / 16], i);
                _settleUpdate(t, o, s, i, u.samples, score, middle);
            }
        }
        for (uint8 i; i < s.floors.length; ++i) {
            uint256 amount = s.floors[i];
            if (s.sum != 0) amount += Money.part(s.surplus, s.weights[i], s.sum);
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
        uint256 samples,
        uint256 score,
        uint16 middle
    ) private {
        TrainerSeat storage tr = _trainers[seat];
        (uint32 cap, uint16 quality) = _standings.read(seat);
        uint256 counted = samples < cap ? samples : cap;
        uint256 floor = uint256(tr.price) * counted;
        s.surplus -= floor;
        s.floors[seat] = floor;
        bool isInput = o.inputs >> seat & 1 != 0;
        bool unjudged = seat + 1 == o.unjudged;
        if (!isInput || (o.truth != 0 && !unjudged && !o.fast)) _learn(seat, cap, quality, score);
        // Nobody scored a fast block's inputs: what is known of their trainers stands for it.
        if (o.fast && isInput) score = quality;
        if (isInput && (unjudged || score * BASIS >= uint256(middle) * t.payScore)) {
            ++tr.paidRounds;
            s.weights[seat] = counted * score;
        } else {
            // As if it had the median score, so that the others' parts do not grow when it is condemned.
            s.weights[seat] = counted * (o.fast ? quality : middle);
            s.denied |= 1 << seat;
            _punishTrainer(t, seat, isInput ? Fault.LowScore : Fault.Rejected);
        }
        s.sum += s.weights[seat];
    }

    /// @dev Quality follows scores: half-way down, an eighth up, so that it falls fast and recovers slowly.
    function _learn(uint8 seat, uint32 cap, uint256 quality, uint256 score) internal {
        uint256 next = score > quality ? quality + (score - quality) / 8 : quality - (quality - score) / 2;
        if (next == quality) return;
        _standings.write(seat, cap, uint16(next));
        emit QualityChanged(_round.id, seat, uint16(next));
    }

    /// @dev Pays the block `fee` (wei): half to the block's miner, half in equal parts to all who opened the truth;
    /// strikes who failed, and writes the round into the registry.
    function _settleMiners(Terms memory t, Outcome memory o, Round memory r, uint256 fee) internal {
        // A fast block leaves the records of those who had nothing to do as they are.
        uint256 served = o.fast ? 1 << o.winner : r.activeMiners | o.guilty;
        uint256 sharers;
        for (uint256 m; m < _minerCount; ++m) if (_sharesFee(o, m)) ++sharers;
        IReputation.Service[] memory services = new IReputation.Service[](_count(served));
        uint256 at;
        for (uint8 m; m < _minerCount; ++m) {
            if (r.activeMiners >> m & 1 == 0 && o.guilty >> m & 1 == 0) continue;
            bool won = o.truth != 0 && m == o.winner;
            uint256 amount = won ? fee / 2 : 0;
            if (_sharesFee(o, m)) amount += (fee - fee / 2) / sharers;
            if (amount != 0) {
                _miners[m].earned += uint80(amount);
                _pool -= amount;
                emit Paid(r.id, Role.Miner, m, amount);
            }
            uint256 offered = o.truth != 0 ? fee : _highestFee;
            if (served >> m & 1 != 0) {
                services[at++] = IReputation.Service(_miners[m].account, won, uint96(amount), uint96(offered));
            }
            if (o.guilty >> m & 1 == 0) _judgeMiner(t, o, r, m);
        }
        _reputation().recordRound(services);
    }

    function _sharesFee(Outcome memory o, uint256 seat) private view returns (bool) {
        if (o.truth == 0) return false;
        return o.fast ? seat == o.winner : _isOpener(o.truth, seat);
    }

    /// @dev At most one strike a round, for the gravest failure. Nobody answers for a phase that the round never
    /// reached.
    function _judgeMiner(Terms memory t, Outcome memory o, Round memory r, uint8 seat) private {
        if (r.reveals < t.minUpdates) return;
        bool checked = r.checkers >> seat & 1 != 0;
        bool sealed_ = r.sealers >> seat & 1 != 0;
        bool opened = r.openers >> seat & 1 != 0;
        if (o.fast || _count(o.inputs) < t.minUpdates) {
            if (!checked) _strikeMiner(t, seat);
        } else if (!sealed_ && r.fast != 0) {
            // A fast block came too late to be looked up, or nobody sealed after it: who is to blame cannot be told.
            _strikeMiner(t, seat);
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

    // ------------------------------------------------------------------ disputes

    /// @dev Deposits behind refuted results: half to whoever committed first to a proof, half burnt. Bonds against
    /// results that stood: half burnt, half to the block's miner, so that nobody gains by losing to itself.
    function _settleDisputes(Terms memory t, Outcome memory o, Round memory r) internal {
        uint256[] memory bounties = new uint256[](_minerCount);
        for (uint8 m; m < bounties.length; ++m) {
            if (o.guilty >> m & 1 != 0) {
                bounties[_accused(r, m)] += _forfeit(t, m) / 2;
                if (r.refuted >> m & 1 == 0 && _miners[m].accuser != address(0)) _returnBond(t, r.id, m);
            } else if (_miners[m].stakes != 0) _loseBonds(t, o, r.id, m);
        }
        for (uint8 m; m < bounties.length; ++m) {
            if (r.refuted >> m & 1 == 0) continue;
            address accuser = _miners[m].accuser;
            _owed[accuser] += bounties[m] + t.challengeBond;
            emit BountyPaid(r.id, m, accuser, bounties[m], t.challengeBond);
            _miners[m].accuser = address(0);
        }
    }

    /// @dev The seat through which the result of the guilty miner `seat` was refuted first.
    function _accused(Round memory r, uint256 seat) private view returns (uint256 first) {
        uint256 earliest = type(uint256).max;
        for (uint256 m; m < _minerCount; ++m) {
            bool same = r.refuted >> m & 1 != 0 && _miners[m].result == _miners[seat].result;
            if (same && _miners[m].accusedAt < earliest) (first, earliest) = (m, _miners[m].accusedAt);
        }
    }

    /// @dev The miner's first bond, on a result that was refuted through another seat.
    function _returnBond(Terms memory t, uint16 round, uint8 seat) private {
        Miner storage mi = _miners[seat];
        _owed[mi.accuser] += t.challengeBond;
        emit BondReturned(round, seat, mi.accuser, bytes32(mi.verdicts));
        mi.accuser = address(0);
    }

    function _loseBonds(Terms memory t, Outcome memory o, uint16 round, uint8 seat) private {
        uint256 amount = uint256(_miners[seat].stakes) * t.challengeBond;
        (_miners[seat].stakes, _miners[seat].accuser) = (0, address(0));
        _burnt += amount - amount / 2;
        if (o.truth != 0) _owed[_miners[o.winner].account] += amount / 2;
        else _pool += amount / 2;
        emit BondsLost(round, seat, amount);
    }

    /// @dev The next round, or the end.
    function _advance(Terms memory t, bool early) private {
        if (_roundsLeft == 0 || early) return _close(State.Completed, early);
        uint256 trainers;
        uint256 miners;
        for (uint256 i; i < _trainerCount; ++i) if (_trainers[i].strikes < t.maxStrikes) ++trainers;
        for (uint256 m; m < _minerCount; ++m) if (_miners[m].strikes < t.maxStrikes) ++miners;
        if (_voidRounds > t.maxVoidRounds || trainers < t.minUpdates || miners == 0) {
            return _close(State.Aborted, false);
        }
        _startRound();
    }
}
