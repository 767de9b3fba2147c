// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Scores} from "../../../contracts/libraries/Scores.sol";
import {Medians} from "../utils/Medians.sol";
import {Test} from "../utils/Test.sol";

contract ScoresTest is Test {
    using Medians for uint256[];

    /// @dev Counting accepts the value that sorting finds, and no other.
    function test_countingAcceptsTheSortedMedianOnly(uint256 seed, uint16 guess) public pure {
        uint256 count = _within(seed, 1, 16);
        uint256[] memory values = new uint256[](count);
        for (uint256 i; i < count; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            values[i] = uint16(random) % (random >> 16 & 1 == 0 ? 4 : 65_536); // equal values must come up often
        }
        uint256 median = Medians.lower(values, count);
        vm.assertTrue(_accepts(values, median), "the median");
        uint256 near = guess % 2 == 0 ? guess / 2 % 4 : values[guess % count];
        if (near != median) vm.assertTrue(!_accepts(values, near), "another value");
    }

    function test_laneReadsWhatWasPacked(uint256 seed) public pure {
        uint256 count = _within(seed, 1, 128);
        uint256[] memory words = new uint256[](Scores.words(count));
        for (uint256 i; i < count; ++i) words.setLane(i, uint16(uint256(keccak256(abi.encode(seed, i)))));
        for (uint256 i; i < count; ++i) {
            vm.assertEq(Scores.lane(words[i / 16], i), uint16(uint256(keccak256(abi.encode(seed, i)))), "lane");
        }
        vm.assertLe(Scores.words(128), 8, "words of the largest task");
    }

    function _accepts(uint256[] memory values, uint256 value) private pure returns (bool) {
        uint256 less;
        uint256 atMost;
        for (uint256 i; i < values.length; ++i) {
            if (values[i] < value) ++less;
            if (values[i] <= value) ++atMost;
        }
        return Scores.isLowerMedian(less, atMost, values.length);
    }
}
