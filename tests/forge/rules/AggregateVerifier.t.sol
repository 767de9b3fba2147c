// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AggregateVerifier} from "../../../contracts/libraries/AggregateVerifier.sol";
import {Rules} from "../disputes/Rules.sol";
import {Test} from "../utils/Test.sol";

/// @notice One coordinate at a time, against `Rules`, which sorts.
contract AggregateVerifierTest is Test {
    using AggregateVerifier for AggregateVerifier.Sum;

    uint256 private constant MOST = 128;

    struct Column {
        uint8 rule;
        uint256 trimShare;
        int256[] values; // by position
        uint256[] seats; // rising
        uint256[] weights;
    }

    /// @dev Values of one of five kinds; every weight is positive and all together fit the contract's bound.
    function _column(uint256 seed, uint256 n) private pure returns (Column memory c) {
        c.rule = uint8(seed % 3);
        c.trimShare = seed / 3 % 8 == 0 ? 4999 : seed / 24 % 5000;
        (c.values, c.seats, c.weights) = (new int256[](n), new uint256[](n), new uint256[](n));
        uint256 kind = uint256(keccak256(abi.encode(seed))) % 5;
        uint256 room = MOST - n;
        for (uint256 i; i < n; ++i) {
            uint256 h = uint256(keccak256(abi.encode(seed, i)));
            c.values[i] = _value(kind, h);
            uint256 skip = room == 0 ? 0 : (h >> 64) % 2;
            room -= skip;
            c.seats[i] = (i == 0 ? 0 : c.seats[i - 1] + 1) + skip;
            c.weights[i] = (h >> 128) % 4 == 0 ? 1 : 1 + (h >> 130) % (2 ** 24);
        }
    }

    function _value(uint256 kind, uint256 h) private pure returns (int256) {
        if (kind == 0) return int256(h % 3) - 1;
        if (kind == 1) return h & 1 == 0 ? type(int32).min : type(int32).max;
        if (kind == 2) return type(int32).min + int256(h % 2);
        return int32(uint32(h));
    }

    /// @dev The right sum, and whether each input was in order.
    function _sum(Column memory c, uint256[] memory places) private pure returns (AggregateVerifier.Sum memory s) {
        s = AggregateVerifier.start(c.rule, c.trimShare, places.length);
        for (uint256 k; k < places.length; ++k) {
            uint256 i = places[k];
            vm.assertTrue(s.add(c.seats[i], c.values[i], c.weights[i]), "in order");
        }
    }

    function test_onlyTheRightValueIsTheResult(uint256 seed, uint256 n, int32 other) public pure {
        Column memory c = _column(seed, _within(n, 1, MOST));
        AggregateVerifier.Sum memory s = _sum(c, Rules.order(c.rule, c.values));
        int256 right = Rules.aggregate(c.rule, c.trimShare, c.values, c.weights);
        vm.assertTrue(s.isResult(right), "right");
        vm.assertTrue(!s.isResult(right + 1), "one above");
        vm.assertTrue(!s.isResult(right - 1), "one below");
        vm.assertTrue(s.isResult(other) == (other == right), "any");
        vm.assertTrue(!s.isResult(type(int32).min) || right == type(int32).min, "lowest");
        vm.assertTrue(!s.isResult(type(int32).max) || right == type(int32).max, "highest");
    }

    /// @dev Two neighbours swapped, one shown twice, one left out with another twice: out of order.
    function test_anotherOrderIsRefused(uint256 seed, uint256 n, uint256 at) public pure {
        n = _within(n, 2, MOST);
        Column memory c = _column(seed, n);
        uint256[] memory places = Rules.order(c.rule, c.values);
        at = _within(at, 1, n - 1);
        AggregateVerifier.Sum memory s = AggregateVerifier.start(c.rule, c.trimShare, n);
        for (uint256 k; k < at; ++k) s.add(c.seats[places[k]], c.values[places[k]], c.weights[places[k]]);
        for (uint256 k; k < at; ++k) {
            AggregateVerifier.Sum memory copy =
                AggregateVerifier.Sum(s.position, s.span, s.values, s.weights, s.last, s.valueKey, s.mostWeight);
            uint256 i = places[k]; // shown before
            vm.assertTrue(!copy.add(c.seats[i], c.values[i], c.weights[i]), "out of order");
        }
    }

    function test_noWeightIsRefused(uint256 seed, uint256 n) public pure {
        Column memory c = _column(seed, _within(n, 1, MOST));
        AggregateVerifier.Sum memory s = AggregateVerifier.start(c.rule, c.trimShare, c.values.length);
        vm.assertTrue(!s.add(c.seats[0], c.values[0], 0), "no weight");
    }

    /// @dev The heaviest that 128 inputs can be, at the lowest and the highest value.
    function test_heaviest() public pure {
        for (uint8 rule; rule <= 2; ++rule) {
            for (uint256 sign; sign < 2; ++sign) {
                int256 value = sign == 0 ? int256(type(int32).min) : int256(type(int32).max);
                AggregateVerifier.Sum memory s = AggregateVerifier.start(rule, 0, MOST);
                for (uint256 k; k < MOST; ++k) vm.assertTrue(s.add(k, value, type(uint32).max), "in order");
                vm.assertTrue(s.isResult(value) && !s.isResult(value + 1) && !s.isResult(value - 1), "result");
            }
        }
    }
}
