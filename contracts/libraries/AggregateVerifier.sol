// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BASIS} from "../interfaces/TaskTypes.sol";

/// @title The aggregation rules, recomputed for one coordinate
/// @notice Inputs are taken one at a time in the rule's order, so nothing is stored or sorted here: by seat for the
/// mean, by (value, seat) for the others. A strictly rising order also proves that no input comes twice.
/// The same rules as `bcfl_client/aggregation`.
library AggregateVerifier {
    uint8 internal constant WEIGHTED_MEAN = 0;
    uint8 internal constant MEDIAN = 1;
    uint8 internal constant TRIMMED_MEAN = 2;

    /// @notice The inputs so far. Memory only.
    struct Sum {
        uint256 position; // of the next input, from the first that counts: before it, close to 2^256
        uint256 span; // how many count
        int256 values; // sum over them of weight x value
        int256 weights; // sum over them of weight
        int256 last; // key of the newest input
        uint256 valueKey; // 128: the order is by (value, seat); 0: by seat
        uint256 mostWeight; // 1: every input has the weight 1
    }

    /// @notice Starts a sum over `count` inputs.
    function start(uint256 rule, uint256 trimShare, uint256 count) internal pure returns (Sum memory s) {
        s.span = count;
        s.last = type(int256).min;
        s.mostWeight = rule == MEDIAN ? 1 : type(uint32).max;
        if (rule == WEIGHTED_MEAN || count == 0) return s;
        s.valueKey = 128;
        uint256 first = rule == MEDIAN ? (count - 1) / 2 : count * trimShare / BASIS;
        s.span = count - 2 * first;
        unchecked {
            s.position = 0 - first;
        }
    }

    /// @notice Takes the next input. False when it is not in the rule's order, or has no weight.
    function add(Sum memory s, uint256 seat, int256 value, uint256 weight) internal pure returns (bool inOrder) {
        // No overflow: values have 32 bits, weights sum up to less than 2^31, seats are below 128. By hand, because a
        // proof does this for every input.
        assembly ("memory-safe") {
            let key := add(mul(value, mload(add(s, 160))), seat)
            inOrder := and(sgt(key, mload(add(s, 128))), gt(weight, 0))
            mstore(add(s, 128), key)
            let position := mload(s)
            mstore(s, add(position, 1))
            if lt(position, mload(add(s, 32))) {
                if gt(weight, mload(add(s, 192))) { weight := mload(add(s, 192)) }
                mstore(add(s, 64), add(mload(add(s, 64)), mul(weight, value)))
                mstore(add(s, 96), add(mload(add(s, 96)), weight))
            }
        }
    }

    /// @notice Whether `q` is the floor, towards minus infinity, of what the inputs amount to.
    function isResult(Sum memory s, int256 q) internal pure returns (bool) {
        unchecked {
            int256 rest = s.values - q * s.weights;
            return rest >= 0 && rest < s.weights;
        }
    }
}
