// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {IUpdates} from "../interfaces/IUpdates.sol";
import {Phase, Reveal, SignedCommit, Update} from "../interfaces/TaskTypes.sol";
import {Digests} from "../libraries/Digests.sol";
import {UpdateWords} from "./UpdateWords.sol";

/// @title Commit and reveal of local updates (paper, section III-A, step 2)
/// @notice `TaskProxy` takes a single commitment or reveal that fits by itself; batches and refusals come here.
abstract contract Updates is UpdateWords, IUpdates {
    // ------------------------------------------------------------------ commit

    /// @inheritdoc IUpdates
    function commit(bytes32 digest) external {
        uint256 next = _commit(_requireWord(_committing(), Phase.Commit), msg.sender, digest);
        if (next == 0) {
            _refuseCommit(msg.sender);
            revert LearningTask_AlreadyCommitted(_updates[msg.sender].seat - 1);
        }
        _store(next);
    }

    /// @inheritdoc IUpdates
    function commitBatch(SignedCommit[] calldata commits) external {
        uint256 before = _requireWord(_committing(), Phase.Commit);
        uint256 r = before;
        bytes32 domain = Digests.domain();
        address trainer;
        for (uint256 i; i < commits.length; ++i) {
            SignedCommit calldata c = commits[i];
            trainer = ECDSA.recover(Digests.signedCommit(domain, _round.id, c.digest), c.r, c.vs);
            uint256 next = _commit(r, trainer, c.digest);
            if (next == 0) _refuseCommit(trainer);
            else r = next;
        }
        if (commits.length == 0) revert LearningTask_EmptyBatch();
        if (r == before) revert LearningTask_AlreadyCommitted(_updates[trainer].seat - 1);
        _store(r);
    }

    /// @dev Says why a commitment does not fit; returns when `trainer` has one already: somebody was faster, and the
    /// others of a batch are not to suffer.
    function _refuseCommit(address trainer) private view {
        Update memory u = _updates[trainer];
        if (u.seat == 0) revert LearningTask_NotTrainer(trainer);
        if (u.round == STRUCK) revert LearningTask_StruckOut(u.seat - 1);
        if (u.round != _round.id) revert LearningTask_EmptyDigest();
    }

    // ------------------------------------------------------------------ reveal

    /// @inheritdoc IUpdates
    function reveal(bytes32, bytes32, uint256 samples, uint256, bytes32) external {
        uint256 r = _requireWord(_revealing(), Phase.Reveal);
        uint256 next = _reveal(r, msg.sender, 4); // after the selector
        if (next == 0) {
            _refuseReveal(r, msg.sender, samples);
            revert LearningTask_AlreadyRevealed(_updates[msg.sender].seat - 1);
        }
        _store(next);
    }

    /// @inheritdoc IUpdates
    function revealBatch(Reveal[] calldata reveals) external {
        uint256 before = _requireWord(_revealing(), Phase.Reveal);
        uint256 r = before;
        address trainer;
        for (uint256 i; i < reveals.length; ++i) {
            Reveal calldata v = reveals[i];
            trainer = v.trainer;
            uint256 at;
            assembly ("memory-safe") {
                at := add(v, 32) // after the trainer
            }
            uint256 next = _reveal(r, trainer, at);
            if (next == 0) _refuseReveal(r, trainer, v.samples);
            else r = next;
        }
        if (reveals.length == 0) revert LearningTask_EmptyBatch();
        if (r == before) revert LearningTask_AlreadyRevealed(_updates[trainer].seat - 1);
        _store(r);
    }

    /// @dev Says why a reveal does not fit; returns when it is open already.
    function _refuseReveal(uint256 r, address trainer, uint256 samples) private view {
        Update memory u = _updates[trainer];
        if (u.seat == 0) revert LearningTask_NotTrainer(trainer);
        if (u.round != _round.id) revert LearningTask_NoCommit(u.seat - 1);
        if (r >> (u.seat - 1) & 1 != 0) return;
        if (samples == 0) revert LearningTask_TooFewSamples(0, 1);
        revert LearningTask_WrongOpening(u.seat - 1);
    }

    function _requireWord(uint256 r, Phase required) private view returns (uint256) {
        if (r == 0) _require(required);
        return r;
    }
}
