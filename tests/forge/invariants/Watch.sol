// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskEvents} from "../../../contracts/interfaces/ITaskEvents.sol";
import {Fault, Phase, Role, Round, State, Status} from "../../../contracts/interfaces/TaskTypes.sol";
import {Vm} from "../utils/Test.sol";
import {Actors} from "./Actors.sol";
import {Books, MAX_MINERS, MAX_TRAINERS, OpenTask} from "./OpenTask.sol";

/// @notice What holds after every single step, whatever it was. Statements are `require`s: a cheatcode each would take
/// a good part of a campaign's time.
abstract contract Watch is Actors {
    /// @notice How often what has happened.
    struct Seen {
        uint256 accepted;
        uint256 voided;
        uint256 completed;
        uint256 early;
        uint256 aborted;
        uint256 struckOut;
        uint256 burnt;
        uint256 refuted;
        uint256 again; // second minings that brought a block
        uint256 fast; // fast blocks that became final
        uint256 fastVoted;
        uint256 stood; // fork choices between several blocks
        uint256 relayed;
        uint256 prolonged; // windows, by disputes
        uint256 slashed;
    }

    /// @notice A trainer's part in the newest round that it committed in, as it was sent.
    struct Mark {
        uint16 round;
        uint32 samples; // revealed
    }

    uint256 private constant EARNED_BITS = 128;
    uint256 private constant RESPONSES = 6; // response windows by which disputes prolong a window at most

    Seen internal seen;
    mapping(bytes32 result => bool) internal refutedOnce; // by task, round, root and content
    mapping(address task => mapping(uint256 seat => Mark)) internal marks;
    /// @dev Earned, and the deposit in the higher half: trainer seats, then miner seats.
    uint256[MAX_TRAINERS + MAX_MINERS] private _purses;
    uint256[MAX_TRAINERS + MAX_MINERS] private _slashed; // from events
    address private _watched;
    uint256 private _seenPlace; // task, round, attempt and phase seen last
    uint256 private _end; // Unix seconds at which that phase must have ended

    /// @dev The task after a step from `a`.
    function _next(Status memory a) internal returns (Status memory b) {
        b = task.status();
        if (address(task) != _watched) {
            _watched = address(task);
            delete _purses;
            delete _slashed;
            a = b;
        }
        if (a.state == State.Bidding && b.state == State.Running) _readSeats();
        _expectForward(a, b);
        _expectEnds(a, b);
        Books memory k = OpenTask(address(task)).books(paid, claims);
        _expectEveryWeiAccounted(b, k);
        _expectFairPurses(a, b, k);
        if (b.state == State.Running) {
            _expectOneContributionEach(b, k);
            _expectWeightsCapped(b.round.id, k);
        }
        _note(a, b, k.burnt);
    }

    function _isClosed(Status memory s) internal pure returns (bool) {
        return s.state == State.Completed || s.state == State.Aborted;
    }

    // ------------------------------------------------------------------ phases

    function _expectForward(Status memory a, Status memory b) private view {
        require(b.state >= a.state, "state goes back");
        require(b.round.id >= a.round.id, "round goes back");
        require(b.roundsLeft <= a.roundsLeft, "rounds left");
        require(b.voidRounds >= a.voidRounds, "void rounds");
        bool sameRound = b.round.id == a.round.id && b.state == a.state;
        if (_isClosed(a)) {
            require(sameRound && b.roundsLeft == a.roundsLeft && b.phase == Phase.Closed, "closed is closed");
            require(b.head.blockHash == a.head.blockHash && b.head.root == a.head.root, "closed with its head");
        }
        if (sameRound && b.phase < a.phase) {
            // Back to Mine or Seal only for another block: where the truth has none, or a fast one fell or was drawn.
            bool again = b.phase == Phase.Mine && b.attempt > a.attempt;
            bool voted = b.phase >= Phase.Seal && a.round.fast != 0;
            bool other = b.round.refuted != a.round.refuted; // a truth that has a block and its window already
            bool next = a.phase == Phase.Mine && a.attempt > a.round.attempt; // a second block, or a third mining
            require(again || voted || other || next, "phase goes back");
        }
        if (sameRound) require(b.head.blockHash == a.head.blockHash, "a head before the round is final");
        if (b.head.blockHash == a.head.blockHash) return;
        bytes32 id = keccak256(abi.encode(address(task), a.round.id, b.head.root, b.head.contentId));
        require(!refutedOnce[id], "a refuted result is the head");
    }

    /// @dev A phase that is reported is not over; it ends within its window from when it was first seen; and only a
    /// proposal or a dispute moves its end, a dispute up to a fixed limit.
    function _expectEnds(Status memory a, Status memory b) private {
        uint256 place = _placeOf(b);
        bool first = place != _seenPlace;
        _seenPlace = place;
        bool timed = b.phase != Phase.Closed && b.phase != Phase.Select && b.phase != Phase.Finalise;
        require(timed == (b.deadline != 0), "which phases time ends");
        if (!timed) return;
        require(block.timestamp < b.deadline, "a phase beyond its deadline");
        Round memory r = b.round;
        // A fast block in the chain's newest block: not known to be drawn or not.
        bool undecided = b.phase == Phase.Challenge && r.fast != 0 && b.deadline == block.timestamp + 1;
        bool disputed = r.lastDispute != a.round.lastDispute || r.refuted != a.round.refuted;
        bool proposed = r.windowFrom != a.round.windowFrom || r.firstProposal != a.round.firstProposal;
        if (_placeOf(a) == place && a.deadline != b.deadline) {
            require(undecided || disputed || proposed, "a deadline moves");
            if (b.deadline > a.deadline && disputed) ++seen.prolonged;
        }
        if (r.windowFrom != a.round.windowFrom && r.id == a.round.id) {
            require(r.proposers != a.round.proposers || r.fast != a.round.fast, "a window starts without a block");
        }
        if (b.phase == Phase.Challenge) {
            uint256 last = uint256(r.windowFrom) + terms.challengeWindow + RESPONSES * terms.responseWindow;
            require(undecided || b.deadline <= last, "disputes prolong a window beyond the limit");
            return;
        }
        // Seal has its whole window after a fast block that was drawn; disputes move what follows a block that fell.
        bool moved = b.phase == Phase.Seal && (proposed || disputed) || b.phase == Phase.Mine && disputed;
        if (first || moved) _end = block.timestamp + _windowOf(b.phase);
        require(b.deadline <= _end, "a phase longer than its window");
    }

    function _placeOf(Status memory s) private view returns (uint256) {
        uint256 place = uint256(uint160(address(task))) << 40 | uint256(s.round.id) << 24;
        return place | uint256(s.attempt) << 16 | uint256(s.phase) << 8 | uint256(s.state);
    }

    function _windowOf(Phase phase) private view returns (uint256) {
        if (phase == Phase.Bidding) return terms.biddingWindow;
        if (phase == Phase.Commit) return terms.commitWindow;
        if (phase == Phase.Reveal) return terms.revealWindow;
        if (phase == Phase.Check) return terms.checkWindow;
        if (phase == Phase.Seal) return terms.sealWindow;
        if (phase == Phase.Mine) return uint256(terms.mineWindow) + terms.forkWindow;
        return terms.openWindow;
    }

    // ------------------------------------------------------------------ money

    /// @dev Every wei that came in is out, burnt, or on somebody's account; forced ether is on nobody's.
    function _expectEveryWeiAccounted(Status memory s, Books memory k) private view {
        uint256 sent = _isClosed(s) ? k.burnt : 0;
        uint256 balance = address(task).balance;
        require(balance + withdrawn + sent == paidIn + forced, "paid in = paid out + burnt + left");
        uint256 accounts = k.pool + k.burnt - sent + k.owed + k.bids + k.bonds * terms.challengeBond;
        for (uint256 i; i < k.earned.length; ++i) accounts += k.earned[i] + k.deposits[i];
        require(balance == accounts + forced, "left = what is on the accounts");
        require(address(0).balance == burntBefore + sent, "burnt");
        if (_isClosed(s)) require(k.pool == 0, "a pool after the end");
    }

    /// @dev Pay comes with the end of a round only and leaves as a whole. A deposit is what was bid less what was
    /// slashed, as events told, and comes back after the end only.
    function _expectFairPurses(Status memory a, Status memory b, Books memory k) private {
        bool settled = b.round.id != a.round.id || b.state != a.state;
        for (uint256 i; i < _purses.length; ++i) {
            uint256 purse = k.deposits[i] << EARNED_BITS | k.earned[i];
            uint256 before = _purses[i];
            if (purse == before) continue;
            _purses[i] = purse;
            require(settled || k.earned[i] <= uint128(before), "pay before the round is final");
            require(settled || k.earned[i] == 0 || k.earned[i] == uint128(before), "pay is taken as a whole");
            if (k.deposits[i] == before >> EARNED_BITS) continue;
            if (_isClosed(a)) {
                require(k.deposits[i] == 0, "a deposit is taken as a whole");
                continue;
            }
            require(settled, "a deposit changes before the round is final");
            uint256 bid = _offerOf(i).deposit;
            require(_slashed[i] <= bid, "slashed > deposit");
            require(k.deposits[i] + _slashed[i] == bid, "deposit = bid - slashed");
        }
    }

    function _offerOf(uint256 i) private view returns (Offer storage) {
        if (i < MAX_TRAINERS) return offers[address(task)][Role.Trainer][trainers[i]];
        return offers[address(task)][Role.Miner][miners[i - MAX_TRAINERS]];
    }

    /// @dev Somebody with pay to take, or nobody.
    function _anyEarner() internal view returns (address) {
        for (uint256 i; i < trainers.length; ++i) {
            if (uint128(_purses[i]) != 0 && !_isHostile(trainers[i])) return trainers[i];
        }
        for (uint256 m; m < miners.length; ++m) {
            if (uint128(_purses[MAX_TRAINERS + m]) != 0 && !_isHostile(miners[m])) return miners[m];
        }
        return address(0);
    }

    /// @dev Around whatever may settle a round.
    modifier recorded() {
        vm.recordLogs();
        _;
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] != ITaskEvents.Slashed.selector || logs[i].emitter != address(task)) continue;
            uint256 seat = uint256(logs[i].topics[3]);
            if (Role(uint256(logs[i].topics[2])) == Role.Miner) seat += MAX_TRAINERS;
            (, uint256 amount) = abi.decode(logs[i].data, (Fault, uint256));
            _slashed[seat] += amount;
            ++seen.slashed;
        }
    }

    // ------------------------------------------------------------------ updates

    /// @dev The round's counters are the participants' marks: one contribution each, by whom it was open to.
    function _expectOneContributionEach(Status memory s, Books memory k) private view {
        Round memory r = s.round;
        uint256 commits;
        uint256 revealed;
        for (uint256 i; i < trainers.length; ++i) {
            if (k.rounds[i] != r.id) continue;
            ++commits;
            if (k.samples[i] != 0) revealed |= 1 << i;
        }
        require(r.commits == commits, "commits");
        require(r.revealed == revealed, "one reveal each");
        require(r.reveals == _ones(revealed), "reveals");
        require(commits <= r.activeTrainers, "committed although struck out");
        require((r.checkers | r.sealers) & ~(r.activeMiners | r.refuted) == 0, "acted although struck out");
        require(r.openers & ~r.sealers == 0, "opened without a seal");
        require(r.proposers & ~r.openers == 0, "proposed without opening");
        require(s.roundsLeft > 0, "rounds left");
    }

    /// @dev What an update weighs, by its trainer's standing, is at most what the trainer offered, and revealed; one
    /// sample always counts.
    function _expectWeightsCapped(uint16 round, Books memory k) private view {
        for (uint256 i; i < trainers.length; ++i) {
            uint256 offered = offers[address(task)][Role.Trainer][trainers[i]].samples;
            require(k.caps[i] <= offered, "cap > offered");
            require(k.qualities[i] <= type(uint16).max, "quality > 1");
            if (k.rounds[i] != round || k.samples[i] == 0) continue;
            uint256 samples = marks[address(task)][i].samples;
            require(k.samples[i] == samples, "samples");
            uint256 weight = (samples < k.caps[i] ? samples : k.caps[i]) * k.qualities[i] / type(uint16).max;
            require(weight <= offered && weight <= samples, "weight");
        }
    }

    // ------------------------------------------------------------------ what has happened

    function _note(Status memory a, Status memory b, uint256 burnt) private {
        if (b.head.blockHash != a.head.blockHash) {
            ++seen.accepted;
            if (a.round.fast != 0) ++seen.fast;
            if (_ones(a.round.proposers) > 1) ++seen.stood;
        }
        if (a.round.fast != 0 && b.round.sealers != 0) ++seen.fastVoted;
        if (b.voidRounds != a.voidRounds) ++seen.voided;
        if (b.round.activeMiners < a.round.activeMiners) ++seen.struckOut;
        if (b.state == a.state) return;
        if (b.state == State.Aborted) ++seen.aborted;
        if (b.state != State.Completed) return;
        ++seen.completed;
        if (b.roundsLeft != 0) ++seen.early;
        if (burnt != 0) ++seen.burnt;
    }
}
