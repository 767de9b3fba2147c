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

    function fastHeader(
        At memory at,
        bytes32 parent,
        uint128 inputs,
        Opening memory o,
        uint256 difficulty
    ) internal view returns (bytes32) {
        bytes32 kind = keccak256("BC-FL fast block");
        bytes memory place = abi.encode(kind, block.chainid, at.task, at.round, at.attempt, at.sender);
        return keccak256(bytes.concat(place, abi.encode(parent, inputs, o.root, o.contentId, o.accuracy, difficulty)));
    }

    /// @notice The claim that `coordinate` of the result of miner `seat` is wrong. `at.attempt` is 0.
    function claim(uint8 seat, bytes32 digest, address challenger) internal pure returns (bytes32) {
        return keccak256(abi.encode(seat, digest, challenger));
    }

    function challenge(At memory at, uint8 seat, uint256 coordinate, bytes32 salt) internal view returns (bytes32) {
        bytes32 kind = keccak256("BC-FL challenge");
        return keccak256(
            abi.encode(
                kind, block.chainid, at.task, at.round, at.attempt, at.sender, uint256(seat), coordinate, salt
            )
        );
    }

    /// @notice The claim that miner `seat` does not show what is below a node. `at.attempt` is 0.
    function question(At memory at, uint8 seat, uint8 height, uint32 index) internal view returns (bytes32) {
        bytes32 kind = keccak256("BC-FL question");
        return keccak256(
            abi.encode(
                kind,
                block.chainid,
                at.task,
                at.round,
                at.attempt,
                at.sender,
                uint256(seat),
                uint256(height),
                uint256(index)
            )
        );
    }

    /// @notice Domain separator of a task: https://eips.ethereum.org/EIPS/eip-712
    function domain(address task) internal view returns (bytes32) {
        bytes memory kind = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
        return keccak256(abi.encode(keccak256(kind), keccak256("BC-FL"), keccak256("1"), block.chainid, task));
    }

    /// @notice What a trainer signs to have its commitment relayed.
    function signedCommit(address task, uint16 round, bytes32 digest) internal view returns (bytes32) {
        bytes32 kind = keccak256("Commit(uint16 round,bytes32 digest)");
        bytes32 message = keccak256(abi.encode(kind, uint256(round), digest));
        return keccak256(bytes.concat(bytes2(0x1901), domain(task), message));
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
