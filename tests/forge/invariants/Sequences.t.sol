// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Campaign} from "./Campaign.sol";

/// @notice The same calls, drawn here instead of by forge's invariant runner: that one records every call of every
/// contract, which makes it three times slower. So most of a campaign's calls are made here, a thousand and more in each
/// run of a fuzz test.
abstract contract Sequences is Campaign {
    uint256 private constant CALLS = 1400;
    uint256 private constant CHECK_INTERVAL = 50;

    function _play(uint256 seed) internal {
        bytes4[] memory calls = _calls();
        for (uint256 i = 1; i <= CALLS; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _call(abi.encodeWithSelector(calls[seed % calls.length], seed));
            if (i % CHECK_INTERVAL != 0) continue;
            handler.expectRecordsInBounds();
            handler.tryExit();
        }
        handler.exit();
        handler.expectDeeds();
    }

    /// @dev No call reverts.
    function _call(bytes memory call) private {
        (bool ok, bytes memory why) = address(handler).call(call);
        if (ok) return;
        assembly ("memory-safe") {
            revert(add(why, 32), mload(why))
        }
    }
}

/// @notice See `InvariantsTest`.
contract SequencesTest is Sequences {
    /// forge-config: default.fuzz.runs = 40
    function testFuzz_whileTheClockRuns(uint256 seed) public {
        _play(seed);
    }

    function _calls() internal pure override returns (bytes4[] memory) {
        return _withJump(super._calls());
    }
}

/// @notice See `PatientInvariantsTest`.
contract PatientSequencesTest is Sequences {
    /// forge-config: default.fuzz.runs = 40
    function testFuzz_withinOneSecond(uint256 seed) public {
        _play(seed);
    }
}
