// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ForkChoice} from "../../../contracts/libraries/ForkChoice.sol";
import {Test} from "../utils/Test.sol";

/// @notice Which block comes first under each rule: a total order, whatever the order in which blocks are looked at.
contract ForkChoiceTest is Test {
    function _candidates(uint256 seed, uint256 n) private pure returns (ForkChoice.Candidate[] memory list) {
        list = new ForkChoice.Candidate[](n);
        for (uint256 i; i < n; ++i) {
            uint256 h = uint256(keccak256(abi.encode(seed, i)));
            // orders differ, as those of one round do; few reputations, so that there are ties
            list[i] = ForkChoice.Candidate(uint8(i), uint8((i + seed % 16) % 16 + 1), uint16(h % 3), bytes32(h));
        }
    }

    /// @dev The key of the specification: the smaller comes first.
    function _key(uint8 rule, ForkChoice.Candidate memory c) private pure returns (uint256) {
        if (rule == 0) return c.order;
        uint256 tie = uint256(c.blockHash) >> 16;
        return rule == 1 ? uint256(type(uint16).max - c.reputation) << 240 | tie : tie;
    }

    function test_firstOfAll(uint256 seed, uint256 n) public pure {
        n = _within(n, 1, 16);
        ForkChoice.Candidate[] memory list = _candidates(seed, n);
        for (uint8 rule; rule <= 2; ++rule) {
            uint256 up;
            uint256 down = n - 1;
            uint256 least;
            for (uint256 i; i < n; ++i) {
                if (ForkChoice.isBefore(rule, list[i], list[up])) up = i;
                if (ForkChoice.isBefore(rule, list[n - 1 - i], list[down])) down = n - 1 - i;
                if (_key(rule, list[i]) < _key(rule, list[least])) least = i;
            }
            vm.assertEq(up, least, "as specified");
            vm.assertEq(down, least, "in any order");
        }
    }

    function test_oneOfTwoIsBefore(uint256 seed) public pure {
        ForkChoice.Candidate[] memory list = _candidates(seed, 2);
        for (uint8 rule; rule <= 2; ++rule) {
            bool ab = ForkChoice.isBefore(rule, list[0], list[1]);
            vm.assertTrue(ab != ForkChoice.isBefore(rule, list[1], list[0]), "one of two");
            vm.assertTrue(!ForkChoice.isBefore(rule, list[0], list[0]), "not before itself");
        }
    }

    function test_examples() public pure {
        ForkChoice.Candidate memory early = ForkChoice.Candidate(3, 1, 10, bytes32(uint256(9)));
        ForkChoice.Candidate memory trusted = ForkChoice.Candidate(1, 2, 20, bytes32(uint256(8)));
        ForkChoice.Candidate memory low = ForkChoice.Candidate(2, 3, 10, bytes32(uint256(7)));
        vm.assertTrue(ForkChoice.isBefore(0, early, trusted) && ForkChoice.isBefore(0, early, low), "earliest");
        vm.assertTrue(ForkChoice.isBefore(1, trusted, early) && ForkChoice.isBefore(1, trusted, low), "most trusted");
        vm.assertTrue(ForkChoice.isBefore(1, low, early), "equally trusted: the lower hash");
        vm.assertTrue(ForkChoice.isBefore(2, low, early) && ForkChoice.isBefore(2, low, trusted), "the lowest hash");
    }
}
