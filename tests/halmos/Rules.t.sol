// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Terms} from "../../contracts/interfaces/TaskTypes.sol";
import {ForkChoice} from "../../contracts/libraries/ForkChoice.sol";
import {ProofOfWork} from "../../contracts/libraries/ProofOfWork.sol";
import {Scores} from "../../contracts/libraries/Scores.sol";
import {STANDING_WORDS, Standings} from "../../contracts/libraries/Standings.sol";
import {TermsRules} from "../../contracts/libraries/TermsRules.sol";
import {Proof} from "./Proof.sol";

/// @notice A task's terms bound what its money and times are computed from.
contract TermsProof is Proof {
    function check_depositsFitTheirType(Terms calldata t, uint32 samples) public pure {
        TermsRules.check(t);
        assert(uint256(samples) * t.trainerDeposit < 2 ** 80);
    }

    function check_penaltyIsWithinTheSmallestDeposit(Terms calldata t, uint32 samples) public pure {
        TermsRules.check(t);
        vm.assume(samples >= t.minSamples);
        assert(t.penalty <= uint256(samples) * t.trainerDeposit);
    }

    /// @dev A trainer's time fits the window, whatever it may bid; spans of a round fit their 24 bits.
    function check_windows(Terms calldata t) public pure {
        TermsRules.check(t);
        assert(t.maxTrainingTime <= t.commitWindow);
        assert(t.minWindow <= t.challengeWindow);
        assert(t.fastBlocks == 0 || t.minWindow != 0);
        assert(uint256(t.commitWindow) + t.revealWindow + 1 < 2 ** 24);
    }

    function check_sizesAndBonds(Terms calldata t) public pure {
        TermsRules.check(t);
        assert(t.minUpdates >= 1 && t.minUpdates <= t.minTrainers && t.minTrainers <= t.trainerSlots);
        assert(t.trainerSlots <= 128 && t.minMiners >= 1 && t.minMiners <= t.minerSlots && t.minerSlots <= 16);
        assert(uint256(t.minerDeposit) / 4 >= t.challengeBond && t.challengeBond != 0);
        assert(t.reward >= 1 && t.reward <= 2 ** 79 && t.minerShare < 10_000 && t.slashShare >= 1000);
        assert(2 * uint256(t.trimShare) < 10_000);
    }
}

/// @notice Each rule of fork choice is a strict total order on blocks that differ.
contract ForkChoiceProof is Proof {
    function _block(uint8 order, uint16 reputation, bytes32 blockHash) private pure returns (ForkChoice.Candidate memory) {
        return ForkChoice.Candidate(0, order, reputation, blockHash);
    }

    function check_oneOfTwoIsBefore(uint8 rule, uint8[2] calldata o, uint16[2] calldata r, bytes32[2] calldata h) public pure {
        vm.assume(rule <= 2 && o[0] != o[1] && h[0] != h[1]);
        ForkChoice.Candidate memory a = _block(o[0], r[0], h[0]);
        ForkChoice.Candidate memory b = _block(o[1], r[1], h[1]);
        assert(ForkChoice.isBefore(rule, a, b) != ForkChoice.isBefore(rule, b, a));
    }

    function check_noneIsBeforeItself(uint8 rule, uint8 o, uint16 r, bytes32 h) public pure {
        ForkChoice.Candidate memory a = _block(o, r, h);
        assert(!ForkChoice.isBefore(rule, a, a));
    }

    function check_transitive(uint8 rule, uint8[3] calldata o, uint16[3] calldata r, bytes32[3] calldata h) public pure {
        ForkChoice.Candidate memory a = _block(o[0], r[0], h[0]);
        ForkChoice.Candidate memory b = _block(o[1], r[1], h[1]);
        ForkChoice.Candidate memory c = _block(o[2], r[2], h[2]);
        vm.assume(ForkChoice.isBefore(rule, a, b) && ForkChoice.isBefore(rule, b, c));
        assert(ForkChoice.isBefore(rule, a, c));
    }
}

contract ProofOfWorkProof is Proof {
    function check_retargetStaysWithinItsBounds(uint256 difficulty, uint32 actual, uint32 wanted) public pure {
        vm.assume(difficulty >= 1 && difficulty <= 2 ** 64);
        uint256 next = ProofOfWork.retarget(difficulty, actual, wanted);
        assert(next >= 1 && next <= 2 ** 64);
        assert(next <= 4 * difficulty && next >= difficulty / 4);
    }

    function check_slowBlocksNeverRaiseIt(uint256 difficulty, uint32 actual, uint32 wanted) public pure {
        vm.assume(difficulty >= 1 && difficulty <= 2 ** 64 && wanted != 0 && actual >= wanted);
        assert(ProofOfWork.retarget(difficulty, actual, wanted) <= difficulty);
    }
}

contract ScoresProof is Proof {
    function check_wordsHoldAllScores(uint8 count) public pure {
        uint256 words = Scores.words(count);
        assert(16 * words >= count && 16 * words < uint256(count) + 16);
    }
}

contract StandingsProof is Proof {
    using Standings for uint256[STANDING_WORDS];

    uint256[STANDING_WORDS] private _words;

    /// @dev Over two words of whatever content: a seat reads what it was given last, and no other seat changes.
    function check_seatsAreApart(uint256 first, uint256 second, uint32 cap, uint16 quality) public {
        for (uint256 seat; seat < 10; ++seat) {
            for (uint256 other; other < 10; ++other) {
                (_words[0], _words[1]) = (first, second);
                (uint32 otherCap, uint16 otherQuality) = _words.read(other);
                _words.write(seat, cap, quality);
                (uint32 nextCap, uint16 nextQuality) = _words.read(other);
                if (seat == other) (otherCap, otherQuality) = (cap, quality);
                assert(nextCap == otherCap && nextQuality == otherQuality);
            }
        }
    }
}
