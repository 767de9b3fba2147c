// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Opening} from "../interfaces/TaskTypes.sol";

/// @title Every digest of a task, in one place
/// @notice keccak256 over `abi.encode(TYPE, chain id, task, round, attempt, sender, ...)`: nothing signed or sealed
/// here fits another chain, task, round, attempt or sender.
library Digests {
    bytes32 internal constant UPDATE = keccak256("BC-FL update");
    bytes32 internal constant SEAL = keccak256("BC-FL seal");
    bytes32 internal constant BLOCK = keccak256("BC-FL block");

    /// @notice What a digest is bound to.
    struct Place {
        uint16 round;
        uint8 attempt;
        address sender;
    }

    /// @notice A trainer's commitment to its update. `trainingTime` in milliseconds.
    function update(
        Place memory place,
        bytes32 root,
        bytes32 contentId,
        uint32 samples,
        uint32 trainingTime,
        bytes32 salt
    ) internal view returns (bytes32) {
        bytes memory prefix = _prefix(UPDATE, place);
        return keccak256(bytes.concat(prefix, abi.encode(root, contentId, samples, trainingTime, salt)));
    }

    /// @notice A miner's seal over its aggregate and scores.
    function seal(Place memory place, Opening calldata o) internal view returns (bytes32) {
        bytes memory prefix = _prefix(SEAL, place);
        return keccak256(bytes.concat(prefix, abi.encode(o.root, o.contentId, o.accuracy, scores(o), o.salt)));
    }

    /// @notice The header of a block: all that the work is bound to but the nonce.
    function header(
        Place memory place,
        bytes32 parent,
        bytes32 sealsDigest,
        Opening calldata o,
        uint256 difficulty
    ) internal view returns (bytes32) {
        bytes memory prefix = _prefix(BLOCK, place);
        return keccak256(
            bytes.concat(
                prefix, abi.encode(parent, sealsDigest, o.root, o.contentId, o.accuracy, scores(o), difficulty)
            )
        );
    }

    /// @notice The block hash: its value is the proof of work.
    function work(bytes32 headerDigest, uint256 nonce) internal pure returns (bytes32) {
        return keccak256(abi.encode(headerDigest, nonce));
    }

    /// @notice Digest of the opened score words.
    function scores(Opening calldata o) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(o.scores));
    }

    /// @notice The id under which openers of the same result are counted.
    function result(bytes32 root, bytes32 contentId) internal pure returns (bytes32) {
        return keccak256(abi.encode(root, contentId));
    }

    function _prefix(bytes32 kind, Place memory place) private view returns (bytes memory) {
        return abi.encode(kind, block.chainid, address(this), place.round, place.attempt, place.sender);
    }
}
