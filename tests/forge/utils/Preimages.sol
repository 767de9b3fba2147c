// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Opening} from "../../../contracts/interfaces/TaskTypes.sol";

/// @notice Every digest of a task written a second time, from its specification: one `abi.encode` of
/// (type, chain id, task, round, attempt, sender, ...) with no help from the library under test.
library Preimages {
    struct At {
        address task;
        uint16 round;
        uint8 attempt;
        address sender;
    }

    function update(
        At memory at,
        bytes32 root,
        bytes32 contentId,
        uint32 samples,
        uint32 trainingTime,
        bytes32 salt
    ) internal view returns (bytes32) {
        bytes32 kind = keccak256("BC-FL update");
        return keccak256(
            abi.encode(
                kind,
                block.chainid,
                at.task,
                at.round,
                at.attempt,
                at.sender,
                root,
                contentId,
                samples,
                trainingTime,
                salt
            )
        );
    }

    function seal(At memory at, Opening memory o) internal view returns (bytes32) {
        bytes32 kind = keccak256("BC-FL seal");
        bytes32 scores = keccak256(abi.encodePacked(o.scores));
        return keccak256(
            abi.encode(
                kind,
                block.chainid,
                at.task,
                at.round,
                at.attempt,
                at.sender,
                o.root,
                o.contentId,
                o.accuracy,
                scores,
                o.salt
            )
        );
    }

    function header(
        At memory at,
        bytes32 parent,
        bytes32 sealsDigest,
        Opening memory o,
        uint256 difficulty
    ) internal view returns (bytes32) {
        bytes32 kind = keccak256("BC-FL block");
        bytes memory place = abi.encode(kind, block.chainid, at.task, at.round, at.attempt, at.sender);
        bytes32 scores = keccak256(abi.encodePacked(o.scores));
        return keccak256(
            bytes.concat(place, abi.encode(parent, sealsDigest, o.root, o.contentId, o.accuracy, scores, difficulty))
        );
    }

    function work(bytes32 headerDigest, uint256 nonce) internal pure returns (bytes32) {
        return keccak256(bytes.concat(headerDigest, bytes32(nonce)));
    }

    /// @notice The running digest over the round's seals.
    function chain(bytes32 sealsDigest, uint8 seat, bytes32 digest) internal pure returns (bytes32) {
        return keccak256(abi.encode(sealsDigest, uint256(seat), digest));
    }

    function result(Opening memory o) internal pure returns (bytes32) {
        return keccak256(bytes.concat(o.root, o.contentId));
    }
}
