// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Campaign} from "./Campaign.sol";

/// @notice The clock runs as it likes: phases end by time as often as by acts.
contract InvariantsTest is Campaign {
    function invariant_holdsWhileTheClockRuns() public {
        _expectAll();
    }

    function _calls() internal pure override returns (bytes4[] memory) {
        return _withJump(super._calls());
    }
}

/// @notice The clock moves only where nobody can act: whole rounds in one second, and tasks that come far.
contract PatientInvariantsTest is Campaign {
    function invariant_holdsWithinOneSecond() public {
        _expectAll();
    }
}
