// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice The allowed range of every term, written a second time as a table over the ABI words of `Terms`.
abstract contract Ranges {
    uint256 internal constant TERMS = 53;
    uint256 private constant WINDOW = 30 days;

    struct Range {
        bytes32 name;
        uint256 minimum;
        uint256 maximum;
        uint256 typeMaximum; // equal to `maximum`: there is nothing above to refuse
    }

    /// @param t words of `Terms`; some ranges depend on terms before them, `minerDeposit` and `minWindow` on the next
    function _range(uint256[] memory t, uint256 word) internal pure returns (Range memory) {
        if (word < 13) return _learning(word);
        if (word < 24) return _sizes(t, word);
        if (word < 34) return _money(t, word);
        if (word < 39) return _trust(word);
        return _windows(t, word);
    }

    function _learning(uint256 word) private pure returns (Range memory) {
        if (word == 0) return _present("initialRoot");
        if (word == 1) return _present("initialContent");
        if (word == 2) return _present("manifestContent");
        if (word == 3) return _present("manifestHash");
        if (word == 4) return Range("manifestSize", 1, 65_536, type(uint32).max);
        if (word == 5) return _present("validationContent");
        if (word == 6) return _present("validationHash");
        if (word == 7) return Range("validationSize", 1, 64 * 1024 * 1024, type(uint32).max);
        if (word == 8) return Range("parameterCount", 1, 2 ** 28, type(uint32).max);
        if (word == 9) return Range("aggregationRule", 0, 2, type(uint8).max);
        if (word == 10) return Range("trimShare", 0, 4999, type(uint16).max);
        if (word == 11) return Range("scoringRule", 0, 5, type(uint8).max);
        return Range("forkRule", 0, 2, type(uint8).max);
    }

    function _sizes(uint256[] memory t, uint256 word) private pure returns (Range memory) {
        if (word == 13) return Range("rounds", 1, 10_000, type(uint16).max);
        if (word == 14) return Range("trainerSlots", 1, 128, type(uint8).max);
        if (word == 15) return Range("minerSlots", 1, 16, type(uint8).max);
        if (word == 16) return Range("minTrainers", 1, t[14], type(uint8).max);
        if (word == 17) return Range("minMiners", 1, t[15], type(uint8).max);
        if (word == 18) return Range("minUpdates", 1, t[16], type(uint8).max);
        if (word == 19) return Range("maxVoidRounds", 0, 100, type(uint8).max);
        if (word == 20) return Range("maxStrikes", 1, 100, type(uint8).max);
        if (word == 21) return _free("minSamples", 1, type(uint32).max);
        if (word == 22) return Range("maxTrainingTime", 1, WINDOW, type(uint32).max);
        return _free("closeWhenFull", 0, 1);
    }

    function _money(uint256[] memory t, uint256 word) private pure returns (Range memory) {
        if (word == 24) return Range("reward", 1, 2 ** 79, type(uint256).max);
        if (word == 25) return _free("maxPrice", 1, type(uint64).max);
        if (word == 26) return Range("maxFee", 0, 2 ** 79, type(uint80).max);
        if (word == 27) return Range("trainerDeposit", 1, 2 ** 47, type(uint64).max);
        if (word == 28) return Range("minerDeposit", 4 * t[29], 2 ** 79, type(uint80).max);
        if (word == 29) return Range("challengeBond", 1, 2 ** 76, type(uint80).max);
        if (word == 30) {
            uint256 deposit = t[27] * t[21];
            return Range("penalty", 0, deposit < type(uint64).max ? deposit : type(uint64).max, type(uint64).max);
        }
        if (word == 31) return Range("minerShare", 1, 9999, type(uint16).max);
        if (word == 32) return Range("slashShare", 1000, 10_000, type(uint16).max);
        return Range("earlyBonus", 0, 10_000, type(uint16).max);
    }

    function _trust(uint256 word) private pure returns (Range memory) {
        if (word == 34) return Range("targetAccuracy", 0, 10_000, type(uint16).max);
        if (word == 35) return Range("payScore", 0, 10_000, type(uint16).max);
        if (word == 36) return _free("startQuality", 1, type(uint16).max);
        if (word == 37) return _free("fastBlocks", 0, type(uint16).max);
        return Range("fastRewards", 0, 10_000, type(uint16).max);
    }

    function _windows(uint256[] memory t, uint256 word) private pure returns (Range memory) {
        if (word == 39) return Range("biddingWindow", 1, WINDOW, type(uint32).max);
        if (word == 40) return Range("commitWindow", t[22], WINDOW, type(uint32).max);
        if (word == 41) return Range("revealWindow", 1, WINDOW, type(uint32).max);
        if (word == 42) return Range("checkWindow", 1, WINDOW, type(uint32).max);
        if (word == 43) return Range("sealWindow", 1, WINDOW, type(uint32).max);
        if (word == 44) return Range("mineWindow", 1, WINDOW, type(uint32).max);
        if (word == 45) return Range("forkWindow", 0, WINDOW, type(uint32).max);
        if (word == 46) return Range("openWindow", 1, WINDOW, type(uint32).max);
        if (word == 47) return Range("minWindow", t[37] == 0 ? 0 : 1, t[48], type(uint32).max);
        if (word == 48) return Range("challengeWindow", 1, WINDOW, type(uint32).max);
        if (word == 49) return Range("responseWindow", 1, WINDOW, type(uint32).max);
        if (word == 50) return Range("auditPeriod", 0, 365 days, type(uint32).max);
        if (word == 51) return Range("difficulty", 1, 2 ** 64, type(uint256).max);
        return Range("blockTime", 0, WINDOW, type(uint32).max);
    }

    function _present(bytes32 name) private pure returns (Range memory) {
        return _free(name, 1, type(uint256).max);
    }

    function _free(bytes32 name, uint256 minimum, uint256 typeMaximum) private pure returns (Range memory) {
        return Range(name, minimum, typeMaximum, typeMaximum);
    }
}
