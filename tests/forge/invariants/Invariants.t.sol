// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Campaign} from "./Campaign.sol";
import {Handler} from "./Handler.sol";

/// @notice The clock runs as it likes: phases end by time as often as by acts.
contract InvariantsTest is Campaign {
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
    function invariant_holdsWithinOneSecond() public view {
        handler.expectAll();
    }
}
