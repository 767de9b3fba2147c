// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Phase, Round, Terms} from "../../../contracts/interfaces/TaskTypes.sol";
import {PhaseRules} from "../../../contracts/libraries/PhaseRules.sol";
import {Test} from "../utils/Test.sol";

/// @notice The phase under random acts and random time, seen from outside the contracts: a plain driver plays
/// everybody and sets the marks as the task does.
contract PhaseRulesTest is Test {
    Round private _r;
    Terms private _t;
    uint256 private _now;
    uint256 private _inputs;

    /// @dev Whatever happens and however the clock runs, standing still included: a phase is never entered again, a
    /// deadline does not move while its phase runs (but for the first proposal, which opens the fork window), and
    /// every round ends.
    function test_neverReopens(uint256 seed) public {
        _begin(seed);
        (Phase phase, uint256 deadline) = _current();
        vm.assertEq(uint256(phase), uint256(Phase.Commit), "first");
        for (uint256 step; step < 60; ++step) {
            uint256 random = uint256(keccak256(abi.encode(seed, step)));
            uint256 proposal = _r.firstProposal;
            if (random % 3 == 0) _now += random / 3 % 4;
            else _act(phase, random / 3);
            (Phase next, uint256 nextDeadline) = _current();
            vm.assertGe(uint256(next), uint256(phase), "reopened");
            if (next == phase && _r.firstProposal == proposal) vm.assertEq(nextDeadline, deadline, "moved deadline");
            if (nextDeadline != 0) vm.assertLt(_now, nextDeadline, "deadline has passed");
            (phase, deadline) = (next, nextDeadline);
        }
        for (uint256 i; i < 12 && deadline != 0; ++i) {
            _now = deadline;
            (phase, deadline) = _current();
        }
        vm.assertGe(uint256(phase), uint256(Phase.Challenge), "time alone ends it");
    }

    /// @dev With the marks as they are, later is never earlier.
    function test_monotoneInTime(uint256 seed, uint32 sooner, uint32 later) public {
        _begin(seed);
        for (uint256 step; step < 30; ++step) {
            uint256 random = uint256(keccak256(abi.encode(seed, step)));
            if (random % 3 == 0) _now += random / 3 % 4;
            (Phase current,) = _current();
            _act(current, random / 3);
        }
        uint256 a = _now + sooner % 100;
        uint256 b = a + later % 100;
        (Phase before, uint256 ends) = PhaseRules.current(_r, _t, _inputs, a);
        (Phase afterwards,) = PhaseRules.current(_r, _t, _inputs, b);
        vm.assertLe(uint256(before), uint256(afterwards), "order");
        if (ends != 0 && b < ends) vm.assertEq(uint256(before), uint256(afterwards), "left before its deadline");
        if (ends != 0 && b >= ends) vm.assertLt(uint256(before), uint256(afterwards), "stayed after its deadline");
    }

    // ------------------------------------------------------------------ driver

    function _begin(uint256 seed) private {
        delete _r;
        _now = 1000;
        _r.start = 1000;
        _r.activeTrainers = uint8(_within(seed, 1, 4));
        _r.activeMiners = uint16((1 << _within(seed >> 8, 1, 3)) - 1);
        _t.minUpdates = uint8(_within(seed >> 16, 1, _r.activeTrainers));
        _t.commitWindow = uint32(_within(seed >> 24, 1, 9));
        _t.revealWindow = uint32(_within(seed >> 32, 1, 9));
        _t.checkWindow = uint32(_within(seed >> 40, 1, 9));
        _t.sealWindow = uint32(_within(seed >> 48, 1, 9));
        _t.mineWindow = uint32(_within(seed >> 56, 1, 9));
        _t.forkWindow = uint32(_within(seed >> 64, 0, 9));
        _t.openWindow = uint32(_within(seed >> 72, 1, 9));
        _inputs = _within(seed >> 80, 0, 4);
    }

    function _current() private view returns (Phase, uint256) {
        return PhaseRules.current(_r, _t, _inputs, _now);
    }

    function _act(Phase phase, uint256 random) private {
        uint32 time = uint32(_now);
        uint16 bit = uint16(1 << random % 3) & _r.activeMiners;
        if (phase == Phase.Commit) {
            if (++_r.commits == _r.activeTrainers) _r.commitClosed = time;
        } else if (phase == Phase.Reveal) {
            if (++_r.reveals == _r.commits) _r.revealClosed = time;
        } else if (phase == Phase.Check) {
            _r.checkers |= bit;
            if (_r.checkers == _r.activeMiners) _r.checkClosed = time;
        } else if (phase == Phase.Seal) {
            _r.sealers |= bit;
            if (_r.sealers == _r.activeMiners) _r.sealClosed = time;
        } else if (phase == Phase.Mine) {
            bit &= _r.sealers & ~_r.proposers;
            if (bit == 0) return;
            _r.proposers |= bit;
            if (_r.firstProposal == 0) _r.firstProposal = time;
            if (_t.forkWindow == 0 || _r.proposers == _r.sealers) _r.mineClosed = time;
            _markOpen(bit, time);
        } else if (phase == Phase.Open) {
            _markOpen(bit & _r.sealers, time);
        }
    }

    function _markOpen(uint16 bit, uint32 time) private {
        if (bit & ~_r.openers == 0) return;
        _r.openers |= bit;
        if (_r.openers == _r.sealers) _r.openClosed = time;
    }
}
