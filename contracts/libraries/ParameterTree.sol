// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title The tree over a model's parameters: one hash binds each of them, its position and their number
/// @notice leaf = keccak256(0x00 || 32 parameters as int32 little-endian, zeros after the last one);
/// node = keccak256(0x01 || left || right), from left to right, an odd last node moves up unchanged;
/// root = keccak256(0x02 || parameter count || leaf count || top), counts as 4 bytes big-endian.
/// Assembly, because a fraud proof hashes a path for every update; `tests/forge` compares it with a plain twin.
library ParameterTree {
    uint256 internal constant PER_LEAF = 32; // parameters
    uint256 internal constant LEAF_BYTES = 128;
    uint256 internal constant STEP = 6; // levels that one answer goes down

    /// @notice Leaves of a model of `count` parameters.
    function leaves(uint256 count) internal pure returns (uint256) {
        return (count + PER_LEAF - 1) / PER_LEAF;
    }

    /// @notice Levels above the leaves: the height of the top.
    function height(uint256 leafCount) internal pure returns (uint256 h) {
        while (uint256(1) << h < leafCount) ++h;
    }

    /// @notice Nodes at height `h`.
    function width(uint256 leafCount, uint256 h) internal pure returns (uint256) {
        return (leafCount + (uint256(1) << h) - 1) >> h;
    }

    /// @notice Siblings on the way from node `index` of height `from` to the top.
    function pathLength(uint256 leafCount, uint256 from, uint256 index) internal pure returns (uint256 siblings) {
        for (uint256 w = width(leafCount, from); w > 1; w = (w + 1) / 2) {
            if (index ^ 1 < w) ++siblings;
            index /= 2;
        }
    }

    /// @notice The root of the tree in which the bytes at calldata `offset` are the leaf with parameter `coordinate`
    /// and, after it, that leaf's path; and the parameter. The caller bounds `coordinate` and the calldata.
    /// Padding is not looked at: it cannot hold a coordinate.
    function open(
        uint256 count,
        uint256 leafCount,
        uint256 coordinate,
        uint256 offset
    ) internal pure returns (bytes32 root, int256 value) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            let inLeaf := and(coordinate, 31)
            // Little-endian: the lowest byte comes first.
            let word := shr(224, calldataload(add(offset, shl(2, inLeaf))))
            word := or(shl(8, and(word, 0x00ff00ff)), shr(8, and(word, 0xff00ff00)))
            word := and(or(shl(16, word), shr(16, word)), 0xffffffff)
            value := signextend(3, word)

            mstore8(free, 0)
            calldatacopy(add(free, 1), offset, 128)
            let node := keccak256(free, 129)
            let sibling := add(offset, 128)
            mstore8(free, 1)
            let left := add(free, 1)
            let right := add(free, 33)
            let index := shr(5, coordinate)
            for { let w := leafCount } gt(w, 1) { w := shr(1, add(w, 1)) } {
                if lt(xor(index, 1), w) {
                    switch and(index, 1)
                    case 0 {
                        mstore(left, node)
                        mstore(right, calldataload(sibling))
                    }
                    default {
                        mstore(left, calldataload(sibling))
                        mstore(right, node)
                    }
                    node := keccak256(free, 65)
                    sibling := add(sibling, 32)
                }
                index := shr(1, index)
            }
            mstore(free, or(shl(248, 2), or(shl(216, count), shl(184, leafCount))))
            mstore(add(free, 9), node)
            root := keccak256(free, 41)
        }
    }

    /// @notice The root of a tree with `node` at `index` of height `from`; `path` are its siblings upwards.
    function climb(
        uint256 count,
        uint256 from,
        uint256 index,
        bytes32 node,
        bytes32[] calldata path
    ) internal pure returns (bytes32) {
        uint256 leafCount = leaves(count);
        uint256 used;
        for (uint256 w = width(leafCount, from); w > 1; w = (w + 1) / 2) {
            if (index ^ 1 < w) {
                bytes32 sibling = path[used++];
                node = index & 1 == 0 ? _node(node, sibling) : _node(sibling, node);
            }
            index /= 2;
        }
        return keccak256(abi.encodePacked(uint8(2), uint32(count), uint32(leafCount), node));
    }

    /// @notice Bytes of an answer for node `index` of height `h`: all its leaves, or the nodes `STEP` levels below.
    function answerLength(uint256 leafCount, uint256 h, uint256 index) internal pure returns (uint256) {
        bool whole = h <= STEP;
        uint256 down = whole ? h : STEP;
        uint256 w = width(leafCount, h - down);
        uint256 first = index << down;
        uint256 parts = uint256(1) << down;
        if (first + parts > w) parts = w - first;
        return parts * (whole ? LEAF_BYTES : 32);
    }

    /// @notice The node of height `h` above `parts`, which has the right length.
    function fold(uint256 h, bytes calldata parts) internal pure returns (bytes32) {
        bool whole = h <= STEP;
        uint256 size = whole ? LEAF_BYTES : 32;
        uint256 n = parts.length / size;
        bytes32[] memory nodes = new bytes32[](n);
        for (uint256 i; i < n; ++i) {
            bytes calldata part = parts[i * size:(i + 1) * size];
            nodes[i] = whole ? keccak256(abi.encodePacked(uint8(0), part)) : bytes32(part);
        }
        for (; n > 1; n = (n + 1) / 2) {
            for (uint256 i; i < n / 2; ++i) nodes[i] = _node(nodes[2 * i], nodes[2 * i + 1]);
            if (n & 1 != 0) nodes[n / 2] = nodes[n - 1];
        }
        return nodes[0];
    }

    function _node(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(1), left, right));
    }
}
