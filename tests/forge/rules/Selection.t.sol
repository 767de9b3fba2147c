// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Selection} from "../../../contracts/libraries/Selection.sol";
import {Medians} from "../utils/Medians.sol";
import {Test} from "../utils/Test.sol";

contract SelectionTest is Test {
    /// @dev Against the rule written down plainly: take by rank whoever leaves the whole affordable.
    function test_choosesAsThePlainRule(uint256 seed) public pure {
        uint256 n = _within(seed, 1, 24);
        uint256[] memory prices = new uint256[](n);
        uint256[] memory offers = new uint256[](n);
        for (uint256 i; i < n; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            prices[i] = random % 4 == 0 ? random >> 192 : random >> 16 & 0xff;
            offers[i] = random % 8 == 1 ? random >> 128 & 0xffffffff : 1 + (random >> 24 & 0xff);
        }
        uint256 budget = seed >> 8 & (seed & 1 == 0 ? 0xffff : type(uint104).max);

        (bool[] memory taken, uint256 cap) = Selection.choose(prices, offers, budget);
        (bool[] memory plain, uint256 plainCap) = _plain(prices, offers, budget);
        vm.assertEq(cap, plainCap, "cap");
        for (uint256 i; i < n; ++i) vm.assertTrue(taken[i] == plain[i], "taken");
    }

    /// @dev The bounds that the money relies on, up to the largest offers and prices.
    function test_selectedCostsFitTheBudget(uint256 seed, uint104 budget) public pure {
        uint256[] memory prices = new uint256[](16);
        uint256[] memory offers = new uint256[](16);
        for (uint256 i; i < 16; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            prices[i] = uint64(random) >> (random >> 64) % 64;
            offers[i] = uint32(random >> 128) >> (random >> 160) % 32;
        }
        (bool[] memory taken, uint256 cap) = Selection.choose(prices, offers, budget);
        uint256 cost;
        uint256 samples;
        for (uint256 i; i < 16; ++i) {
            if (!taken[i]) continue;
            uint256 counted = offers[i] < cap ? offers[i] : cap;
            cost += counted * prices[i];
            samples += counted;
        }
        vm.assertLe(cost, budget, "cost");
        vm.assertLt(samples, 2 ** 31, "samples");
    }

    function _plain(
        uint256[] memory prices,
        uint256[] memory offers,
        uint256 budget
    ) private pure returns (bool[] memory taken, uint256 cap) {
        taken = new bool[](offers.length);
        for (uint256 i; i < offers.length; ++i) {
            taken[i] = true;
            (uint256 cost, uint256 samples, uint256 wouldBe) = _weigh(prices, offers, taken);
            if (cost <= budget && samples < 2 ** 31) cap = wouldBe;
            else taken[i] = false;
        }
    }

    function _weigh(
        uint256[] memory prices,
        uint256[] memory offers,
        bool[] memory taken
    ) private pure returns (uint256 cost, uint256 samples, uint256 cap) {
        uint256[] memory chosen = new uint256[](offers.length);
        uint256 count;
        for (uint256 i; i < offers.length; ++i) if (taken[i]) chosen[count++] = offers[i];
        cap = 3 * Medians.lower(chosen, count);
        for (uint256 i; i < offers.length; ++i) {
            if (!taken[i]) continue;
            uint256 counted = offers[i] < cap ? offers[i] : cap;
            cost += counted * prices[i];
            samples += counted;
        }
    }
}
