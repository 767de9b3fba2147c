// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Opening, Phase, Reveal, SignedCommit, State, Terms} from "../../../contracts/interfaces/TaskTypes.sol";
import {Medians} from "../utils/Medians.sol";
import {Scenario} from "../utils/Scenario.sol";

/// @notice Gas at the largest task, 128 trainers and 16 miners. Every call is a transaction of its own here, so that
/// the numbers hold intrinsic gas, call data and cold storage.
/// forge-config: default.isolate = true
contract BoundsTest is Scenario {
    using Medians for uint256[];

    uint256 private constant SELECT_LIMIT = 15_000_000;
    uint256 private constant FINALISE_LIMIT = 12_000_000;

    // ------------------------------------------------------------------ select

    function test_select_everybodyTaken() public {
        _publishLargest(_largest());
        task.select();
        _expectGas("select, 128 + 16 taken", SELECT_LIMIT);
        vm.assertEq(task.trainerCount(), 128, "trainers");
        vm.assertEq(task.minerCount(), 16, "miners");
    }

    /// @dev Within a price bucket offers come in falling order: the median's list shifts as far as it can.
    function test_select_everybodyTakenWithFallingOffers() public {
        Terms memory t = _largest();
        _deploy(0);
        _publish(t);
        for (uint256 i; i < 128; ++i) _bidTrainer(_trainerName(i), uint32(SAMPLES + i), PRICE);
        for (uint256 m; m < 16; ++m) _bidMiner(_minerName(m), FEE);
        task.select();
        _expectGas("select, 128 + 16 taken, all offers differ", SELECT_LIMIT);
        vm.assertEq(task.trainerCount(), 128, "trainers");
    }

    /// @dev The budget holds about half of the offers; large and small ones alternate by rank as far as it lasts.
    function test_select_manySkippedByTheBudget() public {
        Terms memory t = _largest();
        t.reward = 0.06 ether;
        t.maxPrice = 4000 gwei;
        _deploy(0);
        _publish(t);
        // The cheapest half is large, and each of the others fits or not as the median moves.
        for (uint256 i; i < 128; ++i) {
            uint32 samples = uint32(i % 3 == 0 ? 30_000 : 100 + i);
            _bidTrainer(_trainerName(i), samples, uint64((1 + i / 2) * 40 gwei));
        }
        for (uint256 m; m < 16; ++m) _bidMiner(_minerName(m), m % 2 == 0 ? FEE / 10 : 0.1 ether);
        task.select();
        _expectGas("select, many skipped", SELECT_LIMIT);
        vm.assertGt(task.trainerCount(), 20, "taken");
        vm.assertLt(task.trainerCount(), 108, "skipped");
        vm.assertEq(task.minerCount(), 8, "miners");
    }

    function test_select_everybodyRefunded() public {
        Terms memory t = _largest();
        t.minTrainers = 128;
        _deploy(0);
        _publish(t);
        // One offer is above the budget: a trainer too few.
        for (uint256 i; i < 127; ++i) _bidTrainer(_trainerName(i), SAMPLES, PRICE);
        _bidTrainer(_trainerName(127), SAMPLES, t.maxPrice);
        for (uint256 m; m < 16; ++m) _bidMiner(_minerName(m), FEE);
        task.select();
        _expectGas("select, 128 + 16 refunded", SELECT_LIMIT);
        vm.assertEq(uint256(task.status().state), uint256(State.Aborted), "state");
    }

    function test_cancel_everybodyRefunded() public {
        _publishLargest(_largest());
        vm.prank(publisher);
        task.cancel();
        _expectGas("cancel, 128 + 16 refunded", SELECT_LIMIT);
    }

    // ------------------------------------------------------------------ the steps of a round

    function test_steps() public {
        _startLargest(_largest());
        _step("commit, dearest of 128", _dearestCommit(), 120_000);
        _step("reveal, dearest of 128", _dearestReveal(), 120_000);

        uint256 dearest;
        for (uint256 m; m < 16; ++m) {
            _check(m, _verdicts(m % 2 == 0 ? ALL / 3 : 0, UNAVAILABLE)); // votes on every seat are counted
            dearest = _max(dearest, _gas());
            if (m == 14) _step("check, dearest of 15", dearest, 100_000);
        }
        _step("check, the last: freezes the inputs", _gas(), 1_500_000);
        for ((uint256 m, uint256 most) = (0, 0); m < 16; ++m) {
            _seal(m, _honest(m));
            most = _max(most, _gas());
            if (m == 15) _step("seal, dearest of 16", most, 150_000);
        }
        _propose(0);
        _step("propose, first", _gas(), 600_000);
        for ((uint256 m, uint256 most) = (1, 0); m < 16; ++m) {
            if (m == 1) _toOpen();
            _open(m);
            most = _max(most, _gas());
            if (m == 15) _step("open, dearest of 15", most, 500_000);
        }
    }

    /// @dev Check ends by the clock: the first seal counts the votes and freezes the inputs.
    function test_steps_firstSealFreezes() public {
        _startLargest(_largest());
        _playToCheck();
        for (uint256 m; m < 15; ++m) _check(m, _verdicts(ALL, UNAVAILABLE) >> 2 << 2 | 1);
        vm.warp(task.status().deadline);
        // All but one are rejected, and one is enough.
        _seal(0, _honest(0));
        _step("seal, the first: freezes the inputs", _gas(), 2_500_000);
        vm.assertEq(task.inputs(), 1, "inputs");
    }

    /// @dev Everybody in one batch: the largest that is of use.
    function test_steps_batchesOf128() public {
        _startLargest(_largest());
        SignedCommit[] memory commits = new SignedCommit[](128);
        Reveal[] memory reveals = new Reveal[](128);
        for (uint256 i; i < 128; ++i) {
            commits[i] = _signed(i, _updateOf(i));
            reveals[i] = _relayed(i, _updateOf(i));
        }
        task.commitBatch(commits);
        _step("commitBatch, 128", _gas(), 7_000_000);
        task.revealBatch(reveals);
        _step("revealBatch, 128", _gas(), 4_000_000);
        _expectPhase(Phase.Check);
    }

    // ------------------------------------------------------------------ finalise

    function test_finalise_acceptedAllPaid() public {
        _startLargest(_largest());
        _playToOpen();
        _openAll();
        _finalise();
        _expectGas("finalise, block accepted, all paid", FINALISE_LIMIT);
        for (uint8 i; i < 128; ++i) vm.assertGt(task.trainer(i).earned, 0, "paid");
    }

    function test_finalise_acceptedAllPaidAgain() public {
        _startLargest(_largest());
        _playRound();
        _playRound();
        _expectGas("finalise, second round", FINALISE_LIMIT);
    }

    /// @dev Nothing is frozen: the votes are counted here.
    function test_finalise_voidWithoutChecks() public {
        _startLargest(_largest());
        _playToCheck();
        _finalise();
        _expectGas("finalise, void, miners stalled", FINALISE_LIMIT);
        vm.assertEq(task.status().voidRounds, 1, "void");
        for (uint8 i; i < 128; ++i) vm.assertEq(task.trainer(i).earned, uint256(SAMPLES) * PRICE, "price");
    }

    function test_finalise_lastRoundCloses() public {
        Terms memory t = _largest();
        t.rounds = 1;
        _startLargest(t);
        _playToOpen();
        _openAll();
        _finalise();
        _expectGas("finalise, last round, registry written", FINALISE_LIMIT);
        vm.assertEq(uint256(task.status().state), uint256(State.Completed), "state");
    }

    /// @dev Everybody is slashed and struck out, the task ends and the registry is written.
    function test_finalise_allStruckByVerdict() public {
        Terms memory t = _largest();
        t.maxStrikes = 1;
        t.rounds = 1;
        _startLargest(t);
        _playToCheck();
        _checkAll(_verdicts(ALL, COPY));
        _finalise();
        _expectGas("finalise, all trainers rejected and out", FINALISE_LIMIT);
        for (uint8 i; i < 128; ++i) vm.assertEq(task.trainer(i).strikes, 1, "struck");
    }

    function test_finalise_allStruckForNotRevealing() public {
        Terms memory t = _largest();
        t.maxStrikes = 1;
        t.rounds = 1;
        _startLargest(t);
        _commitAll();
        _finalise();
        _expectGas("finalise, nobody revealed", FINALISE_LIMIT);
        vm.assertEq(uint256(task.status().state), uint256(State.Aborted), "state");
    }

    /// @dev The dearest mixture: a block accepted in the last round, half of the trainers rejected or scored too low,
    /// all qualities changed, half of the miners outvoted or silent.
    function test_finalise_dearestMixture() public {
        Terms memory t = _largest();
        t.maxStrikes = 1;
        t.rounds = 1;
        t.payScore = 10_000;
        _startLargest(t);
        _playToCheck();
        _checkAll(_verdicts(uint128(ALL) << 96, COPY));
        for (uint256 m; m < 15; ++m) {
            Opening memory o = m < 9 ? _honest(m) : _false(m);
            for (uint256 i; i < 128; ++i) o.scores.setLane(i, i < 96 ? 10_000 + 50 * i + m : 0);
            _seal(m, o);
        }
        vm.warp(task.status().deadline);
        _propose(0);
        _openAll();
        _finalise();
        _expectGas("finalise, last round, half of everybody struck", FINALISE_LIMIT);
        vm.assertEq(uint256(task.status().state), uint256(State.Completed), "state");
        vm.assertEq(task.trainer(0).strikes, 1, "low score");
        vm.assertEq(task.trainer(127).strikes, 1, "rejected");
        vm.assertGt(task.trainer(95).earned, 0, "paid");
    }

    // ------------------------------------------------------------------ helpers

    function _largest() private pure returns (Terms memory t) {
        t = _defaultTerms();
        t.trainerSlots = 128;
        t.minerSlots = 16;
        t.minUpdates = 1;
        t.minTrainers = 1;
        t.difficulty = 1;
        t.reward = 100 ether;
        t.maxPrice = 1 ether;
    }

    function _publishLargest(Terms memory t) private {
        _deploy(0);
        _publish(t);
        _fill();
    }

    function _startLargest(Terms memory t) private {
        _publishLargest(t);
        _select();
    }

    function _dearestCommit() private returns (uint256 gas) {
        for (uint256 i; i < 128; ++i) {
            _commit(i);
            gas = _max(gas, _gas());
        }
    }

    function _dearestReveal() private returns (uint256 gas) {
        for (uint256 i; i < 128; ++i) {
            _reveal(i);
            gas = _max(gas, _gas());
        }
    }

    function _expectGas(string memory what, uint256 limit) private {
        _step(what, _gas(), limit);
    }

    function _step(string memory what, uint256 gas, uint256 limit) private {
        emit log_named_uint(what, gas);
        vm.assertLt(gas, limit, what);
    }

    function _gas() private view returns (uint256) {
        return vm.lastCallGas().gasTotalUsed;
    }

    function _max(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a : b;
    }
}
