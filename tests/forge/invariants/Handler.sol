// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IReputation} from "../../../contracts/interfaces/IReputation.sol";
import {Opening, Phase, Stake, Status} from "../../../contracts/interfaces/TaskTypes.sol";
import {Deeds} from "./Deeds.sol";

/// @notice What the fuzzer may do, over one task after the other. Calls do not revert: each finds somebody who can do
/// something in the present phase, honest or not, and what must be refused is tried and seen to be refused. Everything
/// is watched after every step.
contract Handler is Deeds {
    /// @notice How often a call was made, and did what it is for.
    struct Tally {
        uint128 calls;
        uint128 done;
    }

    uint256 private constant DEEDS = 12;

    Tally[DEEDS] private _tallies;
    uint256 private _drawn;

    constructor() {
        _gather();
        lieAt = 0;
        _publishAny(0);
        _next(task.status());
    }

    /// @dev Forge likes small numbers, and the same ones again: a call's draw depends on all calls before it.
    function _draw(uint256 seed) private returns (uint256) {
        return _drawn = uint256(keccak256(abi.encode(_drawn, seed)));
    }

    // ------------------------------------------------------------------ calls

    /// @notice Somebody takes the next step.
    function act(uint256 seed) external {
        seed = _draw(seed);
        Status memory s = task.status();
        bool acted = _act(s, seed);
        _next(s);
        _count(Deed.Act, acted);
    }

    /// @notice Everybody takes the step of the present phase, or nearly.
    function actAll(uint256 seed) external {
        seed = _draw(seed);
        Status memory s = task.status();
        Phase phase = s.phase;
        bool acted;
        for (uint256 i; i < 12 && s.phase == phase; ++i) {
            if (!_act(s, _pick(seed, bytes32(i), 0, type(uint128).max))) break;
            acted = true;
            s = _next(s);
        }
        _next(s);
        _count(Deed.ActAll, acted);
    }

    /// @notice Time passes: a little, to the end of the phase, or far beyond it.
    function jump(uint256 seed) external {
        seed = _draw(seed);
        Status memory s = task.status();
        uint256 left = s.deadline == 0 ? 3 : s.deadline - block.timestamp;
        if (seed % 8 == 0) _elapse(block.timestamp + left + seed / 8 % 40);
        else if (seed % 8 == 1) _elapse(block.timestamp + left);
        else _elapse(block.timestamp + 1 + seed / 8 % (left / 4 + 1));
        if (seed % 64 == 2) vm.roll(block.number + 256); // no draw can be looked up any more
        _next(s);
        _count(Deed.Jump, true);
    }

    /// @notice Somebody is paid, at any time; now and then ether arrives that nobody asked for.
    function pay(uint256 seed) external {
        seed = _draw(seed);
        Status memory s = task.status();
        if (seed % 16 == 0) {
            uint256 amount = seed >> 8 & 0xffff;
            forced += amount;
            vm.deal(address(task), address(task).balance + amount);
        }
        bool done = _pay(paid[seed % paid.length], stranger);
        address earner = _anyEarner();
        if (!done && earner != address(0)) done = _pay(earner, earner);
        _next(s);
        _count(Deed.Pay, done);
    }

    /// @notice What must be refused now is refused: half of all calls, by chance.
    function probe(uint256 seed) external {
        seed = _draw(seed);
        Status memory s = task.status();
        Phase phase = s.phase;
        uint8 seat = uint8(seed % 8);
        address sender = people[(seed >> 8) % people.length];
        if (trainers.length > seat && seed & 16 == 0) sender = trainers[seat];
        uint256 tried;
        for (uint256 i; i < 12; ++i) {
            if (seed >> (16 + i) & 1 == 0) continue;
            (bytes memory call, bool fits, uint256 value) = _callOf(i, phase, seat, seed);
            if (fits) continue;
            _refused(sender, call, value);
            ++tried;
        }
        _refused(stranger, abi.encodeCall(task.initialise, ()), 0);
        if (phase != Phase.Bidding && phase != Phase.Select) _refused(publisher, abi.encodeCall(task.cancel, ()), 0);
        _next(s);
        _count(Deed.Probe, tried != 0);
    }

    /// @dev A call, whether it may succeed in this phase, and its value.
    function _callOf(
        uint256 i,
        Phase phase,
        uint8 seat,
        uint256 seed
    ) private view returns (bytes memory call, bool fits, uint256 value) {
        Opening memory o;
        bytes32 digest = bytes32(seed | 1);
        if (i == 0) {
            value = uint256(SAMPLES) * terms.trainerDeposit;
            return (abi.encodeCall(task.bidAsTrainer, (SAMPLES, 0, 1)), phase == Phase.Bidding, value);
        }
        if (i == 1) return (abi.encodeCall(task.bidAsMiner, (0)), phase == Phase.Bidding, terms.minerDeposit);
        if (i == 2) return (abi.encodeCall(task.select, ()), phase == Phase.Select, 0);
        if (i == 3) return (abi.encodeCall(task.commit, (digest)), phase == Phase.Commit, 0);
        if (i == 4) return (abi.encodeCall(task.reveal, (digest, digest, 1, 1, digest)), phase == Phase.Reveal, 0);
        if (i == 5) return (abi.encodeCall(task.check, (seat, seed)), phase == Phase.Check, 0);
        if (i == 6) return (abi.encodeCall(task.seal, (seat, digest)), phase == Phase.Seal, 0);
        if (i == 7) return (abi.encodeCall(task.propose, (seat, o, seed)), phase == Phase.Mine, 0);
        if (i == 8) return (abi.encodeCall(task.open, (seat, o, new uint256[](0), 0)), phase == Phase.Open, 0);
        if (i == 9) return (abi.encodeCall(task.finalise, (new uint256[](1), 0)), phase == Phase.Finalise, 0);
        if (i == 10) return (abi.encodeCall(task.proposeFast, (seat, o, seed)), phase == Phase.Seal, 0);
        bool known = phase == Phase.Mine || phase == Phase.Open || phase == Phase.Challenge;
        return (abi.encodeCall(task.commitChallenge, (seat, digest)), known, terms.challengeBond);
    }

    // ------------------------------------------------------------------ deeds

    /// @notice Somebody posts a bond on the claim that a result is false, right or not.
    function accuse(uint256 seed) external {
        _try(Deed.Accuse, seed);
    }

    /// @notice Somebody shows what it committed to; what is no proof is refused.
    function show(uint256 seed) external {
        _try(Deed.Show, seed);
    }

    /// @notice Somebody asks for a node of a result's tree.
    function ask(uint256 seed) external {
        _try(Deed.Ask, seed);
    }

    /// @notice A question is answered by who has the bytes, or expires.
    function reply(uint256 seed) external {
        _try(Deed.Reply, seed);
    }

    /// @notice A bond against a refuted result is taken back.
    function takeBack(uint256 seed) external {
        _try(Deed.TakeBack, seed);
    }

    /// @notice A trusted miner proposes a block without a vote.
    function vouch(uint256 seed) external {
        _try(Deed.Vouch, seed);
    }

    /// @notice Who opened the truth mines again.
    function mineAgain(uint256 seed) external {
        _try(Deed.MineAgain, seed);
    }

    /// @dev Does it if it can be done now; else takes a step towards it, or, where that happened too seldom, as many as
    /// it takes.
    function _try(Deed deed, uint256 seed) private {
        Status memory s = task.status();
        Tally memory tally = _tallies[uint256(deed)];
        bool behind = tally.calls > 10 && 14 * uint256(tally.done) < tally.calls;
        bool farBehind = behind && 17 * uint256(tally.done) < tally.calls;
        seed = _draw(seed);
        bool done = _do(deed, s, seed);
        if (done) _next(s);
        behind = farBehind || (behind && _isNear(deed, s));
        urged = behind && (deed == Deed.Show || deed == Deed.TakeBack || deed == Deed.MineAgain);
        for (uint256 i; !done && i < (behind ? 40 : 1); ++i) {
            _step(deed, s, _pick(seed, bytes32(i), 0, type(uint128).max));
            s = _next(s);
            if (!behind) break;
            done = _do(deed, s, _pick(seed, bytes32(~i), 0, type(uint128).max));
            if (done) s = _next(s);
        }
        urged = false;
        _count(deed, done);
    }

    function _step(Deed deed, Status memory s, uint256 seed) private {
        bool acted;
        if (urged && _do(Deed.Accuse, s, seed)) acted = true;
        if (urged && deed != Deed.Show && _do(Deed.Show, s, seed)) acted = true;
        if (deed == Deed.Reply && _do(Deed.Ask, s, seed)) acted = true;
        if (acted && seed & 3 != 0) return; // `s` is over
        if (urged && deed == Deed.Show && _isProvable(s)) return;
        if (acted) s = task.status();
        if (urged && deed == Deed.MineAgain && s.phase == Phase.Mine && !_isAgain(s)) {
            // The lie alone has a block.
            bool first = s.round.firstProposal == 0 && s.round.sealers & ~s.round.refuted & 1 != 0;
            if (first) _proposeBy(s, 0, seed);
            else _elapse(s.deadline);
            return;
        }
        _act(s, seed);
    }

    /// @dev One of the steps that the phase asks for; the clock goes on where there is none.
    function _act(Status memory s, uint256 seed) private returns (bool acted) {
        if (s.phase == Phase.Closed) return _afterwards(s, seed);
        if (s.phase == Phase.Bidding) acted = _bid(s, seed);
        else if (s.phase == Phase.Select) acted = _endBidding(seed);
        else if (s.phase == Phase.Commit) acted = _actTrainer(s, seed, false);
        else if (s.phase == Phase.Reveal) acted = _actTrainer(s, seed, true);
        else if (s.phase == Phase.Finalise) acted = _settle(s);
        else if (s.phase == Phase.Challenge) acted = seed & 3 != 0 && _dispute(s, seed >> 2);
        else acted = (seed % 8 == 5 && _do(Deed.Vouch, s, seed)) || _actMiner(s, seed);
        if (!acted && s.deadline > block.timestamp) _elapse(s.deadline);
    }

    /// @dev Any of the four deeds of a dispute, or one that nearly always can be done.
    function _dispute(Status memory s, uint256 seed) private returns (bool) {
        return _do(Deed(seed & 3), s, seed >> 3) || _do(seed & 4 == 0 ? Deed.Accuse : Deed.Ask, s, seed >> 3);
    }

    function _settle(Status memory s) private returns (bool) {
        _finaliseBy(s, stranger);
        _drop(task.status().round);
        return true;
    }

    /// @dev The task is closed: somebody takes what is theirs; when all have, the next task starts.
    function _afterwards(Status memory s, uint256 seed) private returns (bool) {
        if (seed % 4 != 0 && address(task).balance > _stuck() + forced) {
            _takeBack(s.round, seed >> 8);
            for (uint256 k; k < paid.length; ++k) _pay(paid[((seed >> 8) + k) % paid.length], stranger);
            return true;
        }
        exit();
        burntBefore += task.burnt();
        ++tasksClosed;
        _publishAny(seed);
        return true;
    }

    // ------------------------------------------------------------------ exit

    /// @notice From wherever the task is, the clock and everybody's own calls bring everybody out.
    function exit() public {
        Status memory s = task.status();
        for (uint256 i; i < 100 && s.phase != Phase.Closed; ++i) {
            address anybody = people[i % people.length];
            if (s.deadline != 0) {
                _elapse(s.deadline);
            } else if (s.phase == Phase.Select) {
                vm.prank(anybody);
                task.select();
                _readSeats();
            } else {
                _finaliseBy(s, anybody);
            }
            s = task.status();
        }
        require(s.phase == Phase.Closed, "never closes");
        while (_takeBack(s.round, 1)) {}
        for (uint256 i; i < paid.length; ++i) _pay(paid[i], paid[i]);
        require(address(task).balance == _stuck() + forced, "left in a closed task");
        // Who refused its money only spoilt its own claim, and not for good.
        _soften(true);
        if (task.withdrawable(refuser) != 0) task.withdraw(refuser);
        if (task.withdrawable(burner) != 0) task.withdraw(burner);
        require(address(task).balance == forced, "left when all are out");
        _soften(false);
    }

    /// @notice Thrown when everybody was brought out.
    error Handler_AllOut();

    /// @notice Everybody could get out now; nobody does.
    function tryExit() external {
        (uint256 time, uint256 number) = (block.timestamp, block.number);
        try this.exitAndRevert() {}
        catch (bytes memory why) {
            bool out = bytes4(why) == Handler_AllOut.selector;
            assembly ("memory-safe") {
                if iszero(out) { revert(add(why, 32), mload(why)) }
            }
        }
        // No revert undoes these.
        vm.warp(time);
        vm.roll(number);
        _soften(false);
    }

    function exitAndRevert() external {
        exit();
        revert Handler_AllOut();
    }

    function _pay(address account, address sender) private returns (bool ok) {
        if (account == people[2]) return _payReEnterer(account, sender);
        return _payTo(account, sender);
    }

    /// @dev While it is paid, it may settle a round.
    function _payReEnterer(address account, address sender) private recorded returns (bool) {
        return _payTo(account, sender);
    }

    function _payTo(address account, address sender) private returns (bool ok) {
        uint256 amount = task.withdrawable(account);
        uint256 before = account.balance;
        vm.prank(sender);
        uint256 gas = account == burner ? 100_000 : 1e6;
        (ok,) = address(task).call{gas: gas}(abi.encodeCall(task.withdraw, (account)));
        require(ok == (amount != 0 && !_isHostile(account)), "who can be paid is paid, once");
        require(account.balance - before == (ok ? amount : 0), "exactly");
        if (ok) withdrawn += amount;
    }

    // ------------------------------------------------------------------ sums

    function _count(Deed deed, bool done) private {
        Tally storage tally = _tallies[uint256(deed)];
        ++tally.calls;
        if (done) ++tally.done;
    }

    /// @notice Whatever is called does what it is for in one of twenty calls at least; half of that is enough where a
    /// run is so short that chance decides.
    function expectDeeds() public view {
        for (uint256 i; i < DEEDS; ++i) {
            Tally memory tally = _tallies[i];
            if (tally.calls < 100) continue;
            uint256 least = tally.calls < 200 ? 40 : 20;
            require(least * tally.done >= tally.calls, string.concat("seldom done: ", vm.toString(i)));
        }
    }

    /// @notice n <= m and s <= t, for everybody and over all tasks.
    function expectRecordsInBounds() public view {
        for (uint256 i; i < people.length; ++i) {
            IReputation.MinerRecord memory record = registry.minerRecord(people[i]);
            require(record.accepted <= record.served, "n <= m");
            require(record.received <= record.offered, "s <= t");
        }
    }

    /// @notice Everything that can happen has happened, unless forge only repeats a short sequence that once failed.
    function expectSeen() public view {
        uint256 made;
        for (uint256 i; i < DEEDS; ++i) made += _tallies[i].calls;
        if (made < 2000) return;
        require(tasksClosed > 0, "no tasks closed");
        require(seen.accepted > 0, "no rounds accepted");
        require(seen.voided > 0, "no rounds void");
        require(seen.completed > 0, "no tasks completed");
        require(seen.early > 0, "... early");
        require(seen.burnt > 0, "... with burns");
        require(seen.aborted > 0, "no tasks aborted");
        require(seen.struckOut > 0, "no rounds that struck a miner out");
        require(seen.refuted > 0, "no results refuted");
        require(seen.again > 0, "no second minings");
        require(seen.fast > 0, "no fast blocks final");
        require(seen.fastVoted > 0, "no fast blocks voted on");
        require(seen.stood > 0, "no forks to choose from");
        require(seen.relayed > 0, "no updates relayed");
        require(seen.prolonged > 0, "no windows prolonged");
        require(seen.slashed > 0, "no deposits slashed");
    }
}
