// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice The part of forge's cheatcodes that these tests use: https://getfoundry.sh/reference/cheatcodes
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    struct Gas {
        uint64 gasLimit;
        uint64 gasTotalUsed;
        uint64 gasMemoryUsed;
        int64 gasRefunded;
        uint64 gasRemaining;
    }

    function warp(uint256 timestamp) external;
    function roll(uint256 number) external;
    function setBlockhash(uint256 number, bytes32 hash) external;
    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function deal(address account, uint256 balance) external;
    function etch(address account, bytes calldata code) external;
    function label(address account, string calldata name) external;
    function prank(address sender) external;
    function chainId(uint256 id) external;
    function expectRevert(bytes calldata data) external;
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
    function lastCallGas() external view returns (Gas memory);
    function toString(uint256 value) external pure returns (string memory);
    function assertTrue(bool condition, string calldata error) external pure;
    function assertEq(uint256 a, uint256 b, string calldata error) external pure;
    function assertEq(address a, address b, string calldata error) external pure;
    function assertEq(bytes32 a, bytes32 b, string calldata error) external pure;
    function assertNotEq(bytes32 a, bytes32 b, string calldata error) external pure;
    function assertLe(uint256 a, uint256 b, string calldata error) external pure;
    function assertGe(uint256 a, uint256 b, string calldata error) external pure;
    function assertLt(uint256 a, uint256 b, string calldata error) external pure;
    function assertGt(uint256 a, uint256 b, string calldata error) external pure;
}

/// @notice What forge finds by name. Small enough to own: the npm copies of forge-std are unofficial and old.
abstract contract Test {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    mapping(address account => uint256) internal keyOf; // of the named

    event log_named_uint(string key, uint256 value);

    /// @dev A labelled account without code, the same in every test, that can sign.
    function _named(string memory name) internal returns (address account) {
        uint256 key = uint256(keccak256(bytes(name)));
        account = vm.addr(key);
        if (keyOf[account] != 0) return account;
        keyOf[account] = key;
        vm.label(account, name);
    }

    /// @dev The arguments of a custom error.
    function _arguments(bytes memory revertData) internal pure returns (bytes memory arguments) {
        arguments = new bytes(revertData.length - 4);
        for (uint256 i; i < arguments.length; ++i) arguments[i] = revertData[i + 4];
    }

    /// @dev `value` folded into the inclusive range.
    function _within(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + value % (high - low + 1);
    }
}
