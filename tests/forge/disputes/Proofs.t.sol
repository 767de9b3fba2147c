// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskEvents} from "../../../contracts/interfaces/ITaskEvents.sol";
import {Opening, Phase, Terms} from "../../../contracts/interfaces/TaskTypes.sol";
import {Disputing} from "./Disputing.sol";
import {Rules} from "./Rules.sol";
import {Trees} from "./Trees.sol";

/// @notice Evidence that is not what it must be is refused, whatever it would show: D08. Two of three miners lie at
/// coordinate 40 of 100, with four inputs, so that a right proof would refute them.
contract ProofsTest is Disputing {
    uint256 private constant AT = 40;
    uint256 private constant COUNT = 4;

    function _ready(uint8 rule) private returns (uint256[] memory seats) {
        Terms memory t = _disputed();
        t.aggregationRule = rule;
        _begin(t);
        _playLies(6, 1);
        _post(watcher, 1, AT);
        return _order(AT);
    }

    function _result() private view returns (bytes memory) {
        return Trees.entry(_lie(), AT);
    }

    function _refused(bytes memory evidence, uint256 actual, uint256 required) private {
        _expectWrongProof(actual, required);
        _show(watcher, 1, AT, evidence);
    }

    /// @dev The claim is still good for a right proof.
    function _expectStillProven() private {
        _show(watcher, 1, AT, _evidence(AT, _lie()));
        _expectRefuted(2);
        _propose(0);
        _finalise();
        _expectConserved();
    }

    // ------------------------------------------------------------------ which root

    bytes32 private _flipped; // bits of the root that trainer 1 reveals

    function _updateOf(uint256 i) internal view override returns (Update memory u) {
        u = super._updateOf(i);
        if (i == 1) u.root ^= _flipped;
    }

    /// @dev A trainer's model is bound by the first 25 bytes of the root that it revealed: by each bit of them.
    function test_D08_rootBitByBit() public {
        for (uint256 bit = 55; bit < 256; bit += bit < 60 || bit > 249 ? 1 : 19) {
            _flipped = bytes32(uint256(1) << bit);
            _ready(Rules.WEIGHTED_MEAN);
            if (bit == 55) _expectStillProven();
            else _refused(_evidence(AT, _lie()), 1, COUNT);
        }
    }

    // ------------------------------------------------------------------ which inputs

    function test_D08_wrongOrder() public {
        for (uint8 rule; rule <= 2; ++rule) {
            uint256[] memory seats = _ready(rule);
            (seats[1], seats[2]) = (seats[2], seats[1]);
            _refused(bytes.concat(_inputEvidence(seats, AT), _result()), 2, COUNT);
            (seats[1], seats[2]) = (seats[2], seats[1]);
            _expectStillProven();
        }
    }

    /// @dev Equal values come in the order of the seats.
    function test_D08_wrongOrderOfEqualValues() public {
        kind = Kind.Lowest;
        uint256[] memory seats = _ready(Rules.MEDIAN);
        (seats[0], seats[1]) = (seats[1], seats[0]);
        _refused(bytes.concat(_inputEvidence(seats, AT), _result()), 1, COUNT);
        _expectStillProven();
    }

    function test_D08_orderOfAnotherRule() public {
        uint256[] memory seats = _ready(Rules.MEDIAN);
        uint256[] memory bySeat = _inputSeats();
        uint256 wrong;
        for (uint256 k = 1; k < COUNT && wrong == 0; ++k) {
            if (_value(_seed(bySeat[k]), AT) < _value(_seed(bySeat[k - 1]), AT)) wrong = k;
        }
        vm.assertGt(wrong, 0, "these differ");
        vm.assertEq(seats.length, COUNT, "all");
        _refused(bytes.concat(_inputEvidence(bySeat, AT), _result()), wrong, COUNT);
    }

    function test_D08_duplicatedInput() public {
        for (uint8 rule; rule <= 2; ++rule) {
            uint256[] memory seats = _ready(rule);
            seats[2] = seats[1];
            _refused(bytes.concat(_inputEvidence(seats, AT), _result()), 2, COUNT);
        }
    }

    function test_D08_missingAndSurplusInput() public {
        uint256[] memory seats = _ready(Rules.WEIGHTED_MEAN);
        uint256 entry = _result().length;
        uint256 right = COUNT * (entry + 20) + entry;
        uint256[] memory three = new uint256[](3);
        uint256[] memory five = new uint256[](5);
        for (uint256 k; k < 3; ++k) three[k] = seats[k];
        for (uint256 k; k < 5; ++k) five[k] = seats[k % 4];
        _refused(bytes.concat(_inputEvidence(three, AT), _result()), right - entry - 20, right);
        _refused(bytes.concat(_inputEvidence(five, AT), _result()), right + entry + 20, right);
        _refused("", 0, right);
        _refused(_result(), entry, right);
        _expectStillProven();
    }

    /// @dev A trainer that a majority rejected is no input, nor is somebody who is no trainer.
    function test_D08_whatIsNoInput() public {
        _begin(_disputed());
        _playToCheck();
        _checkAll(_verdicts(4, UNAVAILABLE)); // not seat 2
        for (uint256 m; m < 3; ++m) _seal(m, m == 0 ? _honest(m) : _false(m));
        _propose(1);
        _openAll();
        _post(watcher, 1, AT);
        uint256[] memory seats = new uint256[](3);
        (seats[0], seats[1], seats[2]) = (0, 1, 2);
        _refused(bytes.concat(_inputEvidence(seats, AT), _result()), 2, 3);
        seats[2] = 3;
        bytes memory first = _inputEvidence(_head(seats, 2), AT);
        bytes memory last = bytes.concat(bytes20(watcher), Trees.entry(_model(3), AT));
        _refused(bytes.concat(first, last, _result()), 2, 3);
        last = bytes.concat(bytes20(miners[0]), Trees.entry(_model(3), AT));
        _refused(bytes.concat(first, last, _result()), 2, 3);
        _expectStillProven();
    }

    function _head(uint256[] memory list, uint256 n) private pure returns (uint256[] memory out) {
        out = new uint256[](n);
        for (uint256 i; i < n; ++i) out[i] = list[i];
    }

    // ------------------------------------------------------------------ which values

    /// @dev Another's leaf under one's address, and a leaf of nobody's.
    function test_D08_foreignRoot() public {
        _ready(Rules.WEIGHTED_MEAN);
        bytes memory first = bytes.concat(_shown(0, AT), _shown(1, AT));
        bytes memory swapped = bytes.concat(bytes20(trainers[2]), Trees.entry(_model(3), AT), _shown(3, AT));
        _refused(bytes.concat(first, swapped, _result()), 2, COUNT);
        int32[] memory made = _model(2);
        made[AT] += 1;
        bytes memory third = bytes.concat(bytes20(trainers[2]), Trees.entry(made, AT));
        _refused(bytes.concat(first, third, _shown(3, AT), _result()), 2, COUNT);
        _expectStillProven();
    }

    /// @dev The result's entry is of another tree: the right aggregate's, or an input's.
    function test_D08_foreignResult() public {
        bytes memory inputs = _inputEvidence(_ready(Rules.WEIGHTED_MEAN), AT);
        bytes memory right = Trees.entry(_aggregate(), AT);
        _refusedResult(bytes.concat(inputs, right), _sealed(1).contentId);
        _refusedResult(bytes.concat(inputs, Trees.entry(_model(1), AT)), _sealed(1).contentId);
        // Nor another miner's, under its own content id.
        _refusedResult(bytes.concat(inputs, right), _sealed(0).contentId);
    }

    function _refusedResult(bytes memory evidence, bytes32 contentId) private {
        bytes32 salt = _saltOf(watcher);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_WrongResult.selector, uint8(1)));
        vm.prank(watcher);
        task.challenge(1, AT, salt, contentId, evidence);
    }

    /// @dev The leaf next to it, with its own path: another index.
    function test_D08_anotherLeaf() public {
        _ready(Rules.WEIGHTED_MEAN);
        bytes memory first = bytes.concat(bytes20(trainers[0]), Trees.entry(_model(0), AT - 32));
        bytes memory rest = bytes.concat(_shown(1, AT), _shown(2, AT), _shown(3, AT));
        _refused(bytes.concat(first, rest, _result()), 0, COUNT);
    }

    function test_D08_swappedSiblings() public {
        _ready(Rules.WEIGHTED_MEAN);
        int32[] memory model = _model(0);
        bytes32[] memory path = Trees.path(Trees.levels(model), 0, AT / 32);
        vm.assertEq(path.length, 2, "two siblings");
        bytes memory first =
            bytes.concat(bytes20(trainers[0]), Trees.leaf(model, AT / 32), abi.encodePacked(path[1], path[0]));
        bytes memory rest = bytes.concat(_shown(1, AT), _shown(2, AT), _shown(3, AT));
        _refused(bytes.concat(first, rest, _result()), 0, COUNT);
    }

    /// @dev An inner node has 64 bytes, a leaf 128. Two inner nodes, or a node and what is next to it, are as long as
    /// a leaf, but the tags differ.
    function test_D08_innerNodeAsLeaf() public {
        _ready(Rules.WEIGHTED_MEAN);
        int32[] memory model = _model(0);
        bytes32[][] memory all = Trees.levels(model);
        bytes memory nodes = abi.encodePacked(all[0][0], all[0][1], all[0][2], all[0][3]);
        bytes32[] memory path = Trees.path(all, 0, AT / 32);
        bytes memory rest = bytes.concat(_shown(1, AT), _shown(2, AT), _shown(3, AT));
        bytes memory first = bytes.concat(bytes20(trainers[0]), nodes, abi.encodePacked(path));
        _refused(bytes.concat(first, rest, _result()), 0, COUNT);
        first = bytes.concat(bytes20(trainers[0]), abi.encodePacked(all[1][0], all[1][1], all[1][0], all[1][1], path));
        _refused(bytes.concat(first, rest, _result()), 0, COUNT);
    }

    // ------------------------------------------------------------------ how long

    function test_D08_lengthOfThePath() public {
        uint256[] memory seats = _ready(Rules.WEIGHTED_MEAN);
        bytes memory inputs = _inputEvidence(seats, AT);
        bytes memory result = _result();
        uint256 right = inputs.length + result.length;
        bytes memory short = new bytes(result.length - 32);
        for (uint256 i; i < short.length; ++i) short[i] = result[i];
        _refused(bytes.concat(inputs, short), right - 32, right);
        _refused(bytes.concat(inputs, result, bytes32(0)), right + 32, right);
        _refused(bytes.concat(inputs, result, hex"00"), right + 1, right);
        _refused(bytes.concat(hex"00", inputs, result), right + 1, right);
        // A path that is short in one place and long in another has the length, and no root.
        bytes memory first = _shown(0, AT);
        bytes memory less = new bytes(first.length - 32);
        for (uint256 i; i < less.length; ++i) less[i] = first[i];
        bytes memory rest = bytes.concat(_shown(1, AT), _shown(2, AT), _shown(3, AT), _result());
        _refused(bytes.concat(less, rest, bytes32(0)), 0, COUNT);
        _expectStillProven();
    }

    function test_D08_coordinateOutOfRange() public {
        _begin(_disputed());
        _playLies(6, 1);
        uint256[3] memory places = [uint256(128), 2 ** 32 + AT, type(uint256).max];
        bytes memory evidence = _evidence(AT, _lie());
        for (uint256 k; k < places.length; ++k) {
            _post(watcher, 1, places[k]);
            _expectWrongProof(places[k], 99);
            _show(watcher, 1, places[k], evidence);
        }
        _refuteLie(1);
        _propose(0);
        _finalise();
        _expectConserved();
    }

    /// @dev For a coordinate of the padding the inputs are not asked for; shown all the same, they are too many bytes.
    function test_D08_paddingTakesTheResultAlone() public {
        _begin(_disputed());
        lieAt = 127;
        _playLies(6, 1);
        _post(watcher, 1, 127);
        bytes memory entry = Trees.entry(_lie(), 127);
        bytes memory evidence = bytes.concat(_inputEvidence(_inputSeats(), 127), entry);
        _expectWrongProof(evidence.length, entry.length);
        _show(watcher, 1, 127, evidence);
        _show(watcher, 1, 127, entry);
        _expectRefuted(2);
    }

    // ------------------------------------------------------------------ who, when

    function test_D08_claimsOfNobody() public {
        _begin(_disputed());
        _playToSeal();
        for (uint256 m; m < 3; ++m) _seal(m, _false(m));
        bytes32 digest = _digestOf(watcher, 0, AT);
        uint256 bond = _bond(watcher);
        _expectWrongPhase(Phase.Mine, Phase.Challenge);
        vm.prank(watcher);
        task.commitChallenge{value: bond}(0, digest);
        _propose(0);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_NotOpened.selector, uint8(1)));
        vm.prank(watcher);
        task.commitChallenge{value: bond}(1, digest);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_WrongBond.selector, bond - 1, bond));
        vm.prank(watcher);
        task.commitChallenge{value: bond - 1}(0, digest);
        bytes32 claim = _claimOf(watcher, 0, AT);
        bytes memory evidence = _evidence(AT, _lie());
        _expectNoClaim(claim);
        _show(watcher, 0, AT, evidence);
        _refuteLie(0);
        _expectNoClaim(claim);
        _show(watcher, 0, AT, evidence); // shown once
    }
}
