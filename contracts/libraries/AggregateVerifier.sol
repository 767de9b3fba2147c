// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title The aggregation rules, recomputed for one coordinate
/// @notice Inputs are taken one at a time in the rule's order, so nothing is stored or sorted here: by seat for the
/// mean, by (value, seat) for the others. A strictly rising order also proves that no input comes twice.
/// The same rules as `bcfl_client/aggregation`.
library AggregateVerifier {
    uint8 internal constant WEIGHTED_MEAN = 0;
    uint8 internal constant MEDIAN = 1;
    uint8 internal constant TRIMMED_MEAN = 2;
    uint256 private constant BASIS = 10_000;

    /// @notice The inputs so far. Memory only.
    struct Sum {
        uint256 first; // inputs that count are those with first <= position < end
        uint256 end;
        int256 values; // sum over them of weight x value
        int256 weights; // sum over them of weight
        int256 last; // key of the newest input
        uint256 byValue; // 1: by (value, seat); 0: by seat
        uint256 weighted; // 0: every input has the weight 1
    }

    /// @notice Starts a sum over `count` inputs.
    function start(uint8 rule, uint256 trimShare, uint256 count) internal pure returns (Sum memory s) {
        s.end = count;
        s.last = type(int256).min;
        s.byValue = rule == WEIGHTED_MEAN ? 0 : 1;
        s.weighted = rule == MEDIAN ? 0 : 1;
        if (rule == MEDIAN && count != 0) (s.first, s.end) = ((count - 1) / 2, count / 2 + 1);
        if (rule == TRIMMED_MEAN) {
            uint256 trimmed = count * trimShare / BASIS;
            (s.first, s.end) = (trimmed, count - trimmed);
        }
    }

    /// @notice Takes the input at `position`. False when it is not in the rule's order, or has no weight.
    function add(
        Sum memory s,
        uint256 position,
        uint256 seat,
        int256 value,
        uint256 weight
    ) internal pure returns (bool inOrder) {
        // No overflow: values have 32 bits, weights sum up to less than 2^31, seats are below 128. By hand, because a
        // proof does this for every input.
        assembly ("memory-safe") {
            let key := add(mul(mul(value, 128), mload(add(s, 160))), seat)
            let last := add(s, 128)
            inOrder := and(sgt(key, mload(last)), gt(weight, 0))
            mstore(last, key)
            if lt(sub(position, mload(s)), sub(mload(add(s, 32)), mload(s))) {
                if iszero(mload(add(s, 192))) { weight := 1 }
                let values := add(s, 64)
                mstore(values, add(mload(values), mul(weight, value)))
                let weights := add(s, 96)
                mstore(weights, add(mload(weights), weight))
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
