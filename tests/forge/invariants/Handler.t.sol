// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {WatchedHandler} from "./WatchedHandler.sol";

/// @notice The handler itself, driven by a fixed sequence: it must reach every kind of end often enough to be worth
/// fuzzing.
contract HandlerTest is WatchedHandler {
    function test_reachesEveryEnd() public {
        for (uint256 i; i < 4000; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            bytes4[12] memory calls = [
                this.act.selector,
                this.actAll.selector,
                this.jump.selector,
                this.pay.selector,
                this.probe.selector,
                this.accuse.selector,
                this.show.selector,
                this.ask.selector,
                this.reply.selector,
                this.takeBack.selector,
                this.vouch.selector,
                this.mineAgain.selector
            ];
            (bool ok, bytes memory why) = address(this).call(abi.encodeWithSelector(calls[seed % 12], seed >> 8));
            if (!ok) {
                assembly {
                    revert(add(why, 0x20), mload(why))
                }
            }
        }
        _log("tasks closed", tasksClosed);
        _log("rounds accepted", seen.accepted);
        _log("rounds void", seen.voided);
        _log("tasks completed", seen.completed);
        _log("... early", seen.early);
        _log("... with burns", seen.burnt);
        _log("tasks aborted", seen.aborted);
        _log("results refuted", seen.refuted);
        _log("second minings", seen.again);
        _log("fast blocks final", seen.fast);
        _log("fast blocks voted on", seen.fastVoted);
        _log("forks to choose from", seen.stood);
        _log("updates relayed", seen.relayed);
        expectDeeds();
        _log("rounds that struck a miner out", seen.struckOut);
    }

    function _log(string memory what, uint256 count) private {
        emit log_named_uint(what, count);
        vm.assertGt(count, 0, what);
    }
}
