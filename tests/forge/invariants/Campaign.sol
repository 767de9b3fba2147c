// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Test} from "../utils/Test.sol";
import {Handler} from "./Handler.sol";
import {WatchedHandler} from "./WatchedHandler.sol";

/// @notice Twelve accounts, hostile receivers among them, one small task after the other. All statements share one
/// campaign; the handler checks on its own that time and rounds only go forward, that closed tasks only pay out, and
/// that nothing can be done twice. Calls take seeds, so a dictionary of seen values would only cost time.
abstract contract Campaign is Test {
    WatchedHandler internal handler;

    function setUp() public {
        handler = new WatchedHandler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), _calls());
    }

    /// @dev After each run: from wherever it got to, everybody gets out.
    function afterInvariant() public virtual {
        handler.expectDeeds();
        handler.expectRecordsInBounds();
        handler.exit();
        handler.expectAll();
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
}
