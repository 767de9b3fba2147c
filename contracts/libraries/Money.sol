// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BASIS} from "../interfaces/TaskTypes.sol";

/// @title How a task's money is divided
/// @notice Rounded down, so that parts never exceed the whole. `tests/halmos` proves what the task relies on.
library Money {
    /// @notice What a round may pay its trainers (wei), out of `pool` for `rounds` rounds: an even part of what is
    /// left when the fees of all these rounds are covered.
    function budget(uint256 pool, uint256 highestFee, uint256 rounds) internal pure returns (uint256) {
        return (pool - highestFee * rounds) / rounds;
    }

    /// @notice `amount` x `basisPoints` / 10,000.
    function share(uint256 amount, uint256 basisPoints) internal pure returns (uint256) {
        return amount * basisPoints / BASIS;
    }

    /// @notice The part of `amount` for `weight` of `sum`.
    function part(uint256 amount, uint256 weight, uint256 sum) internal pure returns (uint256) {
        return amount * weight / sum;
    }
}
