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
    bytes32 internal constant FAST_BLOCK = keccak256("BC-FL fast block");
    bytes32 internal constant CHALLENGE = keccak256("BC-FL challenge");
    bytes32 internal constant QUESTION = keccak256("BC-FL question");

    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant COMMIT = keccak256("Commit(uint16 round,bytes32 digest)");

    /// @notice What a digest is bound to.
    struct Place {
        uint16 round;
        uint8 attempt;
        address sender;
    }

    // A trainer's commitment is UPDATE at attempt 0 over (root, content digest, samples, training time in ms, salt). It
    // is put together in `Updates._reveal`, where the words already lie.

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

    /// @notice The header of a block that is proposed without seals; the miner's word on the accuracy is in it.
    function fastHeader(
        Place memory place,
        bytes32 parent,
        uint128 inputs,
        Opening calldata o,
        uint256 difficulty
    ) internal view returns (bytes32) {
        bytes memory prefix = _prefix(FAST_BLOCK, place);
        return keccak256(bytes.concat(prefix, abi.encode(parent, inputs, o.root, o.contentId, o.accuracy, difficulty)));
    }

    /// @notice The claim that `coordinate` of the result of miner `seat` is wrong, hidden by the salt.
    function challenge(
        Place memory place,
        uint8 seat,
        uint256 coordinate,
        bytes32 salt
    ) internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                CHALLENGE,
                block.chainid,
                address(this),
                place.round,
                place.attempt,
                place.sender,
                seat,
                coordinate,
                salt
            )
        );
    }

    /// @notice The id of the claim that `challenger` committed to with `digest`, against miner `seat`: nobody else's.
    function claim(uint8 seat, bytes32 digest, address challenger) internal pure returns (bytes32) {
        return keccak256(abi.encode(seat, digest, challenger));
    }

    /// @notice The claim that miner `seat` does not show what is below node `index` of `height`.
    function question(
        Place memory place,
        uint8 seat,
        uint256 height,
        uint256 index
    ) internal view returns (bytes32) {
        return keccak256(bytes.concat(_prefix(QUESTION, place), abi.encode(seat, height, index)));
    }

    /// @notice Domain separator of this task (EIP-712).
    function domain() internal view returns (bytes32) {
        return keccak256(
            abi.encode(DOMAIN, keccak256("BC-FL"), keccak256("1"), block.chainid, address(this))
        );
    }

    /// @notice What a trainer signs for others to relay its commitment (EIP-712). The round is its nonce: one
    /// commitment a round is taken.
    function signedCommit(bytes32 domain_, uint16 round, bytes32 digest) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domain_, keccak256(abi.encode(COMMIT, round, digest))));
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
