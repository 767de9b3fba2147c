// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Opening} from "../../contracts/interfaces/TaskTypes.sol";
import {AggregateVerifier} from "../../contracts/libraries/AggregateVerifier.sol";
import {Digests} from "../../contracts/libraries/Digests.sol";
import {ParameterTree} from "../../contracts/libraries/ParameterTree.sol";

/// @notice The libraries that Python has twins of, many cases to a call; see `scripts/equivalence`.
contract Equivalence {
    using AggregateVerifier for AggregateVerifier.Sum;

    uint256 private constant INPUT_BYTES = 9;

    /// @notice One answer per column, a sequence of: rule (1 byte), trim share (2), inputs (1), then in the order of a
    /// proof seat (1), value (4), weight (4) of each, and the result (4). Answers have bit 0 when all inputs were in
    /// order, bit 1 when the result is right, bit 2 when one next to it is right, too.
    function aggregates(bytes calldata columns) external pure returns (bytes memory answers) {
        answers = new bytes(columns.length / (4 + INPUT_BYTES + 4));
        uint256 free;
        assembly ("memory-safe") {
            free := mload(0x40)
        }
        uint256 n;
        for (uint256 at; at < columns.length; ++n) {
            uint256 count = uint8(columns[at + 3]);
            uint256 size = 4 + count * INPUT_BYTES + 4;
            answers[n] = bytes1(_aggregate(columns[at:at + size], count));
            at += size;
            assembly ("memory-safe") {
                mstore(0x40, free)
            }
        }
        assembly ("memory-safe") {
            mstore(answers, n)
        }
    }

    function _aggregate(bytes calldata column, uint256 count) private pure returns (uint8 answer) {
        AggregateVerifier.Sum memory sum =
            AggregateVerifier.start(uint8(column[0]), uint16(bytes2(column[1:3])), count);
        answer = 1;
        for (uint256 i; i < count; ++i) {
            uint256 word = uint256(bytes32(column[4 + i * INPUT_BYTES:])) >> (256 - 8 * INPUT_BYTES);
            if (!sum.add(word >> 64, int32(uint32(word >> 32)), uint32(word))) answer = 0;
        }
        int256 result = int32(uint32(bytes4(column[column.length - 4:])));
        if (sum.isResult(result)) answer |= 2;
        if (sum.isResult(result + 1) || sum.isResult(result - 1)) answer |= 4;
    }

    /// @notice Root and value of what a proof shows of one model.
    function open(uint256 count, uint256 coordinate, bytes calldata entry) external pure returns (bytes32, int256) {
        ParameterTree.Place memory place = ParameterTree.place(count, coordinate);
        require(place.entry == entry.length, "length");
        uint256 offset;
        assembly ("memory-safe") {
            offset := entry.offset
        }
        return ParameterTree.open(place, offset);
    }

    /// @notice Shape of a node's way up and down, the root over it, and the node over its parts.
    function node(
        uint256 count,
        uint256 height,
        uint256 index,
        bytes32 digest,
        bytes32[] calldata path,
        bytes calldata parts
    ) external pure returns (uint256 top, uint256 width, uint256 pathLength, uint256 length, bytes32 root, bytes32 found) {
        uint256 leaves = ParameterTree.leaves(count);
        top = ParameterTree.height(leaves);
        width = ParameterTree.width(leaves, height);
        pathLength = ParameterTree.pathLength(leaves, height, index);
        length = ParameterTree.answerLength(leaves, height, index);
        root = ParameterTree.climb(count, height, index, digest, path);
        found = ParameterTree.fold(height, parts);
    }

    /// @notice All digests over one opening, in the order of the library.
    function digests(
        Digests.Place calldata place,
        bytes32[2] calldata before,
        uint128 inputs,
        Opening calldata opening,
        uint256 difficulty,
        uint256 nonce
    ) external view returns (bytes32[5] memory found) {
        found[0] = Digests.seal(place, opening);
        found[1] = Digests.header(place, before[0], before[1], opening, difficulty);
        found[2] = Digests.fastHeader(place, before[0], inputs, opening, difficulty);
        found[3] = Digests.work(found[1], nonce);
        found[4] = Digests.result(opening.root, opening.contentId);
    }

    /// @notice Both claims, and what a trainer signs.
    function claims(
        Digests.Place calldata place,
        uint8 seat,
        uint256 coordinate,
        bytes32 salt,
        uint8 height,
        uint32 index
    ) external view returns (bytes32[3] memory found) {
        found[0] = Digests.challenge(place, seat, coordinate, salt);
        found[1] = Digests.question(place, seat, height, index);
        found[2] = Digests.signedCommit(Digests.domain(), place.round, salt);
    }
}
