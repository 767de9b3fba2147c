// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {ILearningTask} from "../interfaces/ILearningTask.sol";
import {Phase, Progress, Reveal, SignedCommit, Update} from "../interfaces/TaskTypes.sol";
import {Digests} from "../libraries/Digests.sol";
import {TaskBase} from "./TaskBase.sol";

/// @title Commit and reveal of local updates (paper, section III-A, step 2)
/// @notice The calls that every trainer makes in every round. They read and write two slots: the round's first and
/// the trainer's own; the phase is looked up in full only to say why it is the wrong one.
abstract contract Updates is TaskBase, ILearningTask {
    uint256 private constant COMMIT_WINDOW = 40; // positions in `Terms`; a test keeps them right
    uint256 private constant REVEAL_WINDOW = 41;

    // ------------------------------------------------------------------ commit

    /// @inheritdoc ILearningTask
    function commit(bytes32 digest) external {
        Progress memory r = _committing();
        Update memory u = _updates[msg.sender];
        if (u.round == r.id) revert LearningTask_AlreadyCommitted(u.seat - 1);
        _commit(r, u, msg.sender, digest);
        _store(r);
    }

    /// @inheritdoc ILearningTask
    function commitBatch(SignedCommit[] calldata commits) external {
        Progress memory r = _committing();
        bytes32 domain = Digests.domain();
        uint8 before = r.commits;
        Update memory u;
        for (uint256 i; i < commits.length; ++i) {
            SignedCommit calldata c = commits[i];
            address trainer = ECDSA.recover(Digests.signedCommit(domain, r.id, c.digest), c.r, c.vs);
            u = _updates[trainer];
            if (u.round == r.id) continue; // somebody was faster; the others of the batch are not to suffer
            _commit(r, u, trainer, c.digest);
        }
        if (r.commits == before) revert LearningTask_AlreadyCommitted(u.seat - 1);
        _store(r);
    }

    function _committing() private view returns (Progress memory r) {
        r = _firstSlot();
        bool open = r.running && r.commitSpan == 0
            && block.timestamp < uint256(r.start) + _term(COMMIT_WINDOW);
        if (!open) _require(Phase.Commit);
    }

    function _commit(Progress memory r, Update memory u, address trainer, bytes32 digest) private {
        if (u.seat == 0) revert LearningTask_NotTrainer(trainer);
        uint8 seat = u.seat - 1;
        if (u.round == STRUCK) revert LearningTask_StruckOut(seat);
        if (digest == 0) revert LearningTask_EmptyDigest();

        _updates[trainer] = Update(bytes25(digest), 0, r.id, u.seat);
        if (++r.commits == r.activeTrainers) r.commitSpan = uint24(block.timestamp - r.start + 1);
        emit Committed(r.id, seat, digest);
    }

    // ------------------------------------------------------------------ reveal

    /// @inheritdoc ILearningTask
    function reveal(
        bytes32 root,
        bytes32 contentId,
        uint32 samples,
        uint32 trainingTime,
        bytes32 salt
    ) external {
        Progress memory r = _revealing();
        Update memory u = _updates[msg.sender];
        Reveal memory v = Reveal(msg.sender, root, contentId, samples, trainingTime, salt);
        if (!_reveal(r, u, v)) revert LearningTask_AlreadyRevealed(u.seat - 1);
        _store(r);
    }

    /// @inheritdoc ILearningTask
    function revealBatch(Reveal[] calldata reveals) external {
        Progress memory r = _revealing();
        uint128 before = r.revealed;
        Update memory u;
        for (uint256 i; i < reveals.length; ++i) {
            u = _updates[reveals[i].trainer];
            _reveal(r, u, reveals[i]);
        }
        if (r.revealed == before) revert LearningTask_AlreadyRevealed(u.seat - 1);
        _store(r);
    }

    function _revealing() private view returns (Progress memory r) {
        r = _firstSlot();
        uint256 commitEnd =
            r.commitSpan != 0 ? uint256(r.start) + r.commitSpan - 1 : uint256(r.start) + _term(COMMIT_WINDOW);
        bool open = r.running && r.revealSpan == 0 && r.commits != 0
            && (r.commitSpan != 0 || block.timestamp >= commitEnd)
            && block.timestamp < commitEnd + _term(REVEAL_WINDOW);
        if (!open) _require(Phase.Reveal);
    }

    /// @dev False when it is revealed already.
    function _reveal(Progress memory r, Update memory u, Reveal memory v) private returns (bool) {
        if (u.seat == 0) revert LearningTask_NotTrainer(v.trainer);
        uint8 seat = u.seat - 1;
        if (u.round != r.id) revert LearningTask_NoCommit(seat);
        uint128 bit = uint128(1) << seat;
        if (r.revealed & bit != 0) return false;
        if (v.samples == 0) revert LearningTask_TooFewSamples(0, 1);
        // Attempt 0: attempts count minings, updates are made once a round.
        bytes32 digest = Digests.update(
            Digests.Place(r.id, 0, v.trainer), v.root, v.contentId, v.samples, v.trainingTime, v.salt
        );
        if (bytes25(digest) != u.digest) revert LearningTask_WrongOpening(seat);

        _updates[v.trainer] = Update(bytes25(v.root), v.samples, r.id, u.seat);
        r.revealed |= bit;
        if (++r.reveals == r.commits) r.revealSpan = uint24(block.timestamp - r.start + 1);
        emit Revealed(r.id, seat, v.root, v.contentId, v.samples, v.trainingTime, v.salt);
        return true;
    }

    // ------------------------------------------------------------------ the round's first slot

    function _store(Progress memory r) private {
        Progress storage slot = _firstSlot();
        (slot.revealed, slot.commitSpan, slot.revealSpan) = (r.revealed, r.commitSpan, r.revealSpan);
        (slot.commits, slot.reveals) = (r.commits, r.reveals);
    }

    function _firstSlot() private pure returns (Progress storage slot) {
        assembly ("memory-safe") {
            slot.slot := _round.slot
        }
    }
}
