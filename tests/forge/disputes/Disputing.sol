// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskEvents} from "../../../contracts/interfaces/ITaskEvents.sol";
import {Opening, Phase, Round, Status, Terms, Trainer} from "../../../contracts/interfaces/TaskTypes.sol";
import {Preimages} from "../utils/Preimages.sol";
import {Scenario} from "../utils/Scenario.sol";
import {Rules} from "./Rules.sol";
import {Trees} from "./Trees.sol";

/// @notice A scenario with real models: every root is that of a small tree, so every proof is a real one. Miners lie
/// by `lieBy` at `lieAt` of the right aggregate.
abstract contract Disputing is Scenario {
    /// @notice What trainers' parameters look like.
    enum Kind {
        Any, // all of int32
        Ties, // -1, 0, 1
        Ends, // the lowest and the highest
        Lowest,
        Highest
    }

    Kind internal kind;
    uint256 internal lieAt = 40;
    int32 internal lieBy = 1;
    address internal watcher;
    bytes32[] internal claims; // all that was posted
    uint256 internal paidIn; // to the task, wei
    uint256 private _burntBefore;

    // ------------------------------------------------------------------ tasks

    /// @dev One round, four trainers, three miners, 100 parameters: three leaves and an eighth.
    function _disputed() internal pure returns (Terms memory t) {
        t = _defaultTerms();
        t.parameterCount = 100;
        t.rounds = 1;
        t.trimShare = 2500;
        t.minTrainers = 1;
        t.minUpdates = 1;
    }

    function _withTrainers(Terms memory t, uint256 n) internal pure returns (Terms memory) {
        t.trainerSlots = uint8(n);
        return t;
    }

    /// @dev A fresh task in Commit, and its books.
    function _begin(Terms memory t) internal {
        delete claims;
        watcher = _named("watcher");
        _start(t);
        _burntBefore = address(0).balance;
        paidIn = t.reward + trainers.length * SAMPLES * uint256(t.trainerDeposit) + miners.length * uint256(t.minerDeposit);
        vm.assertEq(address(task).balance, paidIn, "paid in");
    }

    /// @dev To Open, or beyond: the miners in `liars` seal, and open, the false result; miner `proposer` has the block.
    function _playLies(uint256 liars, uint256 proposer) internal {
        _playToSeal();
        for (uint256 m; m < miners.length; ++m) if (_isActive(m)) _seal(m, liars >> m & 1 != 0 ? _false(m) : _honest(m));
        _propose(proposer);
        _openAll();
    }

    /// @dev Plays whatever is left of the task, takes all bonds back that can be, and pays everybody.
    function _expectConserved(address[] memory others) internal {
        for (uint256 i; i < 40 && task.phase() != Phase.Closed; ++i) _finalise();
        for (uint256 i; i < claims.length; ++i) {
            if (task.stakeOf(claims[i]).challenger == address(0)) continue;
            try task.reclaim(claims[i]) {} catch {}
        }
        uint256 out;
        _expectPhase(Phase.Closed);
        out += _withdraw(publisher) + _withdraw(watcher);
        for (uint256 i; i < trainers.length; ++i) out += _withdraw(trainers[i]);
        for (uint256 m; m < miners.length; ++m) out += _withdraw(miners[m]);
        for (uint256 i; i < others.length; ++i) out += _withdraw(others[i]);
        vm.assertEq(task.withdrawable(address(0)), 0, "owed to nobody");
        vm.assertEq(address(task).balance, 0, "left in the task");
        vm.assertEq(out + address(0).balance - _burntBefore, paidIn, "paid in = paid out + burnt");
    }

    function _expectConserved() internal {
        _expectConserved(new address[](0));
    }

    // ------------------------------------------------------------------ models

    /// @dev See `Trees`.
    modifier scratch() {
        uint256 free;
        assembly ("memory-safe") {
            free := mload(0x40)
        }
        _;
        assembly ("memory-safe") {
            mstore(0x40, free)
        }
    }

    /// @dev What a trainer reveals at `coordinate`, in the round and on the seat that `seed` stands for.
    function _value(uint256 seed, uint256 coordinate) internal view virtual scratch returns (int32) {
        uint256 h = uint256(keccak256(abi.encode(seed, coordinate)));
        if (kind == Kind.Ties) return int32(int256(h % 3) - 1);
        if (kind == Kind.Lowest || (kind == Kind.Ends && h & 1 == 0)) return type(int32).min;
        if (kind == Kind.Highest || kind == Kind.Ends) return type(int32).max;
        return int32(uint32(h));
    }

    function _seed(uint256 i) internal view scratch returns (uint256) {
        return uint256(keccak256(abi.encode("model", _round(), i)));
    }

    /// @dev What trainer `i` reveals in this round.
    function _model(uint256 i) internal view returns (int32[] memory model) {
        model = Trees.blank(terms.parameterCount);
        uint256 seed = _seed(i);
        for (uint256 c; c < terms.parameterCount; ++c) model[c] = _value(seed, c);
    }

    function _aggregate() internal view returns (int32[] memory model) {
        model = Trees.blank(terms.parameterCount);
        uint256[] memory seats = _inputSeats();
        uint256[] memory weights = _weights(seats);
        uint256[] memory seeds = new uint256[](seats.length);
        for (uint256 k; k < seats.length; ++k) seeds[k] = _seed(seats[k]);
        int256[] memory values = new int256[](seats.length);
        for (uint256 c; c < terms.parameterCount; ++c) {
            for (uint256 k; k < seats.length; ++k) values[k] = _value(seeds[k], c);
            model[c] = _coordinate(values, weights);
        }
    }

    function _coordinate(int256[] memory values, uint256[] memory weights) private view scratch returns (int32) {
        return int32(Rules.aggregate(terms.aggregationRule, terms.trimShare, values, weights));
    }

    /// @dev The aggregate with one number changed. The sum wraps, so that a lie at an end of the range is one, too.
    function _lie() internal view returns (int32[] memory model) {
        model = _aggregate();
        unchecked {
            model[lieAt] += lieBy;
        }
    }

    function _modelRoot(uint256 i) internal view scratch returns (bytes32) {
        return Trees.root(terms.parameterCount, _model(i));
    }

    function _resultRoot(bool honest) internal view virtual scratch returns (bytes32) {
        return Trees.root(terms.parameterCount, honest ? _aggregate() : _lie());
    }

    function _inputSeats() internal view returns (uint256[] memory seats) {
        uint256 bitmap = task.inputs();
        seats = new uint256[](_ones(bitmap));
        uint256 n;
        for (uint256 i; i < trainers.length; ++i) if (bitmap >> i & 1 != 0) seats[n++] = i;
    }

    function _weights(uint256[] memory seats) internal view returns (uint256[] memory weights) {
        weights = new uint256[](seats.length);
        for (uint256 k; k < seats.length; ++k) {
            Trainer memory tr = task.trainer(uint8(seats[k]));
            uint256 counted = tr.samples < tr.cap ? tr.samples : tr.cap;
            weights[k] = counted * tr.quality / 65_535;
            if (weights[k] == 0) weights[k] = 1;
        }
    }

    function _updateOf(uint256 i) internal view virtual override returns (Update memory u) {
        u = super._updateOf(i);
        u.root = _modelRoot(i);
    }

    function _honest(uint256 m) internal view virtual override returns (Opening memory o) {
        o = super._honest(m);
        o.root = _resultRoot(true);
    }

    function _false(uint256 m) internal view virtual override returns (Opening memory o) {
        o = super._honest(m);
        o.root = _resultRoot(false);
    }

    // ------------------------------------------------------------------ proofs

    /// @dev Seats of the inputs in the order of a proof at `coordinate`.
    function _order(uint256 coordinate) internal view returns (uint256[] memory seats) {
        seats = _inputSeats();
        int256[] memory values = new int256[](seats.length);
        for (uint256 k; k < seats.length; ++k) values[k] = _value(_seed(seats[k]), coordinate);
        uint256[] memory places = Rules.order(terms.aggregationRule, values);
        uint256[] memory ordered = new uint256[](seats.length);
        for (uint256 k; k < seats.length; ++k) ordered[k] = seats[places[k]];
        return ordered;
    }

    /// @dev What a proof shows of trainer `i`.
    function _shown(uint256 i, uint256 coordinate) internal view returns (bytes memory) {
        return bytes.concat(bytes20(trainers[i]), Trees.entry(_model(i), coordinate));
    }

    function _evidence(uint256 coordinate, int32[] memory result) internal view returns (bytes memory evidence) {
        if (coordinate < terms.parameterCount) evidence = _inputEvidence(_order(coordinate), coordinate);
        return bytes.concat(evidence, Trees.entry(result, coordinate));
    }

    function _inputEvidence(uint256[] memory seats, uint256 coordinate) internal view returns (bytes memory evidence) {
        for (uint256 k; k < seats.length; ++k) evidence = bytes.concat(evidence, _shown(seats[k], coordinate));
    }

    // ------------------------------------------------------------------ claims

    function _saltOf(address who) internal pure returns (bytes32) {
        return keccak256(abi.encode("challenge salt", who));
    }

    function _digestOf(address who, uint256 seat, uint256 coordinate) internal view returns (bytes32) {
        return _digestFor(who, seat, coordinate, _saltOf(who));
    }

    function _digestFor(address who, uint256 seat, uint256 coordinate, bytes32 salt) internal view returns (bytes32) {
        Preimages.At memory at = Preimages.At(address(task), _round(), 0, who);
        return Preimages.challenge(at, uint8(seat), coordinate, salt);
    }

    function _claimOf(address who, uint256 seat, uint256 coordinate) internal view returns (bytes32) {
        return Preimages.claim(uint8(seat), _digestOf(who, seat, coordinate), who);
    }

    function _bond(address who) internal returns (uint256 bond) {
        bond = terms.challengeBond;
        vm.deal(who, who.balance + bond);
    }

    function _post(address who, uint256 seat, uint256 coordinate) internal returns (bytes32 claim) {
        return _postDigest(who, seat, _digestOf(who, seat, coordinate));
    }

    function _postDigest(address who, uint256 seat, bytes32 digest) internal returns (bytes32 claim) {
        uint256 bond = _bond(who);
        vm.prank(who);
        task.commitChallenge{value: bond}(uint8(seat), digest);
        paidIn += bond;
        claim = Preimages.claim(uint8(seat), digest, who);
        claims.push(claim);
    }

    function _show(address who, uint256 seat, uint256 coordinate, bytes memory evidence) internal {
        Opening memory o = _sealed(seat);
        vm.prank(who);
        task.challenge(uint8(seat), coordinate, _saltOf(who), o.contentId, evidence);
    }

    /// @dev Commits, waits a block, shows.
    function _refute(address who, uint256 seat, uint256 coordinate, int32[] memory result) internal {
        _post(who, seat, coordinate);
        vm.roll(block.number + 1);
        _show(who, seat, coordinate, _evidence(coordinate, result));
    }

    function _refuteLie(uint256 seat) internal {
        _refute(watcher, seat, lieAt, _lie());
    }

    // ------------------------------------------------------------------ expectations

    function _expectNotProven(bytes32 claim) internal {
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_NotProven.selector, claim));
    }

    function _expectWrongProof(uint256 actual, uint256 required) internal {
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_WrongProof.selector, actual, required));
    }

    function _expectNoClaim(bytes32 claim) internal {
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_NoClaim.selector, claim));
    }

    function _expectRefuted(uint256 seats) internal view {
        vm.assertEq(task.status().round.refuted, seats, "refuted");
    }

    function _expectHead(bytes32 root) internal view {
        vm.assertEq(task.head().root, root, "head");
    }

    function _expectNoBlock() internal view {
        vm.assertEq(task.head().blockHash, bytes32(0), "no block");
    }

    /// @dev The miner lost all it had put in, and its part in the task.
    function _expectOut(uint256 m) internal view {
        vm.assertEq(task.miner(uint8(m)).deposit, 0, "deposit");
        vm.assertEq(task.miner(uint8(m)).strikes, terms.maxStrikes, "strikes");
    }
}
