// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice The parameter tree a second time, from its specification, with loops instead of assembly. A model is an
/// array filled up to whole leaves, so that tests can also put something after the last parameter.
library Trees {
    uint256 internal constant PER_LEAF = 32;

    /// @dev Memory that is used on the way to a number is free again: one test builds hundreds of trees.
    modifier scratch() {
        uint256 free;
        assembly ("memory-safe") {
            free := mload(0x40)
        }
        _;
        assembly ("memory-safe") {
            mstore(0x40, free)
        }
    }

    /// @notice Leaves of a model of `count` parameters.
    function leafCount(uint256 count) internal pure returns (uint256) {
        return count / PER_LEAF + (count % PER_LEAF == 0 ? 0 : 1);
    }

    /// @notice An empty model with room for `count` parameters.
    function blank(uint256 count) internal pure returns (int32[] memory) {
        return new int32[](leafCount(count) * PER_LEAF);
    }

    /// @notice The 128 bytes of leaf `index`: little-endian, four bytes each.
    function leaf(int32[] memory model, uint256 index) internal pure returns (bytes memory out) {
        out = new bytes(4 * PER_LEAF);
        for (uint256 i; i < PER_LEAF; ++i) {
            uint32 bits = uint32(model[index * PER_LEAF + i]);
            for (uint256 b; b < 4; ++b) out[4 * i + b] = bytes1(uint8(bits >> (8 * b)));
        }
    }

    /// @notice All digests by height, the leaves first, the single top last.
    function levels(int32[] memory model) internal pure returns (bytes32[][] memory all) {
        bytes32[] memory level = new bytes32[](model.length / PER_LEAF);
        for (uint256 i; i < level.length; ++i) level[i] = leafHash(model, i);
        uint256 height;
        for (uint256 w = level.length; w > 1; w = w / 2 + w % 2) ++height;
        all = new bytes32[][](height + 1);
        all[0] = level;
        for (uint256 h = 1; h <= height; ++h) {
            bytes32[] memory below = all[h - 1];
            level = new bytes32[](below.length / 2 + below.length % 2);
            for (uint256 i; i < level.length; ++i) {
                bool pair = 2 * i + 1 < below.length;
                level[i] = pair ? node(below[2 * i], below[2 * i + 1]) : below[2 * i];
            }
            all[h] = level;
        }
    }

    function leafHash(int32[] memory model, uint256 index) internal pure scratch returns (bytes32) {
        return keccak256(bytes.concat(hex"00", leaf(model, index)));
    }

    function node(bytes32 left, bytes32 right) internal pure scratch returns (bytes32) {
        return keccak256(bytes.concat(hex"01", left, right));
    }

    function rootOf(uint256 count, bytes32 top) internal pure returns (bytes32) {
        return keccak256(bytes.concat(hex"02", bytes4(uint32(count)), bytes4(uint32(leafCount(count))), top));
    }

    function root(uint256 count, int32[] memory model) internal pure scratch returns (bytes32) {
        bytes32[][] memory all = levels(model);
        return rootOf(count, all[all.length - 1][0]);
    }

    /// @notice Siblings of node `index` of height `from` up to the top.
    function path(bytes32[][] memory all, uint256 from, uint256 index) internal pure returns (bytes32[] memory siblings) {
        bytes32[] memory found = new bytes32[](all.length);
        uint256 n;
        for (uint256 h = from; h + 1 < all.length; ++h) {
            uint256 sibling = index % 2 == 0 ? index + 1 : index - 1;
            if (sibling < all[h].length) found[n++] = all[h][sibling];
            index /= 2;
        }
        siblings = new bytes32[](n);
        for (uint256 i; i < n; ++i) siblings[i] = found[i];
    }

    /// @notice What a proof shows of a model: the leaf that holds `coordinate`, and its path.
    function entry(int32[] memory model, uint256 coordinate) internal pure returns (bytes memory) {
        uint256 index = coordinate / PER_LEAF;
        return bytes.concat(leaf(model, index), abi.encodePacked(path(levels(model), 0, index)));
    }

    /// @notice What is below node `index` of `height`: all leaves when they are at most six levels down, else the
    /// nodes six levels below.
    function parts(int32[] memory model, uint256 height, uint256 index) internal pure returns (bytes memory out) {
        bytes32[][] memory all = levels(model);
        uint256 down = height < 6 ? height : 6;
        uint256 wide = 2 ** down;
        bytes32[] memory level = all[height - down];
        for (uint256 i = index * wide; i < (index + 1) * wide && i < level.length; ++i) {
            out = height <= 6 ? bytes.concat(out, leaf(model, i)) : bytes.concat(out, level[i]);
        }
    }

    function copy(int32[] memory model) internal pure returns (int32[] memory out) {
        out = new int32[](model.length);
        for (uint256 i; i < model.length; ++i) out[i] = model[i];
    }
}
