// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Phase, Round, Terms} from "../../../contracts/interfaces/TaskTypes.sol";
import {PhaseRules} from "../../../contracts/libraries/PhaseRules.sol";
import {Test} from "../utils/Test.sol";

/// @notice The phase under random acts and random time, seen from outside the contracts: a plain driver plays
/// everybody, disputes included, and sets the marks as the task does.
contract PhaseRulesTest is Test {
    uint256 private constant FAST = 3; // the result of a fast block; those of openings are 1 and 2

    Round private _r;
    Terms private _t;
    uint256 private _now;
    uint256 private _inputs;
    bool private _drawKnown; // of the fast block
    bool private _drawn;
    uint256[3] private _results; // by miner seat
    uint256 private _refuted; // bitmap of results

    /// @dev Whatever happens and however the clock runs, standing still included: no phase is entered again, but for
    /// another block after one that was refuted, or drawn to be voted on; a deadline does not move by time alone; and
    /// every round ends.
    function test_neverReopens(uint256 seed) public {
        _begin(seed);
        PhaseRules.Clock memory c = _current();
        vm.assertEq(uint256(c.phase), uint256(Phase.Commit), "first");
        for (uint256 step; step < 80; ++step) {
            uint256 random = uint256(keccak256(abi.encode(seed, step)));
            bool passes = random % 3 == 0;
            (uint256 refuted, bool fast) = (_refuted, _r.fast != 0);
            if (passes) _now += random / 3 % 4;
            else _act(c, random / 3);
            PhaseRules.Clock memory next = _current();
            if (_rank(next) < _rank(c)) {
                vm.assertTrue(!passes && (_refuted != refuted || fast), "reopened");
                vm.assertTrue(next.again || next.phase == Phase.Seal, "another block");
            }
            if (passes && _rank(next) == _rank(c) && _drawKnown) {
                vm.assertEq(next.deadline, c.deadline, "moved deadline");
            }
            if (next.deadline != 0) vm.assertLt(_now, next.deadline, "deadline has passed");
            vm.assertTrue(!next.again || next.phase == Phase.Mine, "another attempt is mined");
            c = next;
        }
        _drawKnown = true;
        c = _current();
        for (uint256 i; i < 12 && c.deadline != 0; ++i) {
            _now = c.deadline;
            c = _current();
        }
        vm.assertEq(uint256(c.phase), uint256(Phase.Finalise), "time alone ends it");
    }

    /// @dev With the marks as they are, later is never earlier.
    function test_monotoneInTime(uint256 seed, uint32 sooner, uint32 later) public {
        _begin(seed);
        for (uint256 step; step < 40; ++step) {
            uint256 random = uint256(keccak256(abi.encode(seed, step)));
            if (random % 3 == 0) _now += random / 3 % 4;
            _act(_current(), random / 3);
        }
        _now += sooner % 100;
        PhaseRules.Clock memory before = _current();
        uint256 passed = later % 100;
        bool ends = before.deadline != 0 && _now + passed >= before.deadline;
        _now += passed;
        PhaseRules.Clock memory afterwards = _current();
        vm.assertLe(_rank(before), _rank(afterwards), "order");
        if (!ends) vm.assertEq(_rank(before), _rank(afterwards), "left before its deadline");
        if (ends && _drawKnown) vm.assertLt(_rank(before), _rank(afterwards), "stayed after its deadline");
    }

    /// @dev However many disputes, a block's window ends six response windows after its regular end at the latest.
    function test_disputesProlongUpToAFixedEnd(uint256 seed) public {
        _begin(seed);
        uint256 regular;
        for (uint256 step; step < 200; ++step) {
            PhaseRules.Clock memory c = _current();
            uint256 random = uint256(keccak256(abi.encode(seed, step)));
            if (c.phase == Phase.Finalise) break;
            if (c.phase != Phase.Challenge) {
                if (random % 3 == 0) _now += random / 3 % 4;
                else _act(c, random / 3);
                continue;
            }
            if (!_drawKnown) {
                (_drawKnown, _drawn) = (true, false);
                c = _current();
            }
            if (regular == 0) regular = uint256(_r.windowFrom) + (_r.fast != 0 ? _t.minWindow : _t.challengeWindow);
            vm.assertLe(c.deadline, regular + 6 * uint256(_t.responseWindow), "latest end");
            _now = c.deadline - 1;
            _r.lastDispute = uint32(_now); // at the last moment, again and again
        }
    }

    // ------------------------------------------------------------------ driver

    function _begin(uint256 seed) private {
        delete _r;
        delete _results;
        (_refuted, _drawKnown, _drawn) = (0, true, false);
        _now = 1000;
        _r.start = 1000;
        _r.running = true;
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
        _t.challengeWindow = uint32(_within(seed >> 88, 1, 9));
        _t.minWindow = uint32(_within(seed >> 96, 1, _t.challengeWindow));
        _t.responseWindow = uint32(_within(seed >> 104, 1, 5));
        _inputs = _within(seed >> 80, 0, 4);
    }

    /// @dev As the task puts both halves together.
    function _current() private view returns (PhaseRules.Clock memory c) {
        c = PhaseRules.early(_r, _t, _now);
        if (c.phase != Phase.Check) return c;
        return PhaseRules.late(_r, _t, _facts(), c.deadline, _now);
    }

    function _facts() private view returns (PhaseRules.Facts memory f) {
        f.inputCount = _inputs;
        if (_r.fast != 0) (f.fastStands, f.fastKnown) = (!_drawKnown || !_drawn, _drawKnown && !_drawn);
        if (_r.firstProposal == 0) return f;
        (uint256 truth, uint256 votes) = _truth();
        f.hasTruth = truth != 0;
        f.unanimous = votes == _ones(_r.activeMiners);
        for (uint256 m; m < 3; ++m) {
            if (truth != 0 && _r.proposers >> m & 1 != 0 && _results[m] == truth) f.hasBlock = true;
        }
    }

    /// @dev The strict majority's result; once an opened one is refuted, what most of the others opened.
    function _truth() private view returns (uint256, uint256) {
        uint256[3] memory votes; // by result
        bool plurality;
        for (uint256 m; m < 3; ++m) {
            if (_r.openers >> m & 1 == 0) continue;
            if (_refuted >> _results[m] & 1 != 0) plurality = true;
            else ++votes[_results[m]];
        }
        uint256 best = votes[2] > votes[1] ? 2 : 1;
        uint256 least = plurality ? 1 : _ones(_r.activeMiners) / 2 + 1;
        return votes[best] < least ? (0, 0) : (best, votes[best]);
    }

    function _act(PhaseRules.Clock memory c, uint256 random) private {
        uint32 time = uint32(_now);
        uint16 bit = uint16(1 << random % 3) & _r.activeMiners;
        if (c.phase == Phase.Commit) {
            if (++_r.commits == _r.activeTrainers) _r.commitSpan = uint24(_now - _r.start + 1);
        } else if (c.phase == Phase.Reveal) {
            if (++_r.reveals == _r.commits) _r.revealSpan = uint24(_now - _r.start + 1);
        } else if (c.phase == Phase.Check) {
            _r.checkers |= bit;
            if (_r.checkers == _r.activeMiners) _r.checkClosed = time;
        } else if (c.phase == Phase.Seal) {
            _actInSeal(bit, random / 3, time);
        } else if (c.again) {
            _proposeAgain(random % 3, time);
        } else if (c.phase != Phase.Finalise) {
            if (_r.firstProposal != 0 || c.phase == Phase.Challenge) _dispute(random / 3, time);
            if (c.phase == Phase.Mine) _propose(c, random % 3, random / 12, time);
            if (c.phase == Phase.Open) _markOpen(random % 3, random / 12, time);
        }
    }

    function _actInSeal(uint16 bit, uint256 random, uint32 time) private {
        if (bit == 0) return;
        if (random % 4 == 0 && _r.windowFrom == 0) {
            _r.fast = uint8(1 + _seatOf(bit));
            _r.windowFrom = time;
            _results[_seatOf(bit)] = FAST;
            _drawKnown = false;
            return;
        }
        _r.fast = 0; // drawn: it gives way
        _r.sealers |= bit;
        if (_r.sealers == _r.activeMiners) _r.sealClosed = time;
    }

    function _propose(PhaseRules.Clock memory c, uint256 seat, uint256 random, uint32 time) private {
        uint16 bit = uint16(1 << seat) & _r.sealers & ~_r.proposers;
        if (bit == 0) return;
        _r.proposers |= bit;
        if (_r.firstProposal == 0) {
            if (_r.sealClosed == 0) _r.sealClosed = uint32(c.deadline - _t.mineWindow);
            _r.firstProposal = time;
        }
        _r.windowFrom = time;
        if (_t.forkWindow == 0 || _r.proposers == _r.sealers) _r.mineClosed = time;
        _markOpen(seat, random, time);
    }

    function _proposeAgain(uint256 seat, uint32 time) private {
        (uint256 truth,) = _truth();
        if (_r.openers >> seat & 1 == 0 || _results[seat] != truth) return;
        _r.proposers |= uint16(1 << seat);
        ++_r.attempt;
        if (_r.openClosed == 0) _r.openClosed = time;
        _r.windowFrom = time;
    }

    /// @dev The draw becomes known, a dispute goes on, or a result is refuted.
    function _dispute(uint256 random, uint32 time) private {
        if (!_drawKnown) {
            (_drawKnown, _drawn) = (true, random / 8 % 2 == 0);
            return;
        }
        uint256 m = random / 8 % 3;
        if (random % 8 > 1) return;
        if (_r.fast == 0 && _r.openers >> m & 1 == 0) return;
        _r.lastDispute = time;
        if (random % 8 == 1) return;
        if (_r.fast == 0) {
            _refuted |= 1 << _results[m];
            _r.refuted |= uint16(1 << m);
            return;
        }
        m = _r.fast - 1;
        _refuted |= 1 << FAST;
        _r.refuted |= uint16(1 << m);
        _r.fast = 0;
        _r.activeMiners &= ~uint16(1 << m);
    }

    function _markOpen(uint256 seat, uint256 random, uint32 time) private {
        uint16 bit = uint16(1 << seat) & _r.sealers & ~_r.openers;
        if (bit == 0) return;
        _results[seat] = 1 + random % 4 / 3;
        _r.openers |= bit;
        if (_r.openers == _r.sealers) _r.openClosed = time;
    }

    // ------------------------------------------------------------------ helpers

    /// @dev The order of phases; another attempt at a block comes after Open.
    function _rank(PhaseRules.Clock memory c) private pure returns (uint256) {
        return c.again ? 2 * uint256(Phase.Open) + 1 : 2 * uint256(c.phase);
    }

    function _seatOf(uint16 bit) private pure returns (uint256 seat) {
        while (bit >> seat != 1) ++seat;
    }

    function _ones(uint256 bitmap) private pure returns (uint256 ones) {
        for (; bitmap != 0; bitmap >>= 1) ones += bitmap & 1;
    }
}
