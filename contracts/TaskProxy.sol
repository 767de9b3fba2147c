// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILearningTask} from "./interfaces/ILearningTask.sol";
import {Delegation} from "./libraries/Delegation.sol";
import {UpdateWords} from "./task/UpdateWords.sol";

/// @title The contract at a task's address
/// @notice What every trainer calls in every round is here, without a further hop; everything else, and what is to be
/// refused, runs the shared `LearningTask` on this contract's storage. Its code ends with the task's terms: see
/// `TaskBase`. It is not upgradeable: the addresses that it delegates to are part of that code too.
contract TaskProxy is UpdateWords {
    uint256 private constant BLOCKS = 32; // bytes before the end of this code
    uint256 private constant IMPLEMENTATION = 64;

    /// @notice See {IUpdates}.
    function commit(bytes32 digest) external {
        uint256 r = _committing();
        if (r != 0) r = _commit(r, msg.sender, digest);
        if (r == 0) _delegate(IMPLEMENTATION);
        _store(r);
    }

    /// @notice See {IUpdates}.
    function reveal(bytes32, bytes32, uint256, uint256, bytes32) external {
        uint256 r = _revealing();
        if (r != 0) r = _reveal(r, msg.sender, 4); // after the selector
        if (r == 0) _delegate(IMPLEMENTATION);
        _store(r);
    }

    /// @notice Everything else: blocks and disputes in one hop, since miners pay for them in every round and a proof is
    /// long; the rest by way of the implementation.
    fallback() external payable {
        bytes4 f = msg.sig;
        bool direct = f == ILearningTask.check.selector || f == ILearningTask.seal.selector
            || f == ILearningTask.propose.selector || f == ILearningTask.open.selector
            || f == ILearningTask.challenge.selector || f == ILearningTask.commitChallenge.selector;
        _delegate(direct ? BLOCKS : IMPLEMENTATION);
    }

    /// @notice Money comes with a call that says what it is for.
    receive() external payable {
        revert LearningTask_UnexpectedPayment(msg.sender, msg.value);
    }

    /// @dev Ends the call with what the code makes of it whose address stands `fromEnd` bytes before the end of this.
    function _delegate(uint256 fromEnd) private {
        address target;
        assembly ("memory-safe") {
            codecopy(0, sub(codesize(), fromEnd), 32)
            target := mload(0)
        }
        Delegation.end(target);
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
