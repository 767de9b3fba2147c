// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Campaign} from "./Campaign.sol";
import {Handler} from "./Handler.sol";

/// @dev Forge's default of 256 runs makes 64,000 calls of each of these; `FOUNDRY_INVARIANT_RUNS=4000` a million.
/// @notice The clock runs as it likes: phases end by time as often as by acts.
contract InvariantsTest is Campaign {
    /// forge-config: default.invariant.depth = 250
    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.dictionary-weight = 0
    /// forge-config: default.invariant.include-storage = false
    /// forge-config: default.invariant.include-push-bytes = false
    /// forge-config: default.invariant.max-fuzz-dictionary-values = 10
    /// forge-config: default.invariant.max-fuzz-dictionary-addresses = 10
    function invariant_holdsWhileTheClockRuns() public view {
        handler.expectAll();
    }

    function _calls() internal pure override returns (bytes4[] memory calls) {
        bytes4[] memory others = super._calls();
        calls = new bytes4[](others.length + 1);
        calls[0] = Handler.jump.selector;
        for (uint256 i; i < others.length; ++i) calls[i + 1] = others[i];
    }
}

/// @notice The clock moves only where nobody can act: whole rounds in one second, and tasks that come far.
contract PatientInvariantsTest is Campaign {
    /// forge-config: default.invariant.depth = 250
    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.dictionary-weight = 0
    /// forge-config: default.invariant.include-storage = false
    /// forge-config: default.invariant.include-push-bytes = false
    /// forge-config: default.invariant.max-fuzz-dictionary-values = 10
    /// forge-config: default.invariant.max-fuzz-dictionary-addresses = 10
    function invariant_holdsWithinOneSecond() public view {
        handler.expectAll();
    }
}
