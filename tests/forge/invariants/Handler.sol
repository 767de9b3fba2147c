// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {
    Opening,
    Phase,
    Role,
    Round,
    Stage,
    State,
    Status,
    Trainer
} from "../../../contracts/interfaces/TaskTypes.sol";
import {Medians} from "../utils/Medians.sol";
import {Actors} from "./Actors.sol";

/// @notice What the fuzzer may do, over one task after the other. Calls do not revert: each finds somebody who can do
/// something in the present phase, honest or not, and what must be refused is tried and seen to be refused.
contract Handler is Actors {
    using Medians for uint256[];

    /// @notice How often what has happened.
    struct Seen {
        uint256 accepted;
        uint256 voided;
        uint256 completed;
        uint256 early;
        uint256 aborted;
        uint256 struckOut;
        uint256 burnt;
    }

    Seen internal seen;

    constructor() {
        _gather();
        _publishAny(0);
    }

    /// @dev Time and rounds only go forward, whatever the call was.
    modifier watched() {
        Status memory before = task.status();
        address watchedTask = address(task);
        _;
        if (address(task) == watchedTask) _expectForward(before, task.status());
    }

    // ------------------------------------------------------------------ calls

    /// @notice Somebody takes the next step.
    function act(uint256 seed) external watched {
        _act(task.status(), seed);
    }

    /// @notice Everybody takes the step of the present phase, or nearly.
    function actAll(uint256 seed) external watched {
        Status memory s = task.status();
        Phase phase = s.phase;
        for (uint256 i; i < 12 && s.phase == phase; ++i) {
            if (!_act(s, _pick(seed, bytes32(i), 0, type(uint128).max))) break;
            s = task.status();
        }
    }

    /// @notice Time passes: a little, to the end of the phase, or far beyond it.
    function jump(uint256 seed) external watched {
        Status memory s = task.status();
        uint256 left = s.deadline == 0 ? 3 : s.deadline - block.timestamp;
        if (seed % 8 == 0) vm.warp(block.timestamp + left + seed / 8 % 40);
        else if (seed % 8 == 1) vm.warp(block.timestamp + left);
        else vm.warp(block.timestamp + seed / 8 % (left / 4 + 1));
    }

    /// @notice Somebody is paid, at any time; now and then ether arrives that nobody asked for.
    function pay(uint256 seed) external watched {
        if (seed % 16 == 0) {
            uint256 amount = seed >> 8 & 0xffff;
            forced += amount;
            vm.deal(address(task), address(task).balance + amount);
        }
        _pay(people[seed % people.length]);
        if (seed % 5 == 0) _pay(publisher);
    }

    /// @notice What must be refused now is refused: half of all calls, by chance.
    function probe(uint256 seed) external watched {
        Phase phase = task.phase();
        uint8 seat = uint8(seed % 8);
        address sender = people[(seed >> 8) % people.length];
        if (trainers.length > seat && seed & 16 == 0) sender = trainers[seat];
        (bytes[] memory calls, Phase[] memory phases) = _calls(seat, seed);
        for (uint256 i; i < calls.length; ++i) {
            if (seed >> (16 + i) & 1 == 0 || phase == phases[i]) continue;
            _refused(sender, calls[i], phases[i] == Phase.Bidding ? _bidValue(i) : 0);
        }
        _refused(stranger, abi.encodeCall(task.initialise, ()), 0);
        if (phase != Phase.Bidding && phase != Phase.Select) _refused(publisher, abi.encodeCall(task.cancel, ()), 0);
    }

    /// @dev Calls with the only phase in which each may succeed.
    function _calls(uint8 seat, uint256 seed) private view returns (bytes[] memory calls, Phase[] memory phases) {
        calls = new bytes[](10);
        phases = new Phase[](10);
        Opening memory o;
        bytes32 digest = bytes32(seed | 1);
        (calls[0], phases[0]) = (abi.encodeCall(task.bidAsTrainer, (SAMPLES, 0, 1)), Phase.Bidding);
        (calls[1], phases[1]) = (abi.encodeCall(task.bidAsMiner, (0)), Phase.Bidding);
        (calls[2], phases[2]) = (abi.encodeCall(task.select, ()), Phase.Select);
        (calls[3], phases[3]) = (abi.encodeCall(task.commit, (seat, digest)), Phase.Commit);
        (calls[4], phases[4]) = (abi.encodeCall(task.reveal, (seat, digest, digest, 1, 1, digest)), Phase.Reveal);
        (calls[5], phases[5]) = (abi.encodeCall(task.check, (seat, seed)), Phase.Check);
        (calls[6], phases[6]) = (abi.encodeCall(task.seal, (seat, digest)), Phase.Seal);
        (calls[7], phases[7]) = (abi.encodeCall(task.propose, (seat, o, seed)), Phase.Mine);
        (calls[8], phases[8]) = (abi.encodeCall(task.open, (seat, o, new uint256[](0), 0)), Phase.Open);
        (calls[9], phases[9]) = (abi.encodeCall(task.finalise, (new uint256[](1), 0)), Phase.Finalise);
    }

    function _bidValue(uint256 call) private view returns (uint256) {
        return call == 0 ? uint256(SAMPLES) * terms.trainerDeposit : terms.minerDeposit;
    }

    // ------------------------------------------------------------------ steps

    function _act(Status memory s, uint256 seed) private returns (bool acted) {
        if (s.phase == Phase.Bidding) return _bid(seed);
        if (s.phase == Phase.Select) return _endBidding(seed);
        if (s.phase == Phase.Commit) return _actTrainer(s.round, seed, false);
        if (s.phase == Phase.Reveal) return _actTrainer(s.round, seed, true);
        if (s.phase == Phase.Closed) return _afterwards(seed);
        if (s.phase == Phase.Challenge) vm.warp(s.deadline);
        else if (s.phase == Phase.Finalise) _finaliseBy(stranger);
        else return _actMiner(s, seed);
        return true;
    }

    function _bid(uint256 seed) private returns (bool) {
        Role role = seed >> 16 & 3 == 0 ? Role.Miner : Role.Trainer;
        address account = people[seed % people.length];
        for (uint256 k; k < people.length && _depositOf(role, account) != 0; ++k) account = people[k];
        if (_depositOf(role, account) != 0) {
            vm.warp(task.status().deadline);
            return true;
        }
        uint256 deposit = terms.minerDeposit;
        bytes memory call = abi.encodeCall(task.bidAsMiner, (uint80(_pick(seed, "fee", 0, _fairFee()))));
        if (role == Role.Trainer) {
            uint32 samples = uint32(_pick(seed, "samples", 100, 2000));
            deposit = samples * uint256(terms.trainerDeposit);
            uint64 price = uint64(_pick(seed, "price", 0, terms.maxPrice));
            call = abi.encodeCall(task.bidAsTrainer, (samples, price, 1));
        }
        vm.deal(account, account.balance + deposit);
        vm.prank(account);
        (bool ok,) = address(task).call{value: deposit}(call); // refused only when all slots hold better bids
        if (ok) paidIn += deposit;
        return true;
    }

    function _endBidding(uint256 seed) private returns (bool) {
        if (seed % 16 == 0) {
            vm.prank(publisher);
            task.cancel();
            return true;
        }
        vm.prank(stranger);
        task.select();
        _readSeats();
        return true;
    }

    /// @dev The first trainer from a random seat that can still commit, or reveal; a second time is refused.
    function _actTrainer(Round memory r, uint256 seed, bool reveal) private returns (bool) {
        for (uint256 k; k < trainers.length; ++k) {
            uint256 i = ((seed >> 8) + k) % trainers.length;
            Trainer memory tr = task.trainer(uint8(i));
            bool acted = tr.round == r.id && (!reveal || tr.stage == Stage.Revealed);
            bool can = reveal ? tr.round == r.id : tr.strikes < terms.maxStrikes;
            if (acted && k == 0) _expectNoSecondTime(i, reveal);
            if (acted || !can) continue;
            if (reveal) _reveal(i);
            else _commit(i);
            return true;
        }
        return false;
    }

    function _expectNoSecondTime(uint256 i, bool reveal) private {
        Update memory u = _updateOf(i);
        bytes memory call = abi.encodeCall(task.commit, (uint8(i), keccak256("second")));
        if (reveal) {
            call = abi.encodeCall(task.reveal, (uint8(i), u.root, u.contentId, u.samples, u.trainingTime, u.salt));
        }
        _refused(trainers[i], call, 0);
    }

    /// @dev The first miner from a random seat that can still do what the phase asks.
    function _actMiner(Status memory s, uint256 seed) private returns (bool) {
        uint256 able = s.round.activeMiners;
        if (s.phase == Phase.Seal) able &= ~uint256(s.round.sealers);
        if (s.phase == Phase.Mine) able &= uint256(s.round.sealers) & ~uint256(s.round.proposers);
        if (s.phase == Phase.Open) able &= uint256(s.round.sealers) & ~uint256(s.round.openers);
        for (uint256 k; k < miners.length; ++k) {
            uint256 m = ((seed >> 8) + k) % miners.length;
            if (able >> m & 1 == 0) continue;
            if (s.phase == Phase.Check) _check(m, _verdict(seed));
            else if (s.phase == Phase.Seal) _seal(m, _result(m, seed));
            else if (s.phase == Phase.Mine) _propose(m);
            else _openWith(m, seed);
            return true;
        }
        return false;
    }

    /// @dev Mostly ok for all, sometimes any bits.
    function _verdict(uint256 seed) private view returns (uint256) {
        return seed % 8 == 0 ? uint256(keccak256(abi.encode(seed))) : _verdicts(0, OK);
    }

    /// @dev Mostly the truth, with scores that differ a little; sometimes a common lie, sometimes nonsense.
    function _result(uint256 m, uint256 seed) private view returns (Opening memory o) {
        o = seed % 16 == 0 ? _false(m) : _honest(m);
        if (seed % 16 == 1) o.contentId = bytes32(seed);
        o.accuracy = seed % 8 == 2 ? 8000 : 9500;
        for (uint256 i; i < trainers.length; ++i) {
            uint256 score = uint256(keccak256(abi.encode(_round(), i))) % 60_000 + seed % 100;
            if (seed >> 16 & 7 == 0) score = uint16(uint256(keccak256(abi.encode(seed, i))));
            o.scores.setLane(i, score);
        }
    }

    /// @dev Sometimes with medians, right or wrong: they must not spoil the opening.
    function _openWith(uint256 m, uint256 seed) private {
        uint256[] memory medians;
        uint16 middle;
        if (seed % 3 == 0) (medians, middle) = _medians();
        Opening memory o = _sealed(m);
        vm.prank(miners[m]);
        task.open(uint8(m), o, medians, middle);
    }

    function _finaliseBy(address anybody) private {
        (uint256[] memory medians, uint16 middle) = _medians();
        vm.prank(anybody);
        task.finalise(medians, middle);
    }

    /// @dev The task is closed: somebody takes what is theirs; when all have, the next task starts.
    function _afterwards(uint256 seed) private returns (bool) {
        if (seed % 4 != 0 && address(task).balance > _stuck() + forced) {
            for (uint256 k; k < people.length; ++k) _pay(people[((seed >> 8) + k) % people.length]);
            _pay(publisher);
            return true;
        }
        exit();
        burntBefore += task.burnt();
        ++tasksClosed;
        _publishAny(seed);
        return true;
    }

    // ------------------------------------------------------------------ exit

    /// @notice From wherever the task is, calls that anybody may make and the clock bring everybody out.
    function exit() public {
        Status memory s = task.status();
        for (uint256 i; i < 64 && s.phase != Phase.Closed; ++i) {
            if (s.deadline != 0) vm.warp(s.deadline);
            else if (s.phase == Phase.Select) _endBidding(1);
            else _finaliseBy(stranger);
            s = task.status();
        }
        vm.assertEq(uint256(s.phase), uint256(Phase.Closed), "never closes");
        for (uint256 i; i < people.length; ++i) _pay(people[i]);
        _pay(publisher);
        vm.assertEq(address(task).balance, _stuck() + forced, "left in a closed task");
    }

    // ------------------------------------------------------------------ helpers

    function _pay(address account) private {
        uint256 amount = task.withdrawable(account);
        uint256 before = account.balance;
        vm.prank(stranger);
        uint256 gas = account == burner ? 100_000 : 1e6;
        (bool ok,) = address(task).call{gas: gas}(abi.encodeCall(task.withdraw, (account)));
        vm.assertTrue(ok == (amount != 0 && !_isHostile(account)), "who can be paid is paid, once");
        vm.assertEq(account.balance - before, ok ? amount : 0, "exactly");
        if (ok) withdrawn += amount;
    }

    function _refused(address sender, bytes memory call, uint256 value) private {
        vm.deal(sender, sender.balance + value);
        vm.prank(sender);
        (bool ok,) = address(task).call{value: value}(call);
        vm.assertTrue(!ok, "not refused");
        vm.deal(sender, sender.balance - value);
    }

    /// @dev A fee that the miners' share can cover, most of the time.
    function _fairFee() private view returns (uint256) {
        uint256 share = terms.reward * terms.minerShare / 10_000 / terms.rounds;
        return share < terms.maxFee ? share : terms.maxFee;
    }

    function _updateOf(uint256 i) internal view override returns (Update memory u) {
        u = super._updateOf(i);
        // Claims below, at and above the bid.
        uint256 kind = uint256(u.root) % 4;
        if (kind == 0) u.samples = 1;
        if (kind == 1) u.samples = type(uint32).max;
    }

    function _expectForward(Status memory a, Status memory b) private {
        vm.assertGe(uint256(b.state), uint256(a.state), "state");
        vm.assertGe(b.round.id, a.round.id, "round");
        vm.assertLe(b.roundsLeft, a.roundsLeft, "rounds left");
        vm.assertGe(b.voidRounds, a.voidRounds, "void rounds");
        bool sameRound = b.round.id == a.round.id && b.state == a.state;
        if (sameRound) vm.assertGe(uint256(b.phase), uint256(a.phase), "phase");
        _note(a, b);
    }

    function _note(Status memory a, Status memory b) private {
        if (b.head.blockHash != a.head.blockHash) ++seen.accepted;
        if (b.voidRounds != a.voidRounds) ++seen.voided;
        if (b.round.activeMiners < a.round.activeMiners) ++seen.struckOut;
        if (b.state == a.state) return;
        if (b.state == State.Aborted) ++seen.aborted;
        if (b.state != State.Completed) return;
        ++seen.completed;
        if (b.roundsLeft != 0) ++seen.early;
        if (task.burnt() != 0) ++seen.burnt;
    }
}
