// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Trees} from "../disputes/Trees.sol";

/// @notice `Trees` for models of one leaf or two, in a fraction of its time: a campaign builds many thousands.
library SmallTrees {
    function root(uint256 count, int32[] memory model) internal pure returns (bytes32) {
        bytes32 top = leafHash(model, 0);
        if (model.length > Trees.PER_LEAF) top = Trees.node(top, leafHash(model, 1));
        return Trees.rootOf(count, top);
    }

    /// @notice What a proof shows of a model: the leaf that holds `coordinate`, and the hash of the other.
    function entry(int32[] memory model, uint256 coordinate) internal pure returns (bytes memory shown) {
        uint256 index = coordinate / Trees.PER_LEAF;
        shown = leaf(model, index);
        if (model.length > Trees.PER_LEAF) shown = bytes.concat(shown, leafHash(model, 1 - index));
    }

    /// @notice The leaves below node `index` of `height`.
    function parts(int32[] memory model, uint256 height, uint256 index) internal pure returns (bytes memory) {
        if (height == 0) return leaf(model, index);
        return bytes.concat(leaf(model, 0), leaf(model, 1));
    }

    function leafHash(int32[] memory model, uint256 index) internal pure returns (bytes32) {
        return keccak256(bytes.concat(hex"00", leaf(model, index)));
    }

    /// @notice The 128 bytes of leaf `index`: little-endian, four bytes each.
    function leaf(int32[] memory model, uint256 index) internal pure returns (bytes memory out) {
        out = new bytes(160); // each number is written as a word, over what follows it
        assembly ("memory-safe") {
            let from := add(add(model, 32), shl(10, index))
            let to := add(out, 32)
            for { let end := add(from, 1024) } lt(from, end) { from := add(from, 32) } {
                let v := mload(from)
                let turned := or(shl(24, and(v, 0xff)), shl(8, and(v, 0xff00)))
                turned := or(turned, or(and(shr(8, v), 0xff00), and(shr(24, v), 0xff)))
                mstore(to, shl(224, turned))
                to := add(to, 4)
            }
            mstore(out, 128)
        }
    }
}
