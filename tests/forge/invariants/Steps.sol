// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IReputation} from "../../../contracts/interfaces/IReputation.sol";
import {Opening, Phase, Reveal, Role, Round, SignedCommit, Status} from "../../../contracts/interfaces/TaskTypes.sol";
import {Medians} from "../utils/Medians.sol";
import {Preimages} from "../utils/Preimages.sol";
import {Rules} from "../disputes/Rules.sol";
import {Trees} from "../disputes/Trees.sol";
import {SmallTrees} from "./SmallTrees.sol";
import {Watch} from "./Watch.sol";

/// @notice The steps that a task asks for, honest or not, and the trees behind them: each is built once a round.
abstract contract Steps is Watch {
    using Medians for uint256[];

    /// @notice What a miner sealed, or proposed as a fast block.
    struct Stand {
        bytes32 result; // id
        bool lies;
        bool withheld; // nobody knows what is below its root
        uint256 scores;
    }

    bool internal urged; // to lie
    mapping(uint256 seat => Stand) internal stands;
    mapping(bytes32 key => bytes32) private _modelRoots; // by task, round and seat
    mapping(bytes32 key => bytes32[2]) private _roots; // of the truth and of the lie, by task and round

    // ------------------------------------------------------------------ models

    /// @dev As good as any, and cheap.
    function _value(uint256 seed, uint256 coordinate) internal pure override returns (int32) {
        unchecked {
            return int32(uint32((seed + coordinate) * (seed | 1) >> 128));
        }
    }

    function _keyOf(Status memory s, uint256 seat) private view returns (bytes32) {
        return bytes32(uint256(uint160(address(task))) << 96 | uint256(s.round.id) << 32 | seat);
    }

    function _update(Status memory s, uint256 i) internal returns (Update memory u) {
        bytes32 key = _keyOf(s, i);
        u.root = _modelRoots[key];
        if (u.root == 0) _modelRoots[key] = u.root = SmallTrees.root(terms.parameterCount, _modelOf(s, i));
        u.contentId = keccak256(abi.encode("update bytes", u.root));
        u.salt = keccak256(abi.encode("salt", u.root));
        u.trainingTime = 1500;
        // Claims below, at and above the bid.
        uint256 of_ = uint256(u.root) % 4;
        u.samples = of_ == 0 ? 1 : type(uint32).max;
        if (of_ > 1) u.samples = uint32(offers[address(task)][Role.Trainer][trainers[i]].samples);
    }

    function _seedOf(Status memory s, uint256 i) private pure returns (uint256) {
        return uint256(keccak256(abi.encode("model", s.round.id, i)));
    }

    /// @dev What trainer `i` reveals in this round.
    function _modelOf(Status memory s, uint256 i) private view returns (int32[] memory model) {
        uint256 seed = _seedOf(s, i);
        uint256 count = terms.parameterCount;
        model = Trees.blank(count);
        for (uint256 c; c < count; ++c) model[c] = _value(seed, c);
    }

    /// @dev What the rule makes of the round's inputs, once they are fixed, or that with one number changed.
    function _aggregateOf(Status memory s, bool lies) internal view returns (int32[] memory model) {
        uint256[] memory seats = _seatsOf(s);
        uint256[] memory weights = _weights(seats);
        uint256 count = terms.parameterCount;
        model = Trees.blank(count);
        for (uint256 c; c < count; ++c) {
            int256[] memory values = _column(s, seats, c);
            model[c] = int32(Rules.aggregate(terms.aggregationRule, terms.trimShare, values, weights));
        }
        if (!lies) return model;
        unchecked {
            model[lieAt] += lieBy;
        }
    }

    function _seatsOf(Status memory s) private view returns (uint256[] memory seats) {
        uint256 bitmap = s.round.inputCount != 0 ? s.round.inputs : task.inputs();
        seats = new uint256[](_ones(bitmap));
        uint256 n;
        for (uint256 i; bitmap >> i != 0; ++i) if (bitmap >> i & 1 != 0) seats[n++] = i;
    }

    function _column(
        Status memory s,
        uint256[] memory seats,
        uint256 coordinate
    ) private pure returns (int256[] memory values) {
        values = new int256[](seats.length);
        for (uint256 k; k < seats.length; ++k) values[k] = _value(_seedOf(s, seats[k]), coordinate);
    }

    function _rootOf(Status memory s, bool lies) internal scratch returns (bytes32) {
        bytes32[2] storage roots = _roots[_keyOf(s, 0)];
        if (roots[0] == 0) {
            roots[0] = SmallTrees.root(terms.parameterCount, _aggregateOf(s, false));
            roots[1] = SmallTrees.root(terms.parameterCount, _aggregateOf(s, true));
        }
        return roots[lies ? 1 : 0];
    }

    /// @dev The inputs' entries in the order of the rule, then the result's; of padding the result's alone.
    function _evidenceOf(
        Status memory s,
        uint256 coordinate,
        int32[] memory result
    ) internal view returns (bytes memory evidence) {
        if (coordinate < terms.parameterCount) {
            uint256[] memory seats = _seatsOf(s);
            uint256[] memory places = Rules.order(terms.aggregationRule, _column(s, seats, coordinate));
            for (uint256 k; k < seats.length; ++k) {
                uint256 i = seats[places[k]];
                bytes memory entry = SmallTrees.entry(_modelOf(s, i), coordinate);
                evidence = bytes.concat(evidence, bytes20(trainers[i]), entry);
            }
        }
        return bytes.concat(evidence, SmallTrees.entry(result, coordinate));
    }

    // ------------------------------------------------------------------ bids

    function _bid(Status memory s, uint256 seed) internal returns (bool) {
        Role role = seed >> 16 & 3 == 0 ? Role.Miner : Role.Trainer;
        mapping(address => Offer) storage made = offers[address(task)][role];
        address account = people[seed % people.length];
        for (uint256 k; k < people.length && made[account].deposit != 0; ++k) account = people[k];
        if (made[account].deposit != 0) return false;
        uint256 deposit = terms.minerDeposit;
        uint32 samples;
        bytes memory call = abi.encodeCall(task.bidAsMiner, (uint80(_pick(seed, "fee", 0, _fairFee()))));
        if (role == Role.Trainer) {
            samples = uint32(_pick(seed, "samples", 100, 2000));
            deposit = samples * uint256(terms.trainerDeposit);
            uint64 price = uint64(_pick(seed, "price", 0, terms.maxPrice));
            call = abi.encodeCall(task.bidAsTrainer, (samples, price, 1));
        }
        vm.deal(account, account.balance + deposit);
        vm.prank(account);
        (bool ok,) = address(task).call{value: deposit}(call); // refused only when all slots hold better bids
        if (!ok) {
            _elapse(s.deadline); // or nobody would ever get further
            return false;
        }
        paidIn += deposit;
        made[account] = Offer(uint128(deposit), samples);
        return true;
    }

    /// @dev A fee that the miners' share can cover, most of the time.
    function _fairFee() private view returns (uint256) {
        uint256 share = terms.reward * terms.minerShare / 10_000 / terms.rounds;
        return share < terms.maxFee ? share : terms.maxFee;
    }

    function _endBidding(uint256 seed) internal returns (bool) {
        bool cancels = seed % 16 == 0;
        vm.prank(cancels ? publisher : people[seed % people.length]);
        if (cancels) task.cancel();
        else task.select();
        return true;
    }

    // ------------------------------------------------------------------ trainers

    /// @dev The first trainer from a random seat that can still commit, or reveal; a second time is refused.
    function _actTrainer(Status memory s, uint256 seed, bool reveal) internal returns (bool) {
        mapping(uint256 => Mark) storage marked = marks[address(task)];
        for (uint256 k; k < trainers.length; ++k) {
            uint256 i = ((seed >> 8) + k) % trainers.length;
            bool committed = marked[i].round == s.round.id;
            bool acted = reveal ? s.round.revealed >> i & 1 != 0 : committed;
            if (acted && k == 0) _expectNoSecondTime(s, i, reveal);
            bool can = reveal ? committed : task.trainer(uint8(i)).strikes < terms.maxStrikes;
            if (acted || !can) continue;
            Update memory u = _update(s, i);
            marked[i] = Mark(s.round.id, reveal ? u.samples : 0);
            if (reveal) _bringReveal(i, u, seed);
            else _bringCommit(s, i, u, seed);
            return true;
        }
        return false;
    }

    /// @dev By the trainer, or through somebody else; contracts cannot sign.
    function _bringCommit(Status memory s, uint256 i, Update memory u, uint256 seed) private {
        if (seed & 3 == 0 && keyOf[trainers[i]] != 0) {
            SignedCommit[] memory commits = new SignedCommit[](1);
            commits[0] = _signed(i, u);
            vm.prank(stranger);
            task.commitBatch(commits);
            ++seen.relayed;
            return;
        }
        Preimages.At memory at = Preimages.At(address(task), s.round.id, 0, trainers[i]);
        bytes32 digest = Preimages.update(at, u.root, u.contentId, u.samples, u.trainingTime, u.salt);
        vm.prank(trainers[i]);
        task.commit(digest);
    }

    function _bringReveal(uint256 i, Update memory u, uint256 seed) private {
        if (seed & 3 != 0) return _reveal(i, u);
        Reveal[] memory reveals = new Reveal[](1);
        reveals[0] = _relayed(i, u);
        vm.prank(stranger);
        task.revealBatch(reveals);
        ++seen.relayed;
    }

    function _expectNoSecondTime(Status memory s, uint256 i, bool reveal) private {
        bytes memory call = abi.encodeCall(task.commit, (keccak256("second")));
        if (reveal) {
            Update memory u = _update(s, i);
            call = abi.encodeCall(task.reveal, (u.root, u.contentId, u.samples, u.trainingTime, u.salt));
        }
        _refused(trainers[i], call, 0);
    }

    // ------------------------------------------------------------------ miners

    /// @dev The first miner from a random seat that can still do what the phase asks.
    function _actMiner(Status memory s, uint256 seed) internal returns (bool) {
        uint256 able = s.round.activeMiners;
        if (s.phase == Phase.Seal) able &= ~uint256(s.round.sealers);
        if (s.phase == Phase.Mine) able &= _miningNow(s);
        if (s.phase == Phase.Open) able &= uint256(s.round.sealers) & ~uint256(s.round.openers);
        bool again = _isAgain(s);
        if (again) able = _ofTheTruth(s.round);
        able &= ~uint256(s.round.refuted);
        for (uint256 k; k < miners.length; ++k) {
            uint256 m = ((seed >> 8) + k) % miners.length;
            if (able >> m & 1 == 0) continue;
            if (again) ++seen.again;
            if (s.phase == Phase.Check) _check(m, _verdict(seed));
            else if (s.phase == Phase.Seal) _seal(m, _result(s, m, seed));
            else if (s.phase == Phase.Mine) _proposeBy(s, m, seed);
            else _openWith(s, m, seed);
            return true;
        }
        return false;
    }

    /// @dev Bitmap of those who sealed and have no block yet. In some rounds only who lies is fast enough: the truth
    /// will need another block.
    function _miningNow(Status memory s) private view returns (uint256 able) {
        able = uint256(s.round.sealers) & ~uint256(s.round.proposers);
        if (_mood(s) % 8 > 1) return able;
        uint256 liars;
        for (uint256 m; m < miners.length; ++m) if (able >> m & 1 != 0 && stands[m].lies) liars |= 1 << m;
        return liars != 0 || s.round.firstProposal != 0 ? liars : able;
    }

    /// @dev The round's: what its miners are up to.
    function _mood(Status memory s) private view returns (uint256) {
        return uint256(keccak256(abi.encode(address(task), s.round.id)));
    }

    /// @dev Mine: a new attempt, for those who opened the truth.
    function _isAgain(Status memory s) internal pure returns (bool) {
        return s.phase == Phase.Mine && s.attempt > s.round.attempt;
    }

    /// @dev Bitmap of the openers of what has no block yet.
    function _ofTheTruth(Round memory r) private view returns (uint256 able) {
        bytes32 truth = _truthOf(r);
        for (uint256 m; m < miners.length; ++m) {
            if (r.openers >> m & 1 != 0 && stands[m].result == truth) able |= 1 << m;
        }
    }

    /// @dev Mostly ok for all, sometimes any bits.
    function _verdict(uint256 seed) private view returns (uint256) {
        return seed % 8 == 0 ? uint256(keccak256(abi.encode(seed))) : _verdicts(0, OK);
    }

    /// @dev Mostly the truth, with scores that differ a little; in every second round a common lie of some, or a root
    /// of nothing; sometimes nonsense.
    function _result(Status memory s, uint256 m, uint256 seed) internal returns (Opening memory o) {
        uint256 mood = _mood(s);
        bool lies = mood % 8 < 3 && seed >> 4 & 1 == 0;
        bool withheld = mood % 8 == 3 && seed >> 4 & 1 == 0;
        if (urged) (lies, withheld) = (m == 0, false);
        o.root = withheld ? keccak256(abi.encode("nothing", s.round.id)) : _rootOf(s, lies);
        o.contentId = seed % 16 == 1 ? bytes32(seed) : keccak256("bytes");
        o.accuracy = seed % 8 == 2 ? 8000 : 9500;
        o.salt = keccak256(abi.encode("seal salt", seed));
        o.scores = new uint256[](1);
        for (uint256 i; i < trainers.length; ++i) {
            uint256 score = uint16(mood >> (16 * i + 8)) % 60_000 + seed % 100;
            if (seed >> 16 & 7 == 0) score = uint16(seed >> (16 * i + 24));
            o.scores.setLane(i, score);
        }
        stands[m] = Stand(Preimages.result(o), lies, withheld, o.scores[0]);
    }

    /// @dev Real work, which is of no use to another miner.
    function _proposeBy(Status memory s, uint256 m, uint256 seed) internal {
        Opening memory o = _sealed(m);
        uint256 nonce = _search(_headerOf(s, m, o), s.difficulty);
        uint256 thief = (seed >> 80) % miners.length;
        if (thief != m && seed >> 90 & 3 == 0) {
            // Neither the result, nor the nonce for the thief's own.
            _refused(miners[thief], abi.encodeCall(task.propose, (uint8(thief), o, nonce)), 0);
            _refused(miners[thief], abi.encodeCall(task.propose, (uint8(m), o, nonce)), 0);
            Opening memory own = _sealed(thief);
            bytes32 work = Preimages.work(_headerOf(s, thief, own), nonce);
            if (uint256(work) > type(uint256).max / s.difficulty) {
                _refused(miners[thief], abi.encodeCall(task.propose, (uint8(thief), own, nonce)), 0);
            }
        }
        vm.prank(miners[m]);
        task.propose(uint8(m), o, nonce);
    }

    function _headerOf(Status memory s, uint256 m, Opening memory o) private view returns (bytes32) {
        Preimages.At memory at = Preimages.At(address(task), s.round.id, s.attempt, miners[m]);
        return Preimages.header(at, s.head.blockHash, s.sealsDigest, o, s.difficulty);
    }

    /// @dev The first nonce from 0 that meets the difficulty: `_work`, in a fraction of its time.
    function _search(bytes32 header, uint256 difficulty) private pure returns (uint256 nonce) {
        uint256 target = type(uint256).max / difficulty;
        assembly ("memory-safe") {
            mstore(0, header)
            for {} 1 { nonce := add(nonce, 1) } {
                mstore(32, nonce)
                if iszero(gt(keccak256(0, 64), target)) { break }
            }
        }
    }

    /// @dev Sometimes with medians, right or wrong: they must not spoil the opening.
    function _openWith(Status memory s, uint256 m, uint256 seed) private recorded {
        uint256[] memory medians;
        uint16 middle;
        if (seed % 3 == 0) {
            uint16 before = s.round.openers;
            if (seed % 2 == 0) s.round.openers = before | uint16(1 << m);
            (medians, middle) = _mediansOf(s.round);
            s.round.openers = before;
        }
        Opening memory o = _sealed(m);
        vm.prank(miners[m]);
        task.open(uint8(m), o, medians, middle);
    }

    /// @dev A miner that the registry trusts, lying now and then.
    function _vouch(Status memory s, uint256 seed) internal returns (bool) {
        for (uint256 k; k < miners.length; ++k) {
            uint256 m = ((seed >> 8) + k) % miners.length;
            uint256 able = s.round.activeMiners & ~s.round.sealers;
            if (able >> m & 1 == 0 || !_isTrusted(miners[m])) continue;
            _proposeFast(m, _result(s, m, seed));
            if (seed >> 70 & 1 == 0) {
                // Drawn, which one in eight is by itself.
                vm.roll(block.number + 1);
                vm.setBlockhash(block.number - 1, bytes32(uint256(8)));
            }
            return true;
        }
        return false;
    }

    function _isTrusted(address miner) internal view returns (bool) {
        IReputation.MinerRecord memory record = registry.minerRecord(miner);
        if (terms.fastBlocks == 0 || record.served == 0) return false;
        if (uint256(record.accepted) * miners.length * 10_000 / record.served < terms.fastBlocks) return false;
        uint256 part = record.offered == 0 ? 0 : uint256(record.received) * 10_000 / record.offered;
        return part >= terms.fastRewards;
    }

    // ------------------------------------------------------------------ the end of a round

    function _finaliseBy(Status memory s, address anybody) internal recorded {
        (uint256[] memory medians, uint16 middle) = _mediansOf(s.round);
        vm.prank(anybody);
        task.finalise(medians, middle);
    }

    /// @dev The result opened by a strict majority of the round's miners; once an opened result is refuted, the one
    /// that most opened of those that stand, the lower id on a tie; or zero.
    function _truthOf(Round memory r) private view returns (bytes32 truth) {
        uint256 most = r.refuted & r.openers != 0 ? 0 : _ones(r.activeMiners) / 2;
        for (uint256 m; m < miners.length; ++m) {
            bytes32 result = stands[m].result;
            if (r.openers >> m & 1 == 0 || _standFor(r.refuted, result) != 0) continue;
            uint256 votes = _standFor(r.openers, result);
            if (votes > most || (votes == most && truth != 0 && result < truth)) (truth, most) = (result, votes);
        }
    }

    /// @dev How many of those in `seats`, a bitmap, stand for `result`.
    function _standFor(uint256 seats, bytes32 result) private view returns (uint256 votes) {
        for (uint256 m; seats >> m != 0; ++m) if (seats >> m & 1 != 0 && stands[m].result == result) ++votes;
    }

    /// @dev By sorting; none for a fast block, or where no block carries the truth.
    function _mediansOf(Round memory r) private view returns (uint256[] memory medians, uint16 middle) {
        bytes32 truth = _truthOf(r);
        if (truth == 0 || _standFor(r.proposers, truth) == 0) return (medians, 0);
        if (r.fast != 0 && (r.fastBlock == 0 || uint256(blockhash(r.fastBlock)) % 8 != 0)) return (medians, 0);
        medians = new uint256[](1);
        uint256[] memory over = new uint256[](trainers.length);
        uint256[] memory given = new uint256[](miners.length);
        uint256 count;
        for (uint256 i; i < trainers.length; ++i) {
            if (r.inputs >> i & 1 == 0) continue;
            uint256 voters;
            for (uint256 m; m < miners.length; ++m) {
                bool opened = r.openers >> m & 1 != 0 && stands[m].result == truth;
                if (opened && miners[m] != trainers[i]) given[voters++] = stands[m].scores >> (16 * i) & 0xffff;
            }
            uint256 median = Medians.lower(given, voters);
            medians.setLane(i, median);
            over[count++] = median;
        }
        middle = uint16(Medians.lower(over, count));
    }

    // ------------------------------------------------------------------ helpers

    /// @dev The clock goes on, and so does the chain: the draw of a fast block is known.
    function _elapse(uint256 to) internal {
        vm.warp(to);
        vm.roll(block.number + 1);
    }

    function _refused(address sender, bytes memory call, uint256 value) internal {
        if (value != 0) vm.deal(sender, sender.balance + value);
        vm.prank(sender);
        (bool ok,) = address(task).call{value: value}(call);
        require(!ok, "not refused");
        if (value != 0) vm.deal(sender, sender.balance - value);
    }
}
