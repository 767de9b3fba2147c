// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Campaign} from "./Campaign.sol";
import {Handler} from "./Handler.sol";

/// @notice The handler itself: one long sequence must reach every kind of end to be worth fuzzing.
contract HandlerTest is Campaign {
    /// forge-config: default.invariant.runs = 1
    /// forge-config: default.invariant.depth = 3000
    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.dictionary-weight = 0
    /// forge-config: default.invariant.include-storage = false
    /// forge-config: default.invariant.include-push-bytes = false
    /// forge-config: default.invariant.max-fuzz-dictionary-values = 10
    /// forge-config: default.invariant.max-fuzz-dictionary-addresses = 10
    function invariant_reachesEveryEnd() public view {}

    function afterInvariant() public override {
        handler.expectSeen();
        super.afterInvariant();
    }

    function _calls() internal pure override returns (bytes4[] memory calls) {
        bytes4[] memory others = super._calls();
        calls = new bytes4[](others.length + 1);
        calls[0] = Handler.jump.selector;
        for (uint256 i; i < others.length; ++i) calls[i + 1] = others[i];
    }
}
