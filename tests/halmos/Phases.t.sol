// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Phase, Round, Terms} from "../../contracts/interfaces/TaskTypes.sol";
import {PhaseRules} from "../../contracts/libraries/PhaseRules.sol";
import {Proof} from "./Proof.sol";

/// @notice With the same marks a later time is never in an earlier phase, and deadlines lie ahead.
contract PhasesProof is Proof {
    /// @dev Commit and Reveal, up to Check. All had acted by themselves at none of these times.
    function check_trainersHalf(uint32 start, uint8 commits, uint8 reveals, uint32 window, uint40 sooner, uint40 later)
        public
        pure
    {
        vm.assume(sooner <= later);
        Round memory r;
        (r.start, r.commits, r.reveals) = (start, commits, reveals);
        Terms memory t;
        (t.commitWindow, t.revealWindow, t.checkWindow, t.minUpdates) = (window, 60, 60, 3);
        PhaseRules.Clock memory a = PhaseRules.early(r, t, sooner);
        PhaseRules.Clock memory b = PhaseRules.early(r, t, later);
        assert(a.phase <= b.phase);
        if (a.phase == Phase.Commit || a.phase == Phase.Reveal) {
            assert(a.deadline > sooner);
            if (later < a.deadline) assert(a.phase == b.phase && a.deadline == b.deadline);
            else assert(a.phase < b.phase);
        }
    }

    /// @dev A block's window: it never opens again, and however many disputes there are, it ends six response windows
    /// after its regular end at the latest.
    function check_challengeWindow(uint32 from, uint32 dispute, uint32 window, uint32 response, uint40 sooner, uint40 later)
        public
        pure
    {
        vm.assume(sooner <= later);
        Round memory r;
        (r.windowFrom, r.lastDispute, r.checkClosed) = (from, dispute, 1);
        Terms memory t;
        (t.minWindow, t.responseWindow) = (window, response);
        PhaseRules.Facts memory f;
        (f.fastStands, f.fastKnown) = (true, true);
        PhaseRules.Clock memory a = PhaseRules.late(r, t, f, 0, sooner);
        PhaseRules.Clock memory b = PhaseRules.late(r, t, f, 0, later);
        assert(a.phase <= b.phase);
        if (a.phase != Phase.Challenge) return;
        assert(a.deadline > sooner && a.deadline >= uint256(from) + window);
        assert(a.deadline <= uint256(from) + window + 6 * uint256(response));
        if (later < a.deadline) assert(b.phase == Phase.Challenge && b.deadline == a.deadline);
        else assert(b.phase == Phase.Finalise);
    }
}
