// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Opening, Phase, Terms} from "../../../contracts/interfaces/TaskTypes.sol";
import {Disputing} from "./Disputing.sol";
import {Rules} from "./Rules.sol";
import {Trees} from "./Trees.sol";

/// @notice One coordinate is enough: D04, D13.
contract FraudTest is Disputing {
    // ------------------------------------------------------------------ D04

    function test_D04_offByOneUnderEachRule() public {
        uint256[4] memory sizes = [uint256(1), 2, 3, 10];
        for (uint8 rule; rule <= 2; ++rule) {
            for (uint256 k; k < sizes.length; ++k) {
                Terms memory t = _withTrainers(_disputed(), sizes[k]);
                t.aggregationRule = rule;
                lieBy = k % 2 == 0 ? int32(1) : int32(-1);
                _expectRefutedAndReplaced(t);
            }
        }
    }

    function test_D04_hundredInputsWeightedMean() public {
        _hundred(Rules.WEIGHTED_MEAN);
    }

    function test_D04_hundredInputsMedian() public {
        _hundred(Rules.MEDIAN);
    }

    function test_D04_hundredInputsTrimmedMean() public {
        _hundred(Rules.TRIMMED_MEAN);
    }

    function _hundred(uint8 rule) private {
        Terms memory t = _withTrainers(_disputed(), 100);
        t.aggregationRule = rule;
        t.parameterCount = 41;
        t.trainerDeposit = 1000 gwei;
        _expectRefutedAndReplaced(t);
    }

    function test_D04_tiesAndEndsOfTheRange() public {
        Kind[4] memory kinds = [Kind.Ties, Kind.Ends, Kind.Lowest, Kind.Highest];
        for (uint256 k; k < kinds.length; ++k) {
            for (uint8 rule; rule <= 2; ++rule) {
                Terms memory t = _withTrainers(_disputed(), 5);
                t.aggregationRule = rule;
                kind = kinds[k];
                lieBy = k % 2 == 0 ? int32(1) : int32(-1);
                _expectRefutedAndReplaced(t);
            }
        }
    }

    /// @dev One leaf, whole leaves, a long tree; the first and the last parameter.
    function test_D04_anySizeAndPlace() public {
        uint32[5] memory sizes = [uint32(1), 32, 33, 64, 2000];
        for (uint256 k; k < sizes.length; ++k) {
            Terms memory t = _withTrainers(_disputed(), 2);
            t.parameterCount = sizes[k];
            lieAt = k % 2 == 0 ? sizes[k] - 1 : 0;
            _expectRefutedAndReplaced(t);
        }
    }

    /// @dev Two of three lie and have the block. One honest watcher, and the third miner's result is the head.
    function _expectRefutedAndReplaced(Terms memory t) private {
        _begin(t);
        _playLies(6, 1);
        bytes32 right = _sealed(0).root;
        _refuteLie(1);
        _expectRefuted(2);
        _expectPhase(Phase.Mine);
        _propose(0);
        _finalise();
        _expectHead(right);
        _expectOut(1);
        _expectOut(2);
        // Both deposits, half each, and its bond.
        vm.assertEq(task.withdrawable(watcher), uint256(t.minerDeposit) + t.challengeBond, "bounty");
        _expectConserved();
    }

    // ------------------------------------------------------------------ weights

    /// @dev Samples count up to the cap, fewer as they are; scaled by the quality, and never for nothing. The right
    /// result cannot be refuted, and what other weights would make of the inputs is refuted.
    function test_D04_weightsOfFewSamplesAndLowQuality() public {
        (_revealed[0], _revealed[1], _revealed[2], _revealed[11]) = (100, 7, 100_000, 200);
        uint16[4] memory qualities = [type(uint16).max, 32_768, 300, 1];
        for (uint256 k; k < qualities.length; ++k) {
            Terms memory t = _withTrainers(_disputed(), 12);
            t.startQuality = qualities[k];
            _expectRefutedAndReplaced(t);
            _begin(t);
            _playLies(0, 1);
            bytes32 claim = _post(watcher, 1, lieAt);
            bytes memory evidence = _evidence(lieAt, _aggregate());
            _expectNotProven(claim);
            _show(watcher, 1, lieAt, evidence);
            _expectRefuted(0);
        }
        uint256[] memory weights = _weights(_inputSeats());
        for (uint256 i; i < 12; ++i) vm.assertEq(weights[i], 1, "never for nothing");
    }

    /// @dev Each trainer's weight has its own quality, in whichever word that stands.
    function test_D04_weightsOfDifferentQualities() public {
        Terms memory t = _withTrainers(_disputed(), 12);
        t.rounds = 2;
        _begin(t);
        for (uint256 i; i < 12; ++i) scoreOf[i] = uint16(30_000 + 2000 * i);
        _playLies(0, 1);
        _finalise();
        for (uint8 i = 1; i < 12; ++i) {
            vm.assertTrue(task.trainer(i).quality != task.trainer(i - 1).quality, "qualities differ");
        }
        _playLies(0, 1);
        bytes32 claim = _post(watcher, 1, lieAt);
        bytes memory evidence = _evidence(lieAt, _aggregate());
        _expectNotProven(claim);
        _show(watcher, 1, lieAt, evidence);
        _expectConserved();
    }

    mapping(uint256 seat => uint32) private _revealed; // samples; 0: as many as it offered

    function _updateOf(uint256 i) internal view override returns (Update memory u) {
        u = super._updateOf(i);
        if (_revealed[i] != 0) u.samples = _revealed[i];
    }

    function test_D04_paddingThatIsNotZeroWeightedMean() public {
        _padded(Rules.WEIGHTED_MEAN);
    }

    function test_D04_paddingThatIsNotZeroMedian() public {
        _padded(Rules.MEDIAN);
    }

    function test_D04_paddingThatIsNotZeroTrimmedMean() public {
        _padded(Rules.TRIMMED_MEAN);
    }

    function _padded(uint8 rule) private {
        Terms memory t = _disputed();
        t.aggregationRule = rule;
        _begin(t);
        lieAt = 103; // 100 parameters
        _playLies(6, 1);
        _refuteLie(1);
        _expectRefuted(2);
        _propose(0);
        _finalise();
        _expectConserved();
    }

    function test_D04_paddingThatIsZeroRefutesNothing() public {
        _begin(_disputed());
        _playLies(0, 1);
        bytes32 claim = _post(watcher, 1, 103);
        bytes memory evidence = _evidence(103, _aggregate());
        _expectNotProven(claim);
        _show(watcher, 1, 103, evidence);
        _finalise();
        _expectConserved();
    }

    /// @dev A right coordinate proves nothing; the same commitment to the wrong one does, before or after.
    function test_D04_rightCoordinateOfAFalseResult() public {
        _begin(_disputed());
        _playLies(6, 1);
        bytes32 claim = _post(watcher, 1, lieAt + 1);
        bytes memory evidence = _evidence(lieAt + 1, _lie());
        _expectNotProven(claim);
        _show(watcher, 1, lieAt + 1, evidence);
        _refuteLie(1);
        _expectRefuted(2);
        _propose(0);
        _finalise();
        // Its first claim was right about the result, though not about the place.
        task.reclaim(claim);
        _expectConserved();
    }

    /// @dev Every single coordinate of an honest aggregate holds.
    function test_D04_nothingToProveAgainstTheTruth() public {
        for (uint8 rule; rule <= 2; ++rule) {
            Terms memory t = _withTrainers(_disputed(), 3);
            t.parameterCount = 33;
            t.aggregationRule = rule;
            _begin(t);
            _playLies(0, 0);
            int32[] memory result = _aggregate();
            for (uint256 c; c < 64; ++c) {
                bytes32 claim = _post(watcher, 0, c);
                bytes memory evidence = _evidence(c, result);
                _expectNotProven(claim);
                _show(watcher, 0, c, evidence);
            }
            _finalise();
            _expectHead(_sealed(0).root);
            _expectConserved();
        }
    }

    // ------------------------------------------------------------------ D13

    /// @dev All agree on a lie: nothing of it stays, and nobody of them.
    function test_D13_unanimousLieIsVoid() public {
        _begin(_disputed());
        _playLies(7, 1);
        _refuteLie(1);
        _expectRefuted(2);
        _expectPhase(Phase.Finalise);
        _finalise();
        _expectNoBlock();
        for (uint256 m; m < 3; ++m) _expectOut(m);
        _expectPhase(Phase.Closed);
        vm.assertEq(task.withdrawable(watcher), 3 * uint256(terms.minerDeposit) / 2 + terms.challengeBond, "bounty");
        _expectConserved();
    }

    /// @dev The result of the minority that is false as well falls too; then nobody is left.
    function test_D13_twoLiesAreBothRefuted() public {
        _begin(_disputed());
        _playToSeal();
        _seal(0, _false(0));
        _seal(1, _false(1));
        int32[] memory first = _lie();
        lieBy = -7;
        int32[] memory second = _lie();
        _seal(2, _false(2));
        _propose(0);
        _openAll();
        _refute(watcher, 0, lieAt, first);
        _expectPhase(Phase.Mine);
        _propose(2);
        _refute(watcher, 2, lieAt, second);
        _expectPhase(Phase.Finalise);
        _finalise();
        for (uint256 m; m < 3; ++m) _expectOut(m);
        _expectNoBlock();
        _expectConserved();
    }

    /// @dev A refuted result opened again later in the round is out as well.
    function test_D13_openingARefutedResult() public {
        _begin(_disputed());
        _playToSeal();
        for (uint256 m; m < 3; ++m) _seal(m, m == 0 ? _honest(m) : _false(m));
        _propose(1);
        _toOpen();
        _refuteLie(1);
        _open(2);
        _open(0);
        _expectPhase(Phase.Mine);
        _propose(0);
        _finalise();
        _expectOut(1);
        _expectOut(2);
        _expectHead(_sealed(0).root);
        _expectConserved();
    }

    // ------------------------------------------------------------------ plurality

    /// @dev Five miners: two tell the lie, two one result, one another. Unrefuted, the lie keeps the others from a block.
    function test_D13_noMajorityWithoutARefutation() public {
        _five();
        _playToSeal();
        _seal(0, _false(0));
        _seal(1, _false(1));
        Opening memory lie = _honest(2);
        lie.contentId = "other bytes";
        _seal(2, lie);
        _seal(3, _honest(3));
        _seal(4, _honest(4));
        _propose(0);
        _openAll();
        _expectPhase(Phase.Finalise);
        _finalise();
        _expectNoBlock();
        _expectConserved();
    }

    /// @dev The same: refuted, two of the other three are enough.
    function test_D13_pluralityAfterARefutation() public {
        _five();
        _playToSeal();
        for (uint256 m; m < 5; ++m) {
            Opening memory o = m < 2 ? _false(m) : _honest(m);
            if (m == 2) o.contentId = "other bytes";
            _seal(m, o);
        }
        _propose(0);
        _toOpen();
        _refuteLie(0);
        _openAll();
        _expectPhase(Phase.Mine);
        _propose(4);
        _finalise();
        _expectHead(_sealed(3).root);
        vm.assertEq(task.head().contentId, _sealed(3).contentId, "content");
        _expectOut(0);
        _expectOut(1);
        _expectConserved();
    }

    /// @dev One each is left: the lower id wins.
    function test_D13_tieGoesToTheLowerId() public {
        _begin(_disputed());
        _playToSeal();
        _seal(0, _false(0));
        Opening memory other = _honest(1);
        other.contentId = "other bytes";
        _seal(1, other);
        _seal(2, _honest(2));
        _propose(0);
        _toOpen();
        _refuteLie(0);
        _openAll();
        bytes32 first = keccak256(bytes.concat(_sealed(1).root, _sealed(1).contentId));
        bytes32 second = keccak256(bytes.concat(_sealed(2).root, _sealed(2).contentId));
        _expectPhase(Phase.Mine);
        uint256 winner = first < second ? 1 : 2;
        _propose(winner);
        _finalise();
        vm.assertEq(task.head().contentId, _sealed(winner).contentId, "lower id");
        _expectConserved();
    }

    function _five() private {
        Terms memory t = _disputed();
        t.minerSlots = 5;
        _begin(t);
    }
}
