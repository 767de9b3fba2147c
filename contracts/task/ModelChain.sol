// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Errors} from "@openzeppelin/contracts/utils/Errors.sol";

import {ILearningTask} from "../interfaces/ILearningTask.sol";
import {Miner, Opening, Phase, Terms} from "../interfaces/TaskTypes.sol";
import {Digests} from "../libraries/Digests.sol";
import {ProofOfWork} from "../libraries/ProofOfWork.sol";
import {Scores} from "../libraries/Scores.sol";
import {TaskBase} from "./TaskBase.sol";

/// @title Check, seal, mine and open: the miners' half of a round (paper, section III-A, steps 3 to 5)
abstract contract ModelChain is TaskBase, ILearningTask {
    /// @inheritdoc ILearningTask
    function check(uint8 seat, uint256 verdicts) external {
        Terms memory t = _require(Phase.Check);
        Miner storage mi = _own(t, seat);
        mi.verdicts = verdicts;
        uint16 checkers = _round.checkers | uint16(1 << seat);
        _round.checkers = checkers;
        emit Checked(_round.id, seat, verdicts);
        if (checkers == _round.activeMiners) {
            _round.checkClosed = uint32(block.timestamp);
            _freeze();
        }
    }

    /// @inheritdoc ILearningTask
    function seal(uint8 seat, bytes32 digest) external {
        Terms memory t = _require(Phase.Seal);
        Miner storage mi = _own(t, seat);
        if (digest == 0) revert LearningTask_EmptyDigest();
        if (_round.sealers >> seat & 1 != 0) revert LearningTask_AlreadySealed(seat);
        if (!_round.frozen) _freeze();

        mi.seal = digest;
        uint16 sealers = _round.sealers | uint16(1 << seat);
        _round.sealers = sealers;
        _round.sealsDigest = keccak256(abi.encode(_round.sealsDigest, seat, digest));
        if (sealers == _round.activeMiners) _round.sealClosed = uint32(block.timestamp);
        emit Sealed(_round.id, seat, digest);
    }

    /// @inheritdoc ILearningTask
    function propose(uint8 seat, Opening calldata opening, uint256 nonce) external {
        Terms memory t = _require(Phase.Mine);
        Miner storage mi = _own(t, seat);
        if (_round.sealers >> seat & 1 == 0) revert LearningTask_NotSealed(seat);
        if (_round.proposers >> seat & 1 != 0) revert LearningTask_AlreadyProposed(seat);
        bytes32 blockHash = _work(opening, nonce);

        mi.order = uint8(_count(_round.proposers)) + 1;
        mi.blockHash = blockHash;
        mi.root = opening.root;
        mi.contentId = opening.contentId;
        uint16 proposers = _round.proposers | uint16(1 << seat);
        _round.proposers = proposers;
        if (_round.firstProposal == 0) _round.firstProposal = uint32(block.timestamp);
        if (t.forkWindow == 0 || proposers == _round.sealers) _round.mineClosed = uint32(block.timestamp);
        _emitProposed(seat, blockHash, nonce);
        _open(mi, seat, opening);
    }

    /// @inheritdoc ILearningTask
    function open(uint8 seat, Opening calldata opening, uint256[] calldata medians, uint16 middle) external {
        Terms memory t = _require(Phase.Open);
        Miner storage mi = _own(t, seat);
        if (_round.sealers >> seat & 1 == 0) revert LearningTask_NotSealed(seat);
        if (_round.openers >> seat & 1 != 0) revert LearningTask_AlreadyOpened(seat);
        _open(mi, seat, opening);
        if (medians.length != 0) _tryFinalise(medians, middle);
    }

    /// @dev A named refusal does not matter: another opening came first, and `finalise` is somebody's next call.
    /// Without a name it ran out of gas; that must fail, or an estimate of the gas would settle for too little.
    function _tryFinalise(uint256[] calldata medians, uint16 middle) private {
        try ILearningTask(address(this)).finalise(medians, middle) {}
        catch (bytes memory reason) {
            if (reason.length < 4 || bytes4(reason) == Errors.FailedCall.selector) revert Errors.FailedCall();
        }
    }

    function _own(Terms memory t, uint8 seat) private view returns (Miner storage mi) {
        if (seat >= _miners.length || _miners[seat].account != msg.sender) {
            revert LearningTask_NotYourSeat(msg.sender, seat);
        }
        mi = _miners[seat];
        if (mi.strikes >= t.maxStrikes) revert LearningTask_StruckOut(seat);
    }

    /// @dev Fixes the round's inputs; their weights follow from them and the qualities.
    function _freeze() private {
        uint128 kept = _inputs();
        _round.inputs = kept;
        _round.inputCount = uint8(_count(kept));
        _round.frozen = true;
        emit InputsFrozen(_round.id, kept);
    }

    function _work(Opening calldata opening, uint256 nonce) private view returns (bytes32 blockHash) {
        bytes32 headerDigest =
            Digests.header(_place(), _head.blockHash, _round.sealsDigest, opening, _difficulty);
        blockHash = Digests.work(headerDigest, nonce);
        uint256 target = ProofOfWork.target(_difficulty);
        if (uint256(blockHash) > target) revert LearningTask_TooLittleWork(uint256(blockHash), target);
    }

    function _open(Miner storage mi, uint8 seat, Opening calldata opening) private {
        uint256 words = Scores.words(_trainers.length);
        if (opening.scores.length != words) revert LearningTask_WrongScores(opening.scores.length, words);
        if (Digests.seal(_place(), opening) != mi.seal) revert LearningTask_WrongOpening(seat);

        mi.result = Digests.result(opening.root, opening.contentId);
        mi.accuracy = opening.accuracy;
        for (uint256 w; w < words; ++w) mi.scores[w] = opening.scores[w];
        uint16 openers = _round.openers | uint16(1 << seat);
        _round.openers = openers;
        if (openers == _round.sealers) _round.openClosed = uint32(block.timestamp);
        emit Opened(_round.id, seat, opening);
    }

    function _place() private view returns (Digests.Place memory) {
        return Digests.Place(_round.id, _round.attempt, msg.sender);
    }

    function _emitProposed(uint8 seat, bytes32 blockHash, uint256 nonce) private {
        emit Proposed(
            _round.id,
            seat,
            blockHash,
            _round.attempt,
            _head.blockHash,
            _round.sealsDigest,
            _difficulty,
            nonce
        );
    }
}
