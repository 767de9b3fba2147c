// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Phase, Round, Terms} from "../interfaces/TaskTypes.sol";

/// @title The phase of a round from its marks, its terms and the clock
/// @notice A phase ends when all who are expected have acted, at its deadline otherwise, and never reopens: every
/// start is derived from the end before it, and ends are stored or follow from the terms. What goes back to Mine or
/// Seal is a new attempt at a block, after the block before it was refuted or drawn to be voted on.
library PhaseRules {
    uint256 internal constant RESPONSES = 6; // response windows that disputes add: four questions, and a proof

    /// @notice What the phase also depends on.
    struct Facts {
        uint256 inputCount; // updates that are, or would be, the inputs
        bool fastStands; // there is a fast block, not drawn to be voted on
        bool fastKnown; // that it is not drawn is known
        bool hasTruth; // openers agree on a result as far as the rules ask
        bool hasBlock; // a block carries that result
        bool unanimous; // all active miners opened it
    }

    /// @notice Where a round is.
    struct Clock {
        Phase phase;
        uint256 deadline; // Unix seconds at which time ends the phase; 0 for Finalise
        bool again; // Mine: a new attempt, open to those who opened the truth
    }

    /// @notice Unix seconds at which Commit ends.
    function commitEnd(Round memory r, uint256 commitWindow) internal pure returns (uint256) {
        return r.commitSpan != 0 ? uint256(r.start) + r.commitSpan - 1 : uint256(r.start) + commitWindow;
    }

    /// @notice Unix seconds at which Reveal ends.
    function revealEnd(Round memory r, uint256 commitWindow, uint256 revealWindow) internal pure returns (uint256) {
        if (r.revealSpan != 0) return uint256(r.start) + r.revealSpan - 1;
        return commitEnd(r, commitWindow) + revealWindow;
    }

    /// @notice Whether the trainers' half of the round goes on, and where it is; Check when it is over.
    function early(
        Round memory r,
        Terms memory t,
        uint256 now_
    ) internal pure returns (Clock memory) {
        if (r.commitSpan == 0 && now_ < uint256(r.start) + t.commitWindow) {
            return Clock(Phase.Commit, uint256(r.start) + t.commitWindow, false);
        }
        if (r.commits == 0) return Clock(Phase.Finalise, 0, false);
        uint256 end = revealEnd(r, t.commitWindow, t.revealWindow);
        if (r.revealSpan == 0 && now_ < end) return Clock(Phase.Reveal, end, false);
        if (r.reveals < t.minUpdates) return Clock(Phase.Finalise, 0, false);
        return Clock(Phase.Check, end + t.checkWindow, false);
    }

    /// @notice The miners' half of the round.
    /// @param checkDeadline Unix seconds, from {early}
    function late(
        Round memory r,
        Terms memory t,
        Facts memory f,
        uint256 checkDeadline,
        uint256 now_
    ) internal pure returns (Clock memory) {
        if (r.checkClosed == 0 && now_ < checkDeadline) return Clock(Phase.Check, checkDeadline, false);
        if (f.inputCount < t.minUpdates) return Clock(Phase.Finalise, 0, false);
        if (f.fastStands) return _window(r, t, t.minWindow, f.fastKnown, now_);
        if (r.firstProposal == 0) {
            return _sealAndMine(r, t, r.checkClosed != 0 ? r.checkClosed : checkDeadline, now_);
        }

        uint256 end = r.mineClosed != 0 ? r.mineClosed : uint256(r.firstProposal) + t.forkWindow;
        if (r.mineClosed == 0 && now_ < end) return Clock(Phase.Mine, end, false);
        end = r.openClosed != 0 ? r.openClosed : end + t.openWindow;
        if (r.openClosed == 0 && now_ < end) return Clock(Phase.Open, end, false);
        if (!f.hasTruth) return Clock(Phase.Finalise, 0, false);
        if (f.hasBlock) return _window(r, t, f.unanimous ? t.minWindow : t.challengeWindow, true, now_);
        // The truth has no block, or lost it: who opened it may make one.
        end = _later(end, r.lastDispute) + t.mineWindow;
        return now_ < end ? Clock(Phase.Mine, end, true) : Clock(Phase.Finalise, 0, false);
    }

    function _sealAndMine(
        Round memory r,
        Terms memory t,
        uint256 checkEnd,
        uint256 now_
    ) private pure returns (Clock memory) {
        // After a fast block that did not become final Seal has its whole window.
        uint256 start = r.windowFrom == 0 ? checkEnd : _later(r.windowFrom, r.lastDispute);
        uint256 end = r.sealClosed != 0 ? r.sealClosed : start + t.sealWindow;
        if (r.sealClosed == 0 && now_ < end) return Clock(Phase.Seal, end, false);
        if (r.sealers == 0) return Clock(Phase.Finalise, 0, false);
        end += t.mineWindow;
        return now_ < end ? Clock(Phase.Mine, end, false) : Clock(Phase.Finalise, 0, false);
    }

    /// @dev The time in which a block can be refuted: `length` seconds from its proposal. Disputes, however many,
    /// prolong it once, by a fixed time.
    function _window(
        Round memory r,
        Terms memory t,
        uint256 length,
        bool decided,
        uint256 now_
    ) private pure returns (Clock memory) {
        uint256 end = uint256(r.windowFrom) + length;
        if (r.lastDispute >= r.windowFrom) end += RESPONSES * t.responseWindow;
        if (now_ < end) return Clock(Phase.Challenge, end, false);
        return decided ? Clock(Phase.Finalise, 0, false) : Clock(Phase.Challenge, now_ + 1, false);
    }

    function _later(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a : b;
    }
}
