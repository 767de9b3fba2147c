// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Miner, Phase, Question, Round, Stake, Terms, Update} from "../interfaces/TaskTypes.sol";
import {AggregateVerifier} from "../libraries/AggregateVerifier.sol";
import {Digests} from "../libraries/Digests.sol";
import {ParameterTree} from "../libraries/ParameterTree.sol";
import {PhaseRules} from "../libraries/PhaseRules.sol";
import {STANDING_WORDS, Standings} from "../libraries/Standings.sol";
import {TaskBase} from "./TaskBase.sol";

/// @title Fraud proofs: one honest watcher is enough
/// @notice A claim that a miner's result is false is first committed to, with a bond, then shown: by one coordinate
/// that the contract recomputes, or by silence on a question. Whatever the votes, a refuted result is never final.
abstract contract Disputes is TaskBase {
    using AggregateVerifier for AggregateVerifier.Sum;
    using Standings for uint256[STANDING_WORDS];

    uint256 private constant ADDRESS_BYTES = 20;
    uint256 private constant WITHHELD = type(uint256).max;

    /// @dev What the recomputation needs over and over. Memory only.
    struct Tree {
        uint256 count; // parameters
        uint256 leaves;
        uint256 coordinate;
        uint256 entry; // bytes of a leaf with its path
        uint256 inputs; // bitmap by trainer seat
    }

    // ------------------------------------------------------------------ challenge

    /// @notice See {ILearningTask}.
    function commitChallenge(uint8 seat, bytes32 claim) external payable {
        (Terms memory t, Round memory r) = _disputable(seat);
        _postBond(t, r, seat, claim, 0);
        emit ChallengeCommitted(r.id, seat, msg.sender, claim);
    }

    /// @notice See {ILearningTask}.
    function challenge(
        uint8 seat,
        uint256 coordinate,
        bytes32 salt,
        bytes32 root,
        bytes32 contentId,
        bytes calldata evidence
    ) external {
        (Terms memory t, Round memory r) = _disputable(seat);
        bytes32 claim = Digests.challenge(Digests.Place(r.id, 0, msg.sender), seat, coordinate, salt);
        Stake memory stake = _stakes[claim];
        if (stake.challenger == address(0)) revert LearningTask_NoClaim(claim);
        _requireResult(seat, root, contentId);
        if (_holds(t, r, coordinate, root, evidence)) revert LearningTask_NotProven(claim);

        delete _stakes[claim];
        _refute(t, r, claim, stake, coordinate);
    }

    /// @notice See {ILearningTask}.
    function reclaim(bytes32 claim) external {
        Stake memory stake = _stakes[claim];
        if (stake.challenger == address(0)) revert LearningTask_NoClaim(claim);
        if (_miners[stake.seat].provenRound != stake.round) revert LearningTask_NotProven(claim);

        delete _stakes[claim];
        _owed[stake.challenger] += _terms().challengeBond;
        emit BondReturned(stake.round, stake.seat, stake.challenger, claim);
    }

    // ------------------------------------------------------------------ questions

    /// @notice See {ILearningTask}.
    function question(
        uint8 seat,
        bytes32 root,
        bytes32 contentId,
        uint8 height,
        uint32 index,
        bytes32 node,
        bytes32[] calldata path
    ) external payable {
        (Terms memory t, Round memory r) = _disputable(seat);
        _requireResult(seat, root, contentId);
        _requireNode(t.parameterCount, root, height, index, node, path);
        bytes32 claim = Digests.question(Digests.Place(r.id, 0, msg.sender), seat, height, index);
        _postBond(t, r, seat, claim, height + 1);
        uint32 deadline = uint32(block.timestamp + t.responseWindow);
        _questions[claim] = Question(node, index, deadline);
        emit Questioned(r.id, seat, msg.sender, claim, height, index, deadline);
    }

    /// @notice See {ILearningTask}.
    function answer(bytes32 claim, bytes calldata parts) external {
        (Stake memory stake, Question memory q) = _openQuestion(claim);
        if (block.timestamp >= q.deadline) revert LearningTask_TooLate(block.timestamp, q.deadline);
        uint256 height = stake.height - 1;
        uint256 leaves = ParameterTree.leaves(_terms().parameterCount);
        uint256 length = ParameterTree.answerLength(leaves, height, q.index);
        if (parts.length != length) revert LearningTask_WrongProof(parts.length, length);
        if (ParameterTree.fold(height, parts) != q.node) revert LearningTask_WrongResult(stake.seat);

        delete _questions[claim];
        _round.lastDispute = uint32(block.timestamp);
        emit Answered(stake.round, stake.seat, claim, parts);
    }

    /// @notice See {ILearningTask}.
    function expire(bytes32 claim) external {
        (Stake memory stake, Question memory q) = _openQuestion(claim);
        if (block.timestamp < q.deadline) revert LearningTask_TooEarly(block.timestamp, q.deadline);
        (Terms memory t, Round memory r) = _disputable(stake.seat);

        delete _questions[claim];
        delete _stakes[claim];
        _refute(t, r, claim, stake, WITHHELD);
    }

    function _openQuestion(bytes32 claim) private view returns (Stake memory stake, Question memory q) {
        (stake, q) = (_stakes[claim], _questions[claim]);
        if (q.node == 0 || stake.round != _round.id) revert LearningTask_NoClaim(claim);
    }

    function _requireNode(
        uint256 count,
        bytes32 root,
        uint256 height,
        uint256 index,
        bytes32 node,
        bytes32[] calldata path
    ) private pure {
        uint256 leaves = ParameterTree.leaves(count);
        uint256 top = ParameterTree.height(leaves);
        if (height > top) revert LearningTask_WrongProof(height, top);
        uint256 width = ParameterTree.width(leaves, height);
        if (index >= width) revert LearningTask_WrongProof(index, width - 1);
        uint256 length = ParameterTree.pathLength(leaves, height, index);
        if (path.length != length) revert LearningTask_WrongProof(path.length, length);
        bytes32 found = ParameterTree.climb(count, height, index, node, path);
        if (found != root) revert LearningTask_WrongProof(uint256(found), uint256(root));
    }

    // ------------------------------------------------------------------ claims

    /// @dev The result of miner `seat` is known and can still be refuted.
    function _disputable(uint8 seat) private view returns (Terms memory t, Round memory r) {
        t = _terms();
        PhaseRules.Clock memory c = _clock(t);
        r = _loadRound();
        bool open = c.phase == Phase.Challenge || c.phase == Phase.Open
            || (c.phase == Phase.Mine && r.firstProposal != 0 && !c.again);
        if (!open) revert LearningTask_WrongPhase(c.phase, Phase.Challenge);
        if (r.openers >> seat & 1 == 0 && r.fast != seat + 1) revert LearningTask_NotOpened(seat);
        // Until it is drawn, a fast block may still give way to a vote, and a bond against it would be lost.
        if (r.fast != 0 && block.number <= r.fastBlock) {
            revert LearningTask_TooEarly(block.number, uint256(r.fastBlock) + 1);
        }
    }

    function _requireResult(uint8 seat, bytes32 root, bytes32 contentId) private view {
        if (Digests.result(root, contentId) != _miners[seat].result) revert LearningTask_WrongResult(seat);
    }

    function _postBond(Terms memory t, Round memory r, uint8 seat, bytes32 claim, uint8 height) private {
        if (msg.value != t.challengeBond) revert LearningTask_WrongBond(msg.value, t.challengeBond);
        if (_stakes[claim].challenger != address(0)) revert LearningTask_AlreadyClaimed(claim);
        _stakes[claim] = Stake(msg.sender, uint40(block.number), r.id, seat, height);
        ++_miners[seat].stakes;
        _round.lastDispute = uint32(block.timestamp);
    }

    /// @dev The claim is shown. Whoever committed to one first gets the bounty when the round is settled; who comes
    /// second has its bond back.
    function _refute(Terms memory t, Round memory r, bytes32 claim, Stake memory stake, uint256 coordinate) private {
        Miner storage mi = _miners[stake.seat];
        (address accuser, uint40 accusedAt) = (mi.accuser, mi.accusedAt);
        if (accuser == address(0) || stake.postedAt < accusedAt) {
            (mi.accuser, mi.accusedAt) = (stake.challenger, stake.postedAt);
            if (accuser != address(0)) _owed[accuser] += t.challengeBond;
        } else {
            _owed[stake.challenger] += t.challengeBond;
        }
        _round.refuted = r.refuted | uint16(1 << stake.seat);
        _round.lastDispute = uint32(block.timestamp);
        if (r.fast == stake.seat + 1) {
            // The round goes on without the block and its miner.
            _round.fast = 0;
            _round.activeMiners = r.activeMiners & ~uint16(1 << stake.seat);
        }
        emit Refuted(r.id, stake.seat, stake.challenger, claim, coordinate);
    }

    // ------------------------------------------------------------------ recomputation

    /// @dev Whether the aggregate under `root` has what the task's rule makes of the round's inputs at `coordinate`.
    /// `evidence` holds, for each input in the rule's order, its trainer's address (20 bytes), the leaf with the
    /// coordinate and the leaf's path; then the aggregate's leaf and path. Coordinates of the padding after the last
    /// parameter are zero and take the aggregate's entry alone.
    function _holds(
        Terms memory t,
        Round memory r,
        uint256 coordinate,
        bytes32 root,
        bytes calldata evidence
    ) private view returns (bool) {
        Tree memory tree;
        tree.inputs = r.inputs;
        tree.count = t.parameterCount;
        tree.leaves = ParameterTree.leaves(tree.count);
        tree.coordinate = coordinate;
        if (coordinate / ParameterTree.PER_LEAF >= tree.leaves) {
            revert LearningTask_WrongProof(coordinate, tree.leaves * ParameterTree.PER_LEAF - 1);
        }
        tree.entry = ParameterTree.LEAF_BYTES
            + 32 * ParameterTree.pathLength(tree.leaves, 0, coordinate / ParameterTree.PER_LEAF);
        bool padding = coordinate >= tree.count;
        uint256 inputs = padding ? 0 : r.inputCount;
        uint256 length = inputs * (tree.entry + ADDRESS_BYTES) + tree.entry;
        if (evidence.length != length) revert LearningTask_WrongProof(evidence.length, length);

        uint256 offset;
        assembly ("memory-safe") {
            offset := evidence.offset
        }
        AggregateVerifier.Sum memory sum = AggregateVerifier.start(t.aggregationRule, t.trimShare, inputs);
        _addInputs(sum, tree, inputs, offset);
        (bytes32 found, int256 value) =
            ParameterTree.open(tree.count, tree.leaves, coordinate, offset + length - tree.entry);
        if (found != root) revert LearningTask_WrongProof(uint256(found), uint256(root));
        return padding ? value == 0 : sum.isResult(value);
    }

    function _addInputs(
        AggregateVerifier.Sum memory sum,
        Tree memory tree,
        uint256 count,
        uint256 offset
    ) private view {
        uint256 step = tree.entry + ADDRESS_BYTES;
        for (uint256 i; i < count; ++i) {
            if (!_addInput(sum, tree, i, offset)) revert LearningTask_WrongProof(i, count);
            unchecked {
                offset += step;
            }
        }
    }

    /// @dev False unless the entry at calldata `offset` is an input of the round, the next one in the rule's order.
    function _addInput(
        AggregateVerifier.Sum memory sum,
        Tree memory tree,
        uint256 position,
        uint256 offset
    ) private view returns (bool) {
        Update memory u = _updateAt(offset);
        unchecked {
            uint256 seat = uint256(u.seat) - 1; // all ones for who is no trainer, which no shift reaches
            if (tree.inputs >> seat & 1 == 0) return false;
            (bytes32 root, int256 value) =
                ParameterTree.open(tree.count, tree.leaves, tree.coordinate, offset + ADDRESS_BYTES);
            if (bytes25(root) != u.digest) return false;
            return sum.add(position, seat, value, _weight(seat, u.samples));
        }
    }

    /// @dev The update of the trainer whose address is at calldata `offset`.
    function _updateAt(uint256 offset) private view returns (Update memory) {
        address trainer;
        assembly ("memory-safe") {
            trainer := shr(96, calldataload(offset))
        }
        return _updates[trainer];
    }

    function _weight(uint256 seat, uint256 samples) private view returns (uint256) {
        (uint256 cap, uint256 quality) = _standings.read(seat);
        return Standings.weight(samples, cap, quality);
    }
}
