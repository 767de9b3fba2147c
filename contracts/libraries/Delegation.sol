// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title A call that another contract's code answers on this contract's storage
library Delegation {
    /// @notice Ends the call with what the code at `target` makes of its calldata: its result, or its revert.
    function end(address target) internal {
        assembly {
            // Memory is the rest of this call's alone.
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), target, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if iszero(done) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
    }
}
