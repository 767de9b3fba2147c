// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Errors} from "@openzeppelin/contracts/utils/Errors.sol";

import {ILearningTask} from "../interfaces/ILearningTask.sol";
import {IReputation} from "../interfaces/IReputation.sol";
import {BASIS, Miner, Opening, Phase, Round, Terms} from "../interfaces/TaskTypes.sol";
import {Digests} from "../libraries/Digests.sol";
import {PhaseRules} from "../libraries/PhaseRules.sol";
import {ProofOfWork} from "../libraries/ProofOfWork.sol";
import {Scores} from "../libraries/Scores.sol";
import {TaskBase} from "./TaskBase.sol";

/// @title Check, seal, mine and open: the miners' half of a round (paper, section III-A, steps 3 to 5)
abstract contract ModelChain is TaskBase {
    /// @notice See {ILearningTask}.
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

    /// @notice See {ILearningTask}.
    function seal(uint8 seat, bytes32 digest) external {
        Terms memory t = _require(Phase.Seal);
        Miner storage mi = _own(t, seat);
        if (digest == 0) revert LearningTask_EmptyDigest();
        if (_round.sealers >> seat & 1 != 0) revert LearningTask_AlreadySealed(seat);
        if (_round.inputCount == 0) _freeze();
        _voteOnFast();

        mi.seal = digest;
        uint16 sealers = _round.sealers | uint16(1 << seat);
        _round.sealers = sealers;
        _sealsDigest = keccak256(abi.encode(_sealsDigest, seat, digest));
        if (sealers == _round.activeMiners) _round.sealClosed = uint32(block.timestamp);
        emit Sealed(_round.id, seat, digest);
    }

    /// @notice See {ILearningTask}.
    function proposeFast(uint8 seat, Opening calldata opening, uint256 nonce) external {
        Terms memory t = _require(Phase.Seal);
        Miner storage mi = _own(t, seat);
        _requireTrust(t);
        if (_round.windowFrom != 0) revert LearningTask_AlreadyProposed(seat);
        if (_round.inputCount == 0) _freeze();
        bytes32 blockHash = _worked(
            Digests.fastHeader(_place(0), _head.blockHash, _round.inputs, opening, _difficulty), nonce
        );

        _record(mi, blockHash, opening);
        mi.order = 1;
        mi.accuracy = opening.accuracy;
        mi.result = Digests.result(opening.root, opening.contentId);
        _round.fast = seat + 1;
        _round.fastBlock = uint32(block.number);
        _round.windowFrom = uint32(block.timestamp);
        emit FastProposed(
            _round.id,
            seat,
            blockHash,
            _head.blockHash,
            opening.root,
            opening.contentId,
            opening.accuracy,
            _difficulty,
            nonce
        );
    }

    /// @notice See {ILearningTask}.
    function propose(uint8 seat, Opening calldata opening, uint256 nonce) external {
        Terms memory t = _terms();
        PhaseRules.Clock memory c = _clock(t);
        if (c.phase != Phase.Mine) revert LearningTask_WrongPhase(c.phase, Phase.Mine);
        Miner storage mi = _own(t, seat);
        if (_round.sealers >> seat & 1 == 0) revert LearningTask_NotSealed(seat);
        if (c.again) return _proposeAgain(mi, seat, opening, nonce);
        if (_round.proposers >> seat & 1 != 0) revert LearningTask_AlreadyProposed(seat);
        bytes32 blockHash = _work(0, opening, nonce);

        _record(mi, blockHash, opening);
        mi.order = uint8(_count(_round.proposers)) + 1;
        uint16 proposers = _round.proposers | uint16(1 << seat);
        _round.proposers = proposers;
        if (_round.firstProposal == 0) {
            // Mine began when Seal ended; the clock's end of Seal is lost with the window's start.
            if (_round.sealClosed == 0) _round.sealClosed = uint32(c.deadline - t.mineWindow);
            _round.firstProposal = uint32(block.timestamp);
            _voteOnFast();
        }
        _round.windowFrom = uint32(block.timestamp); // of forks, too: each could become the head
        if (t.forkWindow == 0 || proposers == _round.sealers) _round.mineClosed = uint32(block.timestamp);
        _emitProposed(seat, blockHash, 0, nonce);
        _open(mi, seat, opening);
    }

    /// @dev The truth has no block: the first valid one of those who opened it, without new seals (paper, section
    /// III-C: miners "continue to mine on the previous legal block").
    function _proposeAgain(Miner storage mi, uint8 seat, Opening calldata opening, uint256 nonce) private {
        (bytes32 truth,) = _truth(_loadRound());
        bytes32 result = Digests.result(opening.root, opening.contentId);
        if (_round.openers >> seat & 1 == 0 || mi.result != truth || result != truth) {
            revert LearningTask_WrongResult(seat);
        }
        if (Digests.seal(_place(0), opening) != mi.seal) revert LearningTask_WrongOpening(seat);
        uint8 attempt = _round.attempt + 1;
        bytes32 blockHash = _work(attempt, opening, nonce);

        _record(mi, blockHash, opening);
        mi.order = uint8(_count(_round.proposers)) + 1;
        _round.proposers |= uint16(1 << seat);
        _round.attempt = attempt;
        _round.windowFrom = uint32(block.timestamp);
        // What was said in this very second was said of an earlier block.
        if (_round.lastDispute == block.timestamp) _round.lastDispute = uint32(block.timestamp - 1);
        _emitProposed(seat, blockHash, attempt, nonce);
    }

    /// @notice See {ILearningTask}.
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
        mi = _miners[seat];
        if (mi.account != msg.sender) revert LearningTask_NotYourSeat(msg.sender, seat);
        bool out = mi.strikes >= t.maxStrikes || _round.refuted >> seat & 1 != 0;
        if (out) revert LearningTask_StruckOut(seat);
    }

    /// @dev High reputation (paper, section IV-B): at least the share `fastBlocks` of an even part of all blocks
    /// (n x M >= theta x m), and `fastRewards` of the fees that were offered (s/t).
    function _requireTrust(Terms memory t) private view {
        IReputation.MinerRecord memory record = _reputation().minerRecord(msg.sender);
        uint256 blocks = record.served == 0
            ? 0
            : uint256(record.accepted) * _minerCount * BASIS / record.served;
        if (t.fastBlocks == 0 || blocks < t.fastBlocks) revert LearningTask_NotTrusted(blocks, t.fastBlocks);
        uint256 rewards =
            record.offered == 0 ? 0 : uint256(record.received) * BASIS / record.offered;
        if (rewards < t.fastRewards) revert LearningTask_NotTrusted(rewards, t.fastRewards);
    }

    /// @dev A fast block that was drawn gives way to the first seal after it, or to the first block.
    function _voteOnFast() private {
        if (_round.fast == 0) return;
        emit FastVoted(_round.id, _round.fast - 1);
        _round.fast = 0;
    }

    function _record(Miner storage mi, bytes32 blockHash, Opening calldata opening) private {
        mi.blockHash = blockHash;
        mi.root = opening.root;
        mi.contentId = opening.contentId;
    }

    /// @dev Fixes the round's inputs; their weights follow from them and the qualities.
    function _freeze() private {
        uint128 kept = _inputs(_loadRound());
        _round.inputs = kept;
        _round.inputCount = uint8(_count(kept));
        emit InputsFrozen(_round.id, kept);
    }

    function _work(uint8 attempt, Opening calldata opening, uint256 nonce) private view returns (bytes32) {
        return _worked(
            Digests.header(_place(attempt), _head.blockHash, _sealsDigest, opening, _difficulty), nonce
        );
    }

    function _worked(bytes32 headerDigest, uint256 nonce) private view returns (bytes32 blockHash) {
        blockHash = Digests.work(headerDigest, nonce);
        uint256 target = ProofOfWork.target(_difficulty);
        if (uint256(blockHash) > target) revert LearningTask_TooLittleWork(uint256(blockHash), target);
    }

    function _open(Miner storage mi, uint8 seat, Opening calldata opening) private {
        uint256 words = Scores.words(_trainerCount);
        if (opening.scores.length != words) revert LearningTask_WrongScores(opening.scores.length, words);
        if (Digests.seal(_place(0), opening) != mi.seal) revert LearningTask_WrongOpening(seat);

        mi.result = Digests.result(opening.root, opening.contentId);
        mi.accuracy = opening.accuracy;
        for (uint256 w; w < words; ++w) mi.scores[w] = opening.scores[w];
        uint16 openers = _round.openers | uint16(1 << seat);
        _round.openers = openers;
        emit Opened(_round.id, seat, opening);
        if (openers == _round.sealers) {
            _round.openClosed = uint32(block.timestamp);
            _round.accord = _accord();
        }
    }

    function _accord() private view returns (uint8) {
        Round memory r = _loadRound();
        (bytes32 truth, uint256 votes) = _truth(r);
        if (r.refuted != 0 || truth == 0 || _among(r.proposers, truth) == 0) return 0;
        return votes == _count(r.activeMiners) ? UNANIMOUS : MAJORITY;
    }

    /// @dev Seals and openings belong to attempt 0: a new attempt at a block takes no new results.
    function _place(uint8 attempt) private view returns (Digests.Place memory) {
        return Digests.Place(_round.id, attempt, msg.sender);
    }

    function _emitProposed(uint8 seat, bytes32 blockHash, uint8 attempt, uint256 nonce) private {
        emit Proposed(
            _round.id,
            seat,
            blockHash,
            attempt,
            _head.blockHash,
            _sealsDigest,
            _difficulty,
            nonce
        );
    }
}
