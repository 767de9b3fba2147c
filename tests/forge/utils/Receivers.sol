// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILearningTask} from "../../../contracts/interfaces/ILearningTask.sol";

/// @notice Takes no money.
contract Refuser {
    receive() external payable {
        revert("no");
    }
}

/// @notice Burns all gas that it gets.
contract GasBurner {
    receive() external payable {
        while (true) {}
    }
}

/// @notice Claims again, and tries every other door, while it is being paid; keeps the first payment.
contract ReEnterer {
    uint256 public succeeded;
    uint256 public refused;

    receive() external payable {
        ILearningTask task = ILearningTask(msg.sender);
        bytes[5] memory calls = [
            abi.encodeCall(task.withdraw, (address(this))),
            abi.encodeCall(task.cancel, ()),
            abi.encodeCall(task.select, ()),
            abi.encodeCall(task.finalise, (new uint256[](0), 0)),
            abi.encodeCall(task.initialise, ())
        ];
        for (uint256 i; i < calls.length; ++i) {
            (bool ok,) = address(task).call(calls[i]);
            if (ok) ++succeeded;
            else ++refused;
        }
    }
}
