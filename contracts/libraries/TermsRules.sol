// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BASIS, Terms} from "../interfaces/TaskTypes.sol";
import {AggregateVerifier} from "./AggregateVerifier.sol";
import {ForkChoice} from "./ForkChoice.sol";
import {ProofOfWork} from "./ProofOfWork.sol";

/// @title The allowed range of every term
library TermsRules {
    uint256 internal constant MAX_TRAINERS = 128;
    uint256 internal constant MAX_MINERS = 16;
    uint256 internal constant MAX_ROUNDS = 10_000;
    uint256 internal constant MAX_WINDOW = 30 days;
    uint256 internal constant MAX_PARAMETERS = 2 ** 28; // 1 GiB of bytes
    uint256 internal constant MAX_MANIFEST = 64 * 1024; // bytes
    uint256 internal constant MAX_VALIDATION = 64 * 1024 * 1024; // bytes
    uint256 internal constant MAX_REWARD = 2 ** 79; // half of what a balance in a participant's slot holds

    /// @notice `term` is out of its range; ends are inclusive.
    error TermsRules_OutOfRange(bytes32 term, uint256 actual, uint256 minimum, uint256 maximum);
    /// @notice `term` must not be zero.
    error TermsRules_Missing(bytes32 term);

    /// @notice Reverts unless every term is in its range.
    function check(Terms calldata t) internal pure {
        _checkLearning(t);
        _checkSizes(t);
        _checkMoney(t);
        _checkWindows(t);
        _range("difficulty", t.difficulty, ProofOfWork.MIN_DIFFICULTY, ProofOfWork.MAX_DIFFICULTY);
        _range("blockTime", t.blockTime, 0, MAX_WINDOW);
    }

    function _checkLearning(Terms calldata t) private pure {
        _present("initialRoot", t.initialRoot);
        _present("initialContent", t.initialContent);
        _present("manifestContent", t.manifestContent);
        _present("manifestHash", t.manifestHash);
        _range("manifestSize", t.manifestSize, 1, MAX_MANIFEST);
        _present("validationContent", t.validationContent);
        _present("validationHash", t.validationHash);
        _range("validationSize", t.validationSize, 1, MAX_VALIDATION);
        _range("parameterCount", t.parameterCount, 1, MAX_PARAMETERS);
        _range("aggregationRule", t.aggregationRule, 0, AggregateVerifier.TRIMMED_MEAN);
        _range("trimShare", t.trimShare, 0, BASIS / 2 - 1);
        _range("scoringRule", t.scoringRule, 0, 5);
        _range("forkRule", t.forkRule, 0, ForkChoice.DISTANCE);
        _range("targetAccuracy", t.targetAccuracy, 0, BASIS);
        _range("payScore", t.payScore, 0, BASIS);
        _range("startQuality", t.startQuality, 1, type(uint16).max);
        _range("fastBlocks", t.fastBlocks, 0, type(uint16).max);
        _range("fastRewards", t.fastRewards, 0, BASIS);
    }

    function _checkSizes(Terms calldata t) private pure {
        _range("rounds", t.rounds, 1, MAX_ROUNDS);
        _range("trainerSlots", t.trainerSlots, 1, MAX_TRAINERS);
        _range("minerSlots", t.minerSlots, 1, MAX_MINERS);
        _range("minTrainers", t.minTrainers, 1, t.trainerSlots);
        _range("minMiners", t.minMiners, 1, t.minerSlots);
        _range("minUpdates", t.minUpdates, 1, t.minTrainers);
        _range("maxVoidRounds", t.maxVoidRounds, 0, 100);
        _range("maxStrikes", t.maxStrikes, 1, 100);
        _range("minSamples", t.minSamples, 1, type(uint32).max);
        _range("maxTrainingTime", t.maxTrainingTime, 1, MAX_WINDOW);
    }

    function _checkMoney(Terms calldata t) private pure {
        _range("reward", t.reward, 1, MAX_REWARD);
        _range("maxPrice", t.maxPrice, 1, type(uint64).max);
        _range("maxFee", t.maxFee, 0, MAX_REWARD);
        _range("trainerDeposit", t.trainerDeposit, 1, 2 ** 47); // times 32 bits of samples fits 80
        _range("challengeBond", t.challengeBond, 1, 2 ** 76);
        _range("minerDeposit", t.minerDeposit, 4 * uint256(t.challengeBond), MAX_REWARD);
        _range("penalty", t.penalty, 0, uint256(t.trainerDeposit) * t.minSamples);
        _range("minerShare", t.minerShare, 1, BASIS - 1);
        _range("slashShare", t.slashShare, 1000, BASIS);
        _range("earlyBonus", t.earlyBonus, 0, BASIS);
    }

    function _checkWindows(Terms calldata t) private pure {
        _range("biddingWindow", t.biddingWindow, 1, MAX_WINDOW);
        _range("commitWindow", t.commitWindow, t.maxTrainingTime, MAX_WINDOW);
        _range("revealWindow", t.revealWindow, 1, MAX_WINDOW);
        _range("checkWindow", t.checkWindow, 1, MAX_WINDOW);
        _range("sealWindow", t.sealWindow, 1, MAX_WINDOW);
        _range("mineWindow", t.mineWindow, 1, MAX_WINDOW);
        _range("forkWindow", t.forkWindow, 0, MAX_WINDOW);
        _range("openWindow", t.openWindow, 1, MAX_WINDOW);
        _range("challengeWindow", t.challengeWindow, 1, MAX_WINDOW);
        // Without seals and votes, somebody must have time to object.
        _range("minWindow", t.minWindow, t.fastBlocks == 0 ? 0 : 1, t.challengeWindow);
        _range("responseWindow", t.responseWindow, 1, MAX_WINDOW);
        _range("auditPeriod", t.auditPeriod, 0, 365 days);
    }

    function _range(bytes32 term, uint256 actual, uint256 minimum, uint256 maximum) private pure {
        if (actual < minimum || actual > maximum) revert TermsRules_OutOfRange(term, actual, minimum, maximum);
    }

    function _present(bytes32 term, bytes32 value) private pure {
        if (value == 0) revert TermsRules_Missing(term);
    }
}
