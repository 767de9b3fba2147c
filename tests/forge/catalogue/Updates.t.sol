// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskEvents} from "../../../contracts/interfaces/ITaskEvents.sol";
import {Opening, Phase, State, Trainer} from "../../../contracts/interfaces/TaskTypes.sol";
import {Medians} from "../utils/Medians.sol";
import {Scenario} from "../utils/Scenario.sol";

/// @notice Commit, reveal and check against lazy trainers.
contract UpdatesTest is Scenario {
    using Medians for uint256[];

    uint256 private _deposit;

    function setUp() public {
        _start(_defaultTerms());
        _deposit = uint256(SAMPLES) * terms.trainerDeposit;
    }

    // ------------------------------------------------------------------ B01

    function test_B01_copiedCommitmentCannotBeOpened() public {
        for (uint256 i; i < 3; ++i) _commit(i);
        Update memory victims = _updateOf(0);
        bytes32 seen = _commitment(trainers[0], victims);
        vm.prank(trainers[3]);
        task.commit(3, seen);

        _reveal(0);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_WrongOpening.selector, 3));
        task.reveal(3, victims.root, victims.contentId, victims.samples, victims.trainingTime, victims.salt);
        _reveal(1);
        _reveal(2);
        _finishFromCheck(0, OK);

        vm.assertEq(task.trainer(3).deposit, _deposit - _deposit / 4, "the copier pays for not revealing");
        vm.assertEq(task.trainer(3).earned, 0, "and earns nothing");
        vm.assertEq(task.trainer(0).deposit, _deposit, "the victim loses nothing");
        vm.assertGt(task.trainer(0).earned, 0, "and is paid");
    }

    // ------------------------------------------------------------------ B02

    /// @dev Nothing can be copied inside the round: Commit is over before the first reveal. That no bytes are in the
    /// store while Commit is open is the client's half.
    function test_B02_commitIsClosedBeforeTheFirstReveal() public {
        for (uint256 i; i < 3; ++i) _commit(i);
        Update memory u = _updateOf(0);
        _expectWrongPhase(Phase.Commit, Phase.Reveal);
        task.reveal(0, u.root, u.contentId, u.samples, u.trainingTime, u.salt);

        vm.warp(task.status().deadline);
        _reveal(0);
        bytes32 copy = _commitment(trainers[3], u);
        vm.prank(trainers[3]);
        _expectWrongPhase(Phase.Reveal, Phase.Commit);
        task.commit(3, copy);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_NoCommit.selector, 3));
        task.reveal(3, u.root, u.contentId, u.samples, u.trainingTime, u.salt);
    }

    // ------------------------------------------------------------------ B05

    /// @dev The received model handed back: the miners' verdict takes the round's pay, not the deposit.
    function test_B05_zeroUpdateFoundByTheMinersIsNotPaid() public {
        _playToCheck();
        _finishFromCheck(1 << 3, COPY);
        _expectUnpaid(3);
        vm.assertEq(task.trainer(3).quality, terms.startQuality / 2, "quality falls by half");
    }

    /// @dev The same with noise: scored below `payScore` of the round's median.
    function test_B05_zeroUpdateWithNoiseScoresTooLowToBePaid() public {
        scoreOf[3] = 19_999; // the others have 40,000, half of it is asked for
        _playRound();
        _expectUnpaid(3);

        scoreOf[3] = 20_000;
        _playRound();
        vm.assertGt(task.trainer(3).earned, 0, "half is enough");
    }

    // ------------------------------------------------------------------ B06

    function test_B06_withheldRevealCostsAFixedPartAndTheRoundGoesOn() public {
        _commitAll();
        for (uint256 i; i < 3; ++i) _reveal(i);
        _toPhase(Phase.Check);
        _finishFromCheck(0, OK);
        vm.assertEq(task.head().root, keccak256(abi.encode("aggregate", uint16(1))), "the round has its block");
        vm.assertEq(task.trainer(3).deposit, _deposit - _deposit / 4, "slashed");
        vm.assertEq(task.trainer(3).strikes, 1, "struck");
        vm.assertEq(task.burnt(), _deposit / 4, "burnt, nobody's gain");
    }

    /// @dev Below `minUpdates` the round is void: who did reveal gets its price, the others pay.
    function test_B06_withheldRevealsBelowTheQuorumVoidTheRound() public {
        _commitAll();
        _reveal(0);
        _finalise();
        _expectPhase(Phase.Commit);
        vm.assertEq(task.status().voidRounds, 1, "void");
        vm.assertEq(task.status().roundsLeft, terms.rounds - 1, "it counts: somebody showed its update");
        vm.assertEq(task.trainer(0).earned, uint256(SAMPLES) * PRICE, "its price");
        for (uint8 i = 1; i < 4; ++i) vm.assertEq(task.trainer(i).deposit, _deposit - _deposit / 4, "slashed");
        for (uint8 m; m < 3; ++m) vm.assertEq(task.miner(m).strikes, 0, "no miner was asked");
    }

    function test_B06_everyRevealWithheldEndsInRefunds() public {
        for (uint256 round; round < terms.maxStrikes; ++round) {
            _commitAll();
            _finalise();
        }
        vm.assertEq(uint256(task.status().state), uint256(State.Aborted), "state");
        vm.assertEq(task.withdrawable(publisher), terms.reward, "the whole reward returns");
        for (uint8 i; i < 4; ++i) vm.assertEq(task.trainer(i).deposit, _deposit / 4, "three quarters slashed");
        _expectEverybodyOut();
        vm.assertEq(address(0).balance, 3 * _deposit, "burnt");
    }

    // ------------------------------------------------------------------ B07

    /// @dev 32 bytes of salt hide even a known update; drawing them well and once is the client's half. A salt that
    /// is used again opens nothing else, because round and sender are in the digest.
    function test_B07_openingCannotBeGuessedOrReused(bytes32 guess) public {
        Update memory u = _updateOf(0);
        vm.assertTrue(guess != u.salt, "guessed 256 bits");
        _commitAll();
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_WrongOpening.selector, 0));
        task.reveal(0, u.root, u.contentId, u.samples, u.trainingTime, guess);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_WrongOpening.selector, 1));
        task.reveal(1, u.root, u.contentId, u.samples, u.trainingTime, u.salt);
        bytes32 before = _commitment(trainers[0], u);
        _revealAll();
        _finishFromCheck(0, OK);
        vm.assertNotEq(_commitment(trainers[0], u), before, "same digest a round later");
    }

    // ------------------------------------------------------------------ B08

    function test_B08_missingBytesAreDroppedBeforeInputsFreeze() public {
        _playToCheck();
        vm.assertEq(task.inputs(), 15, "all revealed");
        uint256 bad = _verdicts(1 << 2, UNAVAILABLE);
        _check(0, bad);
        vm.assertEq(task.inputs(), 15, "one of three is no majority");
        _check(1, bad);
        vm.assertEq(task.inputs(), 11, "two of three are");
        _check(2, _verdicts(0, OK)); // served to this one only
        _expectPhase(Phase.Seal);

        // Frozen: neither a new verdict nor a new reveal brings it back.
        vm.prank(miners[0]);
        _expectWrongPhase(Phase.Seal, Phase.Check);
        task.check(0, type(uint256).max);
        Update memory u = _updateOf(2);
        _expectWrongPhase(Phase.Seal, Phase.Reveal);
        task.reveal(2, u.root, u.contentId, u.samples, u.trainingTime, u.salt);

        _finishFromSeal();
        vm.assertEq(task.head().root, keccak256(abi.encode("aggregate", uint16(1))), "the round goes on");
        _expectUnpaid(2);
    }

    /// @dev A trainer that sees the verdict may serve again until Check closes; the miners say so by a second check.
    function test_B08_servedAgainInTimeIsAnInput() public {
        _playToCheck();
        _check(0, _verdicts(1 << 2, UNAVAILABLE));
        _check(1, _verdicts(1 << 2, UNAVAILABLE));
        _check(0, _verdicts(0, OK));
        vm.assertEq(task.inputs(), 15, "taken back");
        _check(2, _verdicts(0, OK));
        _finishFromSeal();
        vm.assertGt(task.trainer(2).earned, 0, "paid");
    }

    /// @dev No input left: nothing to aggregate, the round is void and the clock is not waited for.
    function test_B08_tooFewAvailableUpdatesVoidTheRound() public {
        _playToCheck();
        _checkAll(_verdicts(7, UNAVAILABLE));
        _expectPhase(Phase.Finalise);
        task.finalise(new uint256[](0), 0);
        vm.assertEq(task.status().voidRounds, 1, "void");
        vm.assertEq(task.trainer(3).earned, uint256(SAMPLES) * PRICE, "the input gets its price");
        for (uint8 i; i < 3; ++i) _expectUnpaid(i);
        for (uint8 m; m < 3; ++m) vm.assertEq(task.miner(m).strikes, 0, "the miners did what was asked");
    }

    /// @dev Verdicts on seats that revealed nothing, or do not exist, change nothing.
    function test_B08_verdictsOnOthersAreIgnored() public {
        for (uint256 i; i < 3; ++i) _commit(i);
        vm.warp(task.status().deadline);
        for (uint256 i; i < 3; ++i) _reveal(i);
        for (uint256 m; m < 3; ++m) _check(m, type(uint256).max << 6 | 21);
        vm.assertEq(task.inputs(), 7, "inputs");
        _finishFromSeal();
        for (uint8 i; i < 3; ++i) vm.assertGt(task.trainer(i).earned, 0, "paid");
        vm.assertEq(task.trainer(3).strikes, 1, "absent");
        vm.assertEq(task.trainer(3).deposit, _deposit, "absence costs no deposit");
    }

    // ------------------------------------------------------------------ helpers

    function _finishFromCheck(uint256 seats, uint256 verdict) private {
        _toPhase(Phase.Check);
        _checkAll(_verdicts(seats, verdict));
        _finishFromSeal();
    }

    function _finishFromSeal() private {
        uint256 inputs = task.inputs();
        for (uint256 m; m < 3; ++m) {
            Opening memory o = _honest(m);
            for (uint256 i; i < 4; ++i) if (inputs >> i & 1 == 0) o.scores.setLane(i, 0);
            _seal(m, o);
        }
        _propose(0);
        _openAll();
        _finalise();
    }

    function _expectUnpaid(uint8 seat) private view {
        Trainer memory tr = task.trainer(seat);
        vm.assertEq(tr.earned, 0, "paid");
        vm.assertEq(tr.strikes, 1, "strikes");
        vm.assertEq(tr.deposit, _deposit - terms.penalty, "the deposit loses the small penalty only");
    }
}
