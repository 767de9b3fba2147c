// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice The aggregation rules a second time: by sorting whole columns.
library Rules {
    uint8 internal constant WEIGHTED_MEAN = 0;
    uint8 internal constant MEDIAN = 1;
    uint8 internal constant TRIMMED_MEAN = 2;

    /// @notice Positions in the order in which a proof shows them: as they are, or by (value, position).
    function order(uint8 rule, int256[] memory values) internal pure returns (uint256[] memory places) {
        places = new uint256[](values.length);
        for (uint256 i; i < values.length; ++i) {
            uint256 at = i;
            for (; rule != WEIGHTED_MEAN && at > 0 && values[places[at - 1]] > values[i]; --at) places[at] = places[at - 1];
            places[at] = i;
        }
    }

    /// @notice The aggregate of one coordinate: the floor of the mean over what counts.
    function aggregate(
        uint8 rule,
        uint256 trimShare,
        int256[] memory values,
        uint256[] memory weights
    ) internal pure returns (int256) {
        uint256 n = values.length;
        uint256[] memory places = order(rule, values);
        if (rule == MEDIAN) {
            int256 low = values[places[(n - 1) / 2]];
            return n % 2 == 1 ? low : floor(low + values[places[n / 2]], 2);
        }
        uint256 drop = rule == TRIMMED_MEAN ? n * trimShare / 10_000 : 0;
        int256 sum;
        int256 total;
        for (uint256 k = drop; k < n - drop; ++k) {
            sum += values[places[k]] * int256(weights[places[k]]);
            total += int256(weights[places[k]]);
        }
        return floor(sum, total);
    }

    /// @notice a / b towards minus infinity.
    function floor(int256 a, int256 b) internal pure returns (int256 q) {
        q = a / b;
        if (q * b > a) --q;
    }
}
