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
        unchecked {
            return (count + PER_LEAF - 1) / PER_LEAF;
        }
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

    /// @notice Where a parameter is in every tree of its size. Memory only.
    struct Place {
        uint256 inLeaf; // bytes before the parameter in its leaf
        uint256 sides; // one byte per sibling from the bottom up, the highest first: 32 = it stands on the left, else 0
        uint256 entry; // bytes of the leaf and its path
        uint256 counts; // tag and counts of the root's preimage, 9 bytes at the high end
        uint256 inputs; // of the caller
    }

    /// @notice The place of `coordinate`, which is in one of the leaves, in a model of `count` parameters.
    function place(uint256 count, uint256 coordinate) internal pure returns (Place memory p) {
        uint256 leafCount = leaves(count);
        uint256 siblings;
        uint256 sides;
        assembly ("memory-safe") {
            let index := shr(5, coordinate)
            let bit := 253 // that means 32 in the byte of the next sibling
            for { let w := leafCount } gt(w, 1) { w := shr(1, add(w, 1)) } {
                sides := or(sides, shl(bit, and(index, 1)))
                bit := sub(bit, shl(3, lt(xor(index, 1), w))) // without a sibling the index is even
                index := shr(1, index)
            }
            siblings := shr(3, sub(253, bit))
        }
        p.sides = sides;
        unchecked {
            p.inLeaf = 4 * (coordinate % PER_LEAF);
            p.entry = LEAF_BYTES + 32 * siblings;
        }
        p.counts = 2 << 248 | count << 216 | leafCount << 184;
    }

    /// @notice The root of the tree in which the bytes at calldata `offset` are the leaf of `p` and that leaf's path;
    /// and the parameter. The caller bounds the calldata. Padding is a value like all others here.
    function open(Place memory p, uint256 offset) internal pure returns (bytes32 root, int256 value) {
        assembly ("memory-safe") {
            // Little-endian: the lowest byte comes first.
            let word := shr(224, calldataload(add(offset, mload(p))))
            word := or(shl(8, and(word, 0x00ff00ff)), shr(8, and(word, 0xff00ff00)))
            value := signextend(3, or(shl(16, word), shr(16, word)))

            // Preimages: the tag at `at`, then the leaf, or left and right.
            let left := add(mload(0x40), 32)
            let at := sub(left, 1)
            let right := add(left, 32)
            mstore8(at, 0)
            calldatacopy(left, offset, 128)
            let node := keccak256(at, 129)
            mstore8(at, 1)
            let sides := mload(add(p, 32))
            let end := add(offset, mload(add(p, 64)))
            let both := add(left, right)
            // Four levels a turn, after up to three single ones.
            for { offset := add(offset, 128) } and(sub(end, offset), 0x60) { offset := add(offset, 32) } {
                let own := add(left, byte(0, sides))
                mstore(own, node)
                mstore(sub(both, own), calldataload(offset))
                node := keccak256(at, 65)
                sides := shl(8, sides)
            }
            for {} lt(offset, end) { offset := add(offset, 128) } {
                {
                    let own := add(left, byte(0, sides))
                    mstore(own, node)
                    mstore(sub(both, own), calldataload(offset))
                }
                {
                    let own := add(left, byte(1, sides))
                    mstore(own, keccak256(at, 65))
                    mstore(sub(both, own), calldataload(add(offset, 32)))
                }
                {
                    let own := add(left, byte(2, sides))
                    mstore(own, keccak256(at, 65))
                    mstore(sub(both, own), calldataload(add(offset, 64)))
                }
                {
                    let own := add(left, byte(3, sides))
                    mstore(own, keccak256(at, 65))
                    mstore(sub(both, own), calldataload(add(offset, 96)))
                }
                node := keccak256(at, 65)
                sides := shl(32, sides)
            }
            mstore(left, mload(add(p, 96)))
            mstore(add(left, 9), node)
            root := keccak256(left, 41)
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
        return rootOf(count, leafCount, node);
    }

    /// @notice The root above the top's hash.
    function rootOf(uint256 count, uint256 leafCount, bytes32 top) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(2), uint32(count), uint32(leafCount), top));
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
