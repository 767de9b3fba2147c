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
        bool byValue;
        bool weighted;
    }

    /// @notice Starts a sum over `count` inputs.
    function start(uint8 rule, uint256 trimShare, uint256 count) internal pure returns (Sum memory s) {
        s.end = count;
        s.last = type(int256).min;
        s.byValue = rule != WEIGHTED_MEAN;
        s.weighted = rule != MEDIAN;
        if (rule == MEDIAN) (s.first, s.end) = ((count - 1) / 2, count / 2 + 1);
        if (rule == TRIMMED_MEAN) {
            uint256 trimmed = count * trimShare / BASIS;
            (s.first, s.end) = (trimmed, count - trimmed);
        }
    }

    /// @notice Takes the input at `position`. False when it is not in the rule's order.
    function add(
        Sum memory s,
        uint256 position,
        uint256 seat,
        int256 value,
        uint256 weight
    ) internal pure returns (bool) {
        // No overflow: values have 32 bits, weights sum up to less than 2^31, seats are below 128.
        unchecked {
            int256 key = s.byValue ? value * 128 + int256(seat) : int256(seat);
            if (key <= s.last) return false;
            s.last = key;
            if (position < s.first || position >= s.end) return true;
            int256 w = s.weighted ? int256(weight) : int256(1);
            s.values += w * value;
            s.weights += w;
        }
        return true;
    }

    /// @notice Whether `q` is the floor, towards minus infinity, of what the inputs amount to.
    function isResult(Sum memory s, int256 q) internal pure returns (bool) {
        unchecked {
            int256 rest = s.values - q * s.weights;
            return rest >= 0 && rest < s.weights;
        }
    }
}
