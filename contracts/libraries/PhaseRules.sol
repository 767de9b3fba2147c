// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Phase, Round, Terms} from "../interfaces/TaskTypes.sol";

/// @title The phase of a round from its marks, its terms and the clock
/// @notice A phase ends when all who are expected have acted, at its deadline otherwise, and never reopens: every
/// start is derived from the end before it, and ends are stored or follow from the terms.
library PhaseRules {
    /// @param round the running round
    /// @param terms the task's terms
    /// @param inputCount updates that are, or would be, the inputs; matters only after Check
    /// @param now_ Unix seconds
    /// @return phase Commit to Open; Challenge when all of these are over and there is a proposal; Finalise when
    /// the round cannot get a block any more
    /// @return deadline Unix seconds at which time ends the phase; 0 for Challenge and Finalise
    function current(
        Round memory round,
        Terms memory terms,
        uint256 inputCount,
        uint256 now_
    ) internal pure returns (Phase phase, uint256 deadline) {
        uint256 end = uint256(round.start) + terms.commitWindow;
        if (round.commitClosed != 0) end = round.commitClosed;
        else if (now_ < end) return (Phase.Commit, end);
        if (round.commits == 0) return (Phase.Finalise, 0);

        (phase, end) = _step(Phase.Reveal, round.revealClosed, end + terms.revealWindow, now_);
        if (phase == Phase.Reveal) return (phase, end);
        if (round.reveals < terms.minUpdates) return (Phase.Finalise, 0);

        (phase, end) = _step(Phase.Check, round.checkClosed, end + terms.checkWindow, now_);
        if (phase == Phase.Check) return (phase, end);
        if (inputCount < terms.minUpdates) return (Phase.Finalise, 0);

        (phase, end) = _step(Phase.Seal, round.sealClosed, end + terms.sealWindow, now_);
        if (phase == Phase.Seal) return (phase, end);
        if (round.sealers == 0) return (Phase.Finalise, 0);

        if (round.firstProposal == 0) {
            end += terms.mineWindow;
            return now_ < end ? (Phase.Mine, end) : (Phase.Finalise, 0);
        }
        uint256 forksEnd = uint256(round.firstProposal) + terms.forkWindow;
        (phase, end) = _step(Phase.Mine, round.mineClosed, forksEnd, now_);
        if (phase == Phase.Mine) return (phase, end);

        (phase, end) = _step(Phase.Open, round.openClosed, end + terms.openWindow, now_);
        if (phase == Phase.Open) return (phase, end);
        return (Phase.Challenge, 0);
    }

    /// @dev `phase` with its deadline while it runs; otherwise Closed with the second at which it ended.
    function _step(
        Phase phase,
        uint256 closed,
        uint256 deadline,
        uint256 now_
    ) private pure returns (Phase, uint256) {
        if (closed != 0) return (Phase.Closed, closed);
        return (now_ < deadline ? phase : Phase.Closed, deadline);
    }
}
