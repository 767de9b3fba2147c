// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice What halmos understands of forge's cheatcodes, as far as the proofs need it.
interface Vm {
    function assume(bool condition) external pure;
}

/// @notice Functions `check_...` are proven for all arguments that meet their assumptions: no `assert` fails, and
/// nothing overflows, is divided by zero or read out of bounds.
abstract contract Proof {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
}
