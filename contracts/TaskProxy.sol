// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {UpdateWords} from "./task/UpdateWords.sol";

/// @title The contract at a task's address
/// @notice What every trainer calls in every round is here, without a further hop; everything else, and what is to be
/// refused, runs the shared `LearningTask` on this contract's storage. Its code ends with the task's terms: see
/// `TaskBase`. It is not upgradeable: the address that it delegates to is part of that code too.
contract TaskProxy is UpdateWords {
    /// @notice See {IUpdates}.
    function commit(bytes32 digest) external {
        uint256 r = _committing();
        if (r != 0) r = _commit(r, msg.sender, digest);
        if (r == 0) _delegate();
        _store(r);
    }

    /// @notice See {IUpdates}.
    function reveal(bytes32, bytes32, uint256, uint256, bytes32) external {
        uint256 r = _revealing();
        if (r != 0) r = _reveal(r, msg.sender, 4); // after the selector
        if (r == 0) _delegate();
        _store(r);
    }

    fallback() external payable {
        _delegate();
    }

    /// @notice Money comes with a call that says what it is for.
    receive() external payable {
        revert LearningTask_UnexpectedPayment(msg.sender, msg.value);
    }

    /// @dev Ends the call with what the implementation, the last word of this code, makes of it.
    function _delegate() private {
        assembly {
            codecopy(0, sub(codesize(), 32), 32)
            let implementation := mload(0)
            // Memory is the rest of this call's alone.
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), implementation, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if iszero(done) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
    }
}

/// @title Makes a `TaskProxy` with `args`, as `TaskBase` reads them, at the end of its code
contract TaskProxyCreation {
    constructor(bytes memory args) {
        bytes memory code = bytes.concat(type(TaskProxy).runtimeCode, args);
        assembly ("memory-safe") {
            return(add(code, 32), mload(code))
        }
    }
}
