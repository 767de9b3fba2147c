// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILearningTask} from "../interfaces/ILearningTask.sol";
import {Phase, Stage, Terms, Trainer} from "../interfaces/TaskTypes.sol";
import {Digests} from "../libraries/Digests.sol";
import {TaskBase} from "./TaskBase.sol";

/// @title Commit and reveal of local updates (paper, section III-A, step 2)
abstract contract Updates is TaskBase, ILearningTask {
    /// @inheritdoc ILearningTask
    function commit(uint8 seat, bytes32 digest) external {
        Terms memory t = _require(Phase.Commit);
        if (seat >= _trainers.length || _trainers[seat].account != msg.sender) {
            revert LearningTask_NotYourSeat(msg.sender, seat);
        }
        Trainer storage tr = _trainers[seat];
        if (tr.strikes >= t.maxStrikes) revert LearningTask_StruckOut(seat);
        if (digest == 0) revert LearningTask_EmptyDigest();
        uint16 id = _round.id;
        if (tr.round == id) revert LearningTask_AlreadyCommitted(seat);

        tr.round = id;
        tr.stage = Stage.Committed;
        tr.digest = digest;
        uint8 commits = ++_round.commits;
        if (commits == _round.activeTrainers) _round.commitClosed = uint32(block.timestamp);
        emit Committed(id, seat, digest);
    }

    /// @inheritdoc ILearningTask
    function reveal(
        uint8 seat,
        bytes32 root,
        bytes32 contentId,
        uint32 samples,
        uint32 trainingTime,
        bytes32 salt
    ) external {
        _require(Phase.Reveal);
        uint16 id = _round.id;
        if (seat >= _trainers.length || _trainers[seat].round != id) revert LearningTask_NoCommit(seat);
        Trainer storage tr = _trainers[seat];
        if (tr.stage == Stage.Revealed) revert LearningTask_AlreadyRevealed(seat);
        if (samples == 0) revert LearningTask_TooFewSamples(0, 1);
        // Attempt 0: attempts count minings, updates are made once a round.
        bytes32 digest =
            Digests.update(Digests.Place(id, 0, tr.account), root, contentId, samples, trainingTime, salt);
        if (digest != tr.digest) revert LearningTask_WrongOpening(seat);

        tr.stage = Stage.Revealed;
        tr.samples = samples;
        tr.digest = root;
        uint8 reveals = ++_round.reveals;
        if (reveals == _round.commits) _round.revealClosed = uint32(block.timestamp);
        emit Revealed(id, seat, root, contentId, samples, trainingTime, salt);
    }
}
