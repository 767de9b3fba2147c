// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Miner, Phase, Question, Round, Stake, Terms} from "../interfaces/TaskTypes.sol";
import {AggregateVerifier} from "../libraries/AggregateVerifier.sol";
import {Digests} from "../libraries/Digests.sol";
import {ParameterTree} from "../libraries/ParameterTree.sol";
import {PhaseRules} from "../libraries/PhaseRules.sol";
import {TaskBase} from "./TaskBase.sol";

/// @title Fraud proofs: one honest watcher is enough
/// @notice A claim that a miner's result is false is first committed to, with a bond, then shown: by one coordinate
/// that the contract recomputes, or by silence on a question. Whatever the votes, a refuted result is never final.
abstract contract Disputes is TaskBase {
    using AggregateVerifier for AggregateVerifier.Sum;

    uint256 private constant ADDRESS_BYTES = 20;
    uint256 private constant WITHHELD = type(uint256).max;

    // ------------------------------------------------------------------ challenge

    /// @notice See {ILearningTask}.
    function commitChallenge(uint8 seat, bytes32 claim) external payable {
        Terms memory t = _terms();
        Round memory r = _loadRound();
        _requireDisputable(t, r, seat);
        claim = _postBond(t, r, seat, claim, 0);
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
        // Whoever posted a bond in time may show its claim until the round is settled: no clock to check.
        Terms memory t = _terms();
        Round memory r = _loadRound();
        bytes32 claim = Digests.challenge(Digests.Place(r.id, 0, msg.sender), seat, coordinate, salt);
        bytes32 id = _stakes[claim].challenger == msg.sender ? claim : _ownId(claim);
        Stake memory stake = _stakes[id];
        // The bond names the accused in the open, the claim in its digest: both must be the same.
        if (stake.challenger == address(0) || stake.seat != seat || !r.running) revert LearningTask_NoClaim(claim);
        _requireResult(seat, root, contentId);
        if (_holds(t, r, coordinate, root, evidence)) revert LearningTask_NotProven(claim);

        delete _stakes[id];
        _refute(t, r, id, stake, coordinate);
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
        Terms memory t = _terms();
        Round memory r = _loadRound();
        _requireDisputable(t, r, seat);
        _requireResult(seat, root, contentId);
        _requireNode(t.parameterCount, root, height, index, node, path);
        bytes32 claim = Digests.question(Digests.Place(r.id, 0, msg.sender), seat, height, index);
        claim = _postBond(t, r, seat, claim, height + 1);
        uint32 deadline = uint32(block.timestamp + t.responseWindow);
        _questions[claim] = Question(node, index, deadline);
        emit Questioned(r.id, seat, msg.sender, claim, height, index, deadline);
    }

    /// @notice See {ILearningTask}.
    function answer(bytes32 claim, bytes calldata parts) external {
        (Stake memory stake, Question memory q) = _openQuestion(claim);
        if (block.timestamp >= q.deadline) revert LearningTask_TooLate(block.timestamp, q.deadline);
        uint256 height = stake.height - 1;
        Terms memory t = _terms();
        uint256 count = t.parameterCount;
        uint256 leaves = ParameterTree.leaves(count);
        uint256 length = ParameterTree.answerLength(leaves, height, q.index);
        if (parts.length != length) revert LearningTask_WrongProof(parts.length, length);
        bytes32 found = ParameterTree.fold(height, parts);
        if (height == ParameterTree.height(leaves)) found = ParameterTree.rootOf(count, leaves, found);
        if (found != q.node) revert LearningTask_WrongResult(stake.seat);

        delete _questions[claim];
        Round memory r = _loadRound();
        if (_isOpen(_clock(t, r), r)) _round.lastDispute = uint32(block.timestamp);
        emit Answered(stake.round, stake.seat, claim, parts);
    }

    /// @notice See {ILearningTask}.
    function expire(bytes32 claim) external {
        (Stake memory stake, Question memory q) = _openQuestion(claim);
        if (block.timestamp < q.deadline) revert LearningTask_TooEarly(block.timestamp, q.deadline);
        Terms memory t = _terms();
        Round memory r = _loadRound();
        _requireDisputable(t, r, stake.seat);

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
        // What is below a root that was not shown nobody knows: the top is named by the root.
        bytes32 found = height == top ? node : ParameterTree.climb(count, height, index, node, path);
        if (found != root) revert LearningTask_WrongProof(uint256(found), uint256(root));
    }

    // ------------------------------------------------------------------ claims

    /// @dev The result of miner `seat` is known and can still be refuted.
    function _requireDisputable(Terms memory t, Round memory r, uint8 seat) private view {
        PhaseRules.Clock memory c = r.running ? _clock(t, r) : _clock(t);
        if (!_isOpen(c, r)) revert LearningTask_WrongPhase(c.phase, Phase.Challenge);
        if (r.openers >> seat & 1 == 0 && r.fast != seat + 1) revert LearningTask_NotOpened(seat);
        // Until it is drawn, a fast block may still give way to a vote, and a bond against it would be lost.
        if (r.fast != 0 && block.number <= r.fastBlock) {
            revert LearningTask_TooEarly(block.number, uint256(r.fastBlock) + 1);
        }
    }

    /// @dev Whether there is a block that could become final.
    function _isOpen(PhaseRules.Clock memory c, Round memory r) private pure returns (bool) {
        bool forks = c.phase == Phase.Mine && r.firstProposal != 0 && !c.again;
        return forks || c.phase == Phase.Open || c.phase == Phase.Challenge;
    }

    function _requireResult(uint8 seat, bytes32 root, bytes32 contentId) private view {
        if (Digests.result(root, contentId) != _miners[seat].result) revert LearningTask_WrongResult(seat);
    }

    /// @dev Returns the id of the claim: its digest, or another where somebody else holds a bond under that digest, so
    /// that who copies a claim does not keep its owner from it.
    function _postBond(
        Terms memory t,
        Round memory r,
        uint8 seat,
        bytes32 claim,
        uint8 height
    ) private returns (bytes32 id) {
        if (msg.value != t.challengeBond) revert LearningTask_WrongBond(msg.value, t.challengeBond);
        address holder = _stakes[claim].challenger;
        id = holder == address(0) || holder == msg.sender ? claim : _ownId(claim);
        if (_stakes[id].challenger != address(0)) revert LearningTask_AlreadyClaimed(id);
        _stakes[id] = Stake(msg.sender, uint40(block.number), r.id, seat, height);
        ++_miners[seat].stakes;
        _round.lastDispute = uint32(block.timestamp);
        // It is known to stand by now; the dispute may outlast the chain's memory of the draw.
        if (r.fast != 0) _round.fastBlock = 0;
    }

    function _ownId(bytes32 claim) private view returns (bytes32) {
        return keccak256(abi.encode(claim, msg.sender));
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
        uint16 bit = uint16(1 << stake.seat);
        // A second proof of the same changes nothing, and gives no time.
        if (r.refuted & bit == 0) _round.lastDispute = uint32(block.timestamp);
        _round.refuted = r.refuted | bit;
        if (r.fast == stake.seat + 1) {
            // The round goes on without the block and its miner.
            _round.fast = 0;
            _round.activeMiners = r.activeMiners & ~bit;
            _round.sealers = r.sealers & ~bit;
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
        if (coordinate / ParameterTree.PER_LEAF >= ParameterTree.leaves(t.parameterCount)) {
            revert LearningTask_WrongProof(coordinate, t.parameterCount - 1);
        }
        ParameterTree.Place memory tree = ParameterTree.place(t.parameterCount, coordinate);
        tree.inputs = r.inputs;
        bool padding = coordinate >= t.parameterCount;
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
            ParameterTree.open(tree, offset + length - tree.entry);
        if (found != root) revert LearningTask_WrongProof(uint256(found), uint256(root));
        return padding ? value == 0 : sum.isResult(value);
    }

    /// @dev Adds the `count` entries at calldata `offset` to `sum`; reverts at the first that is not an input of the
    /// round, the next one in the rule's order, with the leaf and path of its revealed root.
    function _addInputs(
        AggregateVerifier.Sum memory sum,
        ParameterTree.Place memory tree,
        uint256 count,
        uint256 offset
    ) private view {
        unchecked {
            uint256 step = tree.entry + ADDRESS_BYTES;
            for (uint256 end = offset + count * step; offset != end; offset += step) {
                (bytes32 root, int256 value) = ParameterTree.open(tree, offset + ADDRESS_BYTES);
                (uint256 seat, uint256 weight) = _input(tree.inputs, offset, root);
                if (!sum.add(seat, value, weight)) revert LearningTask_WrongProof(count - (end - offset) / step, count);
            }
        }
    }

    /// @dev Seat and weight of the trainer whose address is at calldata `offset`; no weight when it is not among
    /// `inputs` or revealed another root. Words: see `Update` and `Standings`.
    function _input(
        uint256 inputs,
        uint256 offset,
        bytes32 root
    ) private view returns (uint256 seat, uint256 weight) {
        assembly ("memory-safe") {
            mstore(0, shr(96, calldataload(offset)))
            mstore(32, _updates.slot)
            let u := sload(keccak256(0, 64))
            seat := sub(shr(248, u), 1) // all ones for who is no trainer, which no shift reaches
            if and(and(shr(seat, inputs), 1), iszero(shl(56, xor(u, shr(56, root))))) {
                let lane := shr(mul(48, mod(seat, 5)), sload(add(_standings.slot, div(seat, 5))))
                weight := and(shr(16, lane), 0xffffffff)
                let samples := and(shr(200, u), 0xffffffff)
                if lt(samples, weight) { weight := samples }
                weight := div(mul(weight, and(lane, 0xffff)), 0xffff)
                if iszero(weight) { weight := 1 }
            }
        }
    }
}
