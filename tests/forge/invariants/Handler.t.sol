// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Campaign} from "./Campaign.sol";

/// @notice The handler itself: one long sequence must reach every kind of end to be worth fuzzing.
contract HandlerTest is Campaign {
    /// forge-config: default.invariant.runs = 1
    /// forge-config: default.invariant.depth = 3000
    function invariant_reachesEveryEnd() public view {}

    function afterInvariant() public override {
        handler.expectSeen();
        super.afterInvariant();
    }

    function _calls() internal pure override returns (bytes4[] memory) {
        return _withJump(super._calls());
    }
}
