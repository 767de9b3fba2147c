// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Test} from "../utils/Test.sol";
import {Handler} from "./Handler.sol";

/// @notice Twelve accounts, hostile receivers among them, one small task after the other. The handler watches each of
/// its steps; what is asked now and then, and at the end, is here. Calls take seeds, so a dictionary of seen values would
/// only cost time.
abstract contract Campaign is Test {
    Handler internal handler;

    function setUp() public {
        handler = new Handler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), _calls());
    }

    /// @dev Forge asks this every so often and forgets what it did: from wherever a run got to, everybody gets out.
    function _expectAll() internal {
        handler.expectRecordsInBounds();
        handler.exit();
    }

    function afterInvariant() public virtual {
        handler.expectDeeds();
    }

    function _calls() internal pure virtual returns (bytes4[] memory calls) {
        calls = new bytes4[](11);
        calls[0] = Handler.act.selector;
        calls[1] = Handler.actAll.selector;
        calls[2] = Handler.pay.selector;
        calls[3] = Handler.probe.selector;
        calls[4] = Handler.accuse.selector;
        calls[5] = Handler.show.selector;
        calls[6] = Handler.ask.selector;
        calls[7] = Handler.reply.selector;
        calls[8] = Handler.takeBack.selector;
        calls[9] = Handler.vouch.selector;
        calls[10] = Handler.mineAgain.selector;
    }

    function _withJump(bytes4[] memory others) internal pure returns (bytes4[] memory calls) {
        calls = new bytes4[](others.length + 1);
        calls[0] = Handler.jump.selector;
        for (uint256 i; i < others.length; ++i) calls[i + 1] = others[i];
    }
}
