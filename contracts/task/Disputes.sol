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
    function commitChallenge(uint8 seat, bytes32 digest) external payable {
        Terms memory t = _terms();
        Round memory r = _loadRound();
        _requireDisputable(t, r, seat);
        bytes32 claim = Digests.claim(seat, digest, msg.sender);
        Miner storage mi = _miners[seat];
        if (mi.accuser == address(0)) {
            // No slot of its own: the verdicts are counted.
            (mi.accuser, mi.accusedAt, mi.stakes) = (msg.sender, uint40(block.number), mi.stakes + 1);
            mi.verdicts = uint256(claim);
        } else {
            if (_isFirst(mi, claim)) revert LearningTask_AlreadyClaimed(claim);
            _stake(r, seat, claim, 0);
        }
        _takeBond(t, r);
        emit ChallengeCommitted(r.id, seat, msg.sender, claim);
    }

    /// @notice See {ILearningTask}.
    function challenge(
        uint8 seat,
        uint256 coordinate,
        bytes32 salt,
        bytes32 contentId,
        bytes calldata evidence
    ) external {
        // Whoever posted a bond in time may show its claim until the round is settled: no clock to check.
        uint16 round = _round.id;
        bytes32 digest = Digests.challenge(Digests.Place(round, 0, msg.sender), seat, coordinate, salt);
        bytes32 claim = Digests.claim(seat, digest, msg.sender);
        bool first = _isFirst(_miners[seat], claim);
        if (!first && (_stakes[claim].challenger == address(0) || !_round.running)) revert LearningTask_NoClaim(claim);
        (bytes32 root, bool holds) = _recompute(coordinate, evidence);
        _requireResult(seat, root, contentId);
        if (holds) revert LearningTask_NotProven(claim);

        _prove(seat, claim, first);
        emit Refuted(round, seat, msg.sender, claim, coordinate);
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
        _stake(r, seat, claim, height + 1);
        _takeBond(t, r);
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
        _prove(stake.seat, claim, false);
        emit Refuted(r.id, stake.seat, stake.challenger, claim, WITHHELD);
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

    /// @dev Whether `claim` is what the first bond against the result of `mi` stands for, and was not shown yet.
    function _isFirst(Miner storage mi, bytes32 claim) private view returns (bool) {
        return bytes32(mi.verdicts) == claim && mi.accuser != address(0);
    }

    function _stake(Round memory r, uint8 seat, bytes32 claim, uint8 height) private {
        if (_stakes[claim].challenger != address(0)) revert LearningTask_AlreadyClaimed(claim);
        _stakes[claim] = Stake(msg.sender, uint40(block.number), r.id, seat, height);
        ++_miners[seat].stakes;
    }

    function _takeBond(Terms memory t, Round memory r) private {
        if (msg.value != t.challengeBond) revert LearningTask_WrongBond(msg.value, t.challengeBond);
        _round.lastDispute = uint32(block.timestamp);
        // It is known to stand by now; the dispute may outlast the chain's memory of the draw.
        if (r.fast != 0) _round.fastBlock = 0;
    }

    /// @dev The claim, that of the `first` bond or of another, was shown.
    function _prove(uint8 seat, bytes32 claim, bool first) private {
        uint16 bit = uint16(1 << seat);
        uint16 refuted = _round.refuted;
        // A second proof of the same changes nothing, and gives no time.
        bool again = refuted & bit != 0;
        if (!again) {
            (_round.refuted, _round.lastDispute) = (refuted | bit, uint32(block.timestamp));
            if (_round.fast == seat + 1) {
                // The round goes on without the block and its miner.
                _round.fast = 0;
                _round.activeMiners &= ~bit;
                _round.sealers &= ~bit;
            }
        }
        if (first) _miners[seat].verdicts = 0;
        else _accuse(seat, claim, again);
    }

    /// @dev Whoever committed to a proof first gets the bounty when the round is settled; who comes second has its bond
    /// back.
    function _accuse(uint8 seat, bytes32 claim, bool again) private {
        Miner storage mi = _miners[seat];
        (address accuser, uint40 accusedAt) = (mi.accuser, mi.accusedAt);
        (address challenger, uint40 postedAt) = (_stakes[claim].challenger, _stakes[claim].postedAt);
        delete _stakes[claim];
        if (!again) {
            // Who was first and has shown nothing yet may still do so.
            if (accuser != address(0)) _stakes[bytes32(mi.verdicts)] = Stake(accuser, accusedAt, _round.id, seat, 0);
            mi.verdicts = 0;
        } else if (postedAt < accusedAt) {
            _owed[accuser] += _terms().challengeBond;
        } else {
            _owed[challenger] += _terms().challengeBond;
            return;
        }
        (mi.accuser, mi.accusedAt) = (challenger, postedAt);
    }

    // ------------------------------------------------------------------ recomputation

    /// @dev Of the aggregate in `evidence`: its root, and whether it has what the task's rule makes of the round's
    /// inputs at `coordinate`. `evidence` holds, for each input in the rule's order, its trainer's address (20 bytes),
    /// the leaf with the coordinate and the leaf's path; then the aggregate's leaf and path. Coordinates of the padding
    /// after the last parameter are zero and take the aggregate's entry alone.
    function _recompute(
        uint256 coordinate,
        bytes calldata evidence
    ) private view returns (bytes32 root, bool holds) {
        (uint256 count, uint256 rule, uint256 trimShare) = _recipe();
        uint256 inputs = coordinate < count ? _round.inputCount : 0;
        if (coordinate / ParameterTree.PER_LEAF >= ParameterTree.leaves(count)) {
            revert LearningTask_WrongProof(coordinate, count - 1);
        }
        ParameterTree.Place memory tree = ParameterTree.place(count, coordinate);
        tree.inputs = _round.inputs;
        unchecked {
            uint256 length = inputs * (tree.entry + ADDRESS_BYTES) + tree.entry;
            if (evidence.length != length) revert LearningTask_WrongProof(evidence.length, length);
        }

        AggregateVerifier.Sum memory sum = AggregateVerifier.start(rule, trimShare, inputs);
        uint256 offset;
        assembly ("memory-safe") {
            offset := evidence.offset
        }
        offset = _addInputs(sum, tree, inputs, offset);
        int256 value;
        (root, value) = ParameterTree.open(tree, offset);
        holds = coordinate < count ? sum.isResult(value) : value == 0;
    }

    /// @dev Adds the `count` entries at calldata `offset` to `sum` and returns where they end; reverts at the first
    /// that is not an input of the round, the next one in the rule's order, with the leaf and path of its revealed
    /// root.
    function _addInputs(
        AggregateVerifier.Sum memory sum,
        ParameterTree.Place memory tree,
        uint256 count,
        uint256 offset
    ) private view returns (uint256 end) {
        unchecked {
            uint256 step = tree.entry + ADDRESS_BYTES;
            for (end = offset + count * step; offset != end; offset += step) {
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
