// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ParameterTree} from "../../../contracts/libraries/ParameterTree.sol";
import {Trees} from "../disputes/Trees.sol";
import {Test} from "../utils/Test.sol";

/// @notice Gives the library the calldata that it reads.
contract ParameterTreeHarness {
    function open(uint256 count, uint256 coordinate, bytes calldata entry) external pure returns (bytes32, int256) {
        uint256 offset;
        assembly ("memory-safe") {
            offset := entry.offset
        }
        return ParameterTree.open(ParameterTree.place(count, coordinate), offset);
    }

    function climb(
        uint256 count,
        uint256 from,
        uint256 index,
        bytes32 node,
        bytes32[] calldata path
    ) external pure returns (bytes32) {
        return ParameterTree.climb(count, from, index, node, path);
    }

    function fold(uint256 height, bytes calldata parts) external pure returns (bytes32) {
        return ParameterTree.fold(height, parts);
    }
}

/// @notice The library against the plain tree of `Trees`, over models of 1 to 2,200 parameters: 69 leaves, seven levels.
contract ParameterTreeTest is Test {
    uint256 private constant MOST = 2200;

    ParameterTreeHarness private immutable _library = new ParameterTreeHarness();

    function _model(uint256 seed, uint256 count, bool padded) private pure returns (int32[] memory model) {
        model = Trees.blank(count);
        uint256 h = seed;
        for (uint256 i; i < (padded ? model.length : count); ++i) {
            unchecked {
                h = h * 6364136223846793005 + 1442695040888963407;
            }
            model[i] = int32(uint32(h >> 96));
        }
    }

    /// @dev The padding, too: its values are opened as they are.
    function test_openFindsRootAndValue(uint256 seed, uint256 count, uint256 coordinate) public view {
        count = _within(count, 1, MOST);
        int32[] memory model = _model(seed, count, true);
        coordinate = _within(coordinate, 0, model.length - 1);
        (bytes32 root, int256 value) = _library.open(count, coordinate, Trees.entry(model, coordinate));
        vm.assertEq(root, Trees.root(count, model), "root");
        vm.assertTrue(value == model[coordinate], "value");
    }

    /// @dev Fifteen to twenty-three levels: the path alone, by a plain loop, since nobody builds such a tree here.
    function test_openAndClimbDeepTrees(uint256 seed) public view {
        uint256 count = _within(seed, 2 ** 20, 2 ** 28);
        uint256 coordinate = _within(uint256(keccak256(abi.encode(seed))), 0, count - 1);
        bytes memory leaf = abi.encode(seed, ~seed, keccak256(abi.encode(seed, 1)), keccak256(abi.encode(seed, 2)));
        bytes32 node = keccak256(bytes.concat(hex"00", leaf));
        (bytes32 root, bytes32[] memory path) = _pathOf(count, coordinate / 32, node);
        (bytes32 found, int256 value) =
            _library.open(count, coordinate, bytes.concat(leaf, abi.encodePacked(path)));
        vm.assertEq(found, root, "root");
        vm.assertTrue(value == _valueIn(leaf, coordinate % 32), "value");
        vm.assertEq(_library.climb(count, 0, coordinate / 32, node, path), root, "climbed");
        vm.assertEq(
            ParameterTree.pathLength(Trees.leafCount(count), 0, coordinate / 32), path.length, "siblings"
        );
    }

    function _valueIn(bytes memory leaf, uint256 place) private pure returns (int256) {
        uint256 bits;
        for (uint256 b = 4; b > 0; --b) bits = bits << 8 | uint8(leaf[4 * place + b - 1]);
        return int32(uint32(bits));
    }

    /// @dev Some siblings of the leaf `node`, and the root above them.
    function _pathOf(
        uint256 count,
        uint256 index,
        bytes32 node
    ) private pure returns (bytes32 root, bytes32[] memory path) {
        uint256 leaves = Trees.leafCount(count);
        uint256 used;
        path = new bytes32[](23);
        for (uint256 w = leaves; w > 1; w = w / 2 + w % 2) {
            if (index % 2 == 1 || index + 1 < w) {
                bytes32 sibling = keccak256(abi.encode(node, w));
                path[used++] = sibling;
                node = index % 2 == 0 ? Trees.node(node, sibling) : Trees.node(sibling, node);
            }
            index /= 2;
        }
        assembly ("memory-safe") {
            mstore(path, used)
        }
        root = keccak256(abi.encodePacked(uint8(2), uint32(count), uint32(leaves), node));
    }

    function test_openAtTheEndsOfTheRange() public view {
        int32[5] memory values = [type(int32).min, -1, 0, 1, type(int32).max];
        int32[] memory model = Trees.blank(5);
        for (uint256 i; i < 5; ++i) model[i] = values[i];
        for (uint256 i; i < 5; ++i) {
            (, int256 value) = _library.open(5, i, Trees.entry(model, i));
            vm.assertTrue(value == values[i], "value");
        }
    }

    /// @dev One bit changed anywhere gives another root, or another value at the same root: never both alike.
    function test_openIsBoundToEveryBit(uint256 seed, uint256 count, uint256 coordinate, uint256 bit) public view {
        count = _within(count, 1, MOST);
        int32[] memory model = _model(seed, count, false);
        coordinate = _within(coordinate, 0, count - 1);
        bytes memory entry = Trees.entry(model, coordinate);
        bit = _within(bit, 0, 8 * entry.length - 1);
        entry[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        (bytes32 root,) = _library.open(count, coordinate, entry);
        vm.assertNotEq(root, Trees.root(count, model), "root");
    }

    /// @dev The same bytes at another index, or in a model of another size, have another root.
    function test_openIsBoundToItsPlace(uint256 seed, uint256 count, uint256 coordinate, uint256 other) public view {
        count = _within(count, 33, MOST);
        int32[] memory model = _model(seed, count, false);
        coordinate = _within(coordinate, 0, count - 1);
        other = _within(other, 0, count - 1);
        bytes memory entry = Trees.entry(model, coordinate);
        bytes32 root = Trees.root(count, model);
        bytes32 found;
        if (other / 32 != coordinate / 32 && ParameterTree.place(count, other).entry == entry.length) {
            (found,) = _library.open(count, other, entry);
            vm.assertNotEq(found, root, "another leaf");
        }
        if (count % 32 != 0) {
            (found,) = _library.open(count + 1, coordinate, entry);
            vm.assertNotEq(found, root, "another size");
        }
    }

    function test_shapeAsBuilt(uint256 count, uint256 height, uint256 index) public pure {
        count = _within(count, 1, MOST);
        bytes32[][] memory all = Trees.levels(Trees.blank(count));
        uint256 leaves = ParameterTree.leaves(count);
        vm.assertEq(leaves, all[0].length, "leaves");
        vm.assertEq(ParameterTree.height(leaves), all.length - 1, "height");
        height = _within(height, 0, all.length - 1);
        vm.assertEq(ParameterTree.width(leaves, height), all[height].length, "width");
        index = _within(index, 0, all[height].length - 1);
        vm.assertEq(ParameterTree.pathLength(leaves, height, index), Trees.path(all, height, index).length, "path");
    }

    function test_climbFindsTheRoot(uint256 seed, uint256 count, uint256 height, uint256 index) public view {
        count = _within(count, 1, MOST);
        int32[] memory model = _model(seed, count, false);
        bytes32[][] memory all = Trees.levels(model);
        height = _within(height, 0, all.length - 1);
        index = _within(index, 0, all[height].length - 1);
        bytes32 found = _library.climb(count, height, index, all[height][index], Trees.path(all, height, index));
        vm.assertEq(found, Trees.root(count, model), "root");
    }

    /// @dev Leaves where they are at most six levels down, else the nodes six levels below; fewer at the right edge.
    function test_foldFindsTheNode(uint256 seed, uint256 count, uint256 height, uint256 index) public view {
        count = _within(count, 1, MOST);
        int32[] memory model = _model(seed, count, false);
        bytes32[][] memory all = Trees.levels(model);
        height = _within(height, 0, all.length - 1);
        index = _within(index, 0, all[height].length - 1);
        bytes memory parts = Trees.parts(model, height, index);
        vm.assertEq(ParameterTree.answerLength(all[0].length, height, index), parts.length, "length");
        vm.assertEq(_library.fold(height, parts), all[height][index], "node");
    }

    /// @dev The largest model: sizes only.
    function test_shapeOfTheLargest() public pure {
        uint256 leaves = ParameterTree.leaves(2 ** 28);
        vm.assertEq(leaves, 2 ** 23, "leaves");
        vm.assertEq(ParameterTree.height(leaves), 23, "height");
        vm.assertEq(ParameterTree.place(2 ** 28, 2 ** 28 - 1).entry, 128 + 23 * 32, "entry");
        vm.assertEq(ParameterTree.answerLength(leaves, 23, 0), 64 * 32, "first answer");
        vm.assertEq(ParameterTree.answerLength(leaves, 5, 0), 32 * 128, "last answer");
    }
}
