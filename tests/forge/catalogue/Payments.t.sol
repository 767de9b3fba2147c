// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskEvents} from "../../../contracts/interfaces/ITaskEvents.sol";
import {Phase, Role, State, Terms} from "../../../contracts/interfaces/TaskTypes.sol";
import {GasBurner, ReEnterer, Refuser} from "../utils/Receivers.sol";
import {Scenario} from "../utils/Scenario.sol";

/// @notice How money leaves a task.
contract PaymentsTest is Scenario {
    // ------------------------------------------------------------------ A03

    function test_A03_hostileReceiversSpoilOnlyTheirOwnClaim() public {
        Terms memory t = _defaultTerms();
        t.trainerSlots = 5;
        _deploy(0);
        _publish(t);
        address refuser = address(new Refuser());
        address burner = address(new GasBurner());
        ReEnterer reenterer = new ReEnterer();
        _bidTrainer(refuser, SAMPLES, PRICE);
        _bidTrainer(burner, SAMPLES, PRICE);
        _bidTrainer(address(reenterer), SAMPLES, PRICE);
        for (uint256 i; i < 2; ++i) _bidTrainer(_trainerName(i), SAMPLES, PRICE);
        for (uint256 m; m < 3; ++m) _bidMiner(_minerName(m), FEE);
        _select();
        for (uint256 i; i < t.rounds; ++i) _playRound();

        uint256 stuck = task.withdrawable(refuser) + task.withdrawable(burner);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_TransferFailed.selector, refuser));
        task.withdraw(refuser);
        (bool ok,) = address(task).call{gas: 1e6}(abi.encodeCall(task.withdraw, (burner)));
        vm.assertTrue(!ok, "the gas burner was paid");

        // The balance is zero before the call: what comes back in finds nothing.
        uint256 owed = task.withdrawable(address(reenterer));
        task.withdraw(address(reenterer));
        vm.assertEq(address(reenterer).balance, owed, "paid once");
        vm.assertEq(reenterer.succeeded(), 0, "inner calls");
        vm.assertEq(reenterer.refused(), 5, "inner calls refused");

        _withdraw(publisher);
        for (uint256 i; i < 2; ++i) _withdraw(_trainerName(i));
        for (uint256 m; m < 3; ++m) _withdraw(_minerName(m));
        vm.assertEq(address(task).balance, stuck, "only their own money stays");
        vm.assertEq(task.withdrawable(refuser) + task.withdrawable(burner), stuck, "and stays theirs");
    }

    // ------------------------------------------------------------------ A04

    function test_A04_claimIsPaidOnceAndOnlyToItsOwner() public {
        _start(_defaultTerms());
        _playRound();
        address thief = _named("thief");
        uint256 earned = task.trainer(0).earned;

        vm.prank(thief);
        vm.assertEq(task.withdraw(trainers[0]), earned, "paid for another");
        vm.assertEq(trainers[0].balance, earned, "to that other");
        vm.assertEq(thief.balance, 0, "never to the caller");

        // While the task runs only the deposit is left, and that is at stake.
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_NotFinal.selector, trainers[0]));
        task.withdraw(trainers[0]);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_NothingOwed.selector, thief));
        task.withdraw(thief);

        _playRound();
        _playRound();
        _expectEverybodyOut();
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_NothingOwed.selector, trainers[0]));
        task.withdraw(trainers[0]);
    }

    function test_A04_nothingToClaimDuringTheChallengeWindow() public {
        _start(_defaultTerms());
        _playToOpen();
        _openAll();
        _expectPhase(Phase.Challenge);
        address[3] memory claimants = [trainers[0], trainers[3], miners[0]];
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_NotFinal.selector, claimants[i]));
            task.withdraw(claimants[i]);
        }
        vm.expectRevert(
            abi.encodeWithSelector(
                ITaskEvents.LearningTask_WrongPhase.selector, Phase.Challenge, Phase.Finalise
            )
        );
        task.finalise(new uint256[](1), 0);
    }

    // ------------------------------------------------------------------ A06

    /// @dev Any reward, one huge and many tiny weights, scores of zero included: shares and dust are the pool.
    function test_A06_sharesAndDustAreThePool(uint256 seed) public {
        Terms memory t = _defaultTerms();
        t.reward = _within(seed, 300, 1e18) | 1;
        t.rounds = uint16(_within(seed >> 8, 1, 4));
        t.maxPrice = 1;
        t.payScore = uint16(_within(seed >> 16, 0, 10_000));
        _deploy(0);
        _publish(t);
        _bidTrainer(_trainerName(0), 1_000_000, 0);
        for (uint256 i = 1; i < 4; ++i) _bidTrainer(_trainerName(i), 100, 0);
        for (uint256 m; m < 3; ++m) _bidMiner(_minerName(m), uint80(t.reward / t.rounds / 40));
        _select();
        for (uint256 i; i < 4; ++i) scoreOf[i] = uint16(uint256(keccak256(abi.encode(seed, i)))) | 1;
        scoreOf[seed % 4] = 1;

        for (uint256 round; round < t.rounds; ++round) _playRound();
        uint256 paid;
        for (uint8 i; i < 4; ++i) paid += task.trainer(i).earned;
        for (uint8 m; m < 3; ++m) paid += task.miner(m).earned;
        uint256 penalties;
        for (uint8 i; i < 4; ++i) {
            penalties += _depositOf(Role.Trainer, trainers[i]) - task.trainer(i).deposit;
        }
        uint256 dust = task.withdrawable(publisher);
        vm.assertEq(paid + dust + task.burnt() - penalties, t.reward, "pool");
        if (task.burnt() == 0) vm.assertLt(dust, 30 * uint256(t.rounds) + 3 * t.reward / 40, "more than dust and fees");
        _expectEverybodyOut();
    }

    function test_A06_onePoorRoundPaysOneWeiEach() public {
        Terms memory t = _defaultTerms();
        t.rounds = 1;
        t.minerShare = 5000;
        t.reward = 9; // 4 for miners, 5 for trainers: a wei per slot
        t.payScore = 0;
        _deploy(0);
        _publish(t);
        for (uint256 i; i < 4; ++i) _bidTrainer(_trainerName(i), SAMPLES, 0);
        for (uint256 m; m < 3; ++m) _bidMiner(_minerName(m), 4);
        _select();
        _playRound();
        for (uint8 i; i < 4; ++i) vm.assertEq(task.trainer(i).earned, 1, "trainer");
        vm.assertEq(task.miner(0).earned, 2, "the block's miner: half, and a third of the rest floors to zero");
        vm.assertEq(task.withdrawable(publisher), 3, "dust");
        _expectEverybodyOut();
    }

    // ------------------------------------------------------------------ A07

    /// @dev Tasks take ether only, so hostile tokens have no way in; ether that was not asked for is refused, and
    /// what is forced upon a task (self-destruct, block reward) changes nobody's account.
    function test_A07_unaskedEtherChangesNothing() public {
        _start(_defaultTerms());
        vm.deal(address(this), 10 ether);
        (bool ok,) = address(task).call{value: 1}("");
        vm.assertTrue(!ok, "plain transfer taken");
        (ok,) = address(task).call{value: 1}(abi.encodeCall(task.select, ()));
        vm.assertTrue(!ok, "value on a call that takes none");

        vm.deal(address(task), address(task).balance + 7 ether);
        uint256 pool = task.pool();
        _playRound();
        vm.assertEq(
            pool - task.pool(),
            4 * uint256(task.trainer(0).earned) + _minersEarned(),
            "the round's pay comes from the reward alone"
        );
        _playRound();
        _playRound();
        vm.assertEq(task.burnt(), 0, "burnt");
        _withdraw(publisher);
        for (uint256 i; i < 4; ++i) _withdraw(trainers[i]);
        for (uint256 m; m < 3; ++m) _withdraw(miners[m]);
        vm.assertEq(address(task).balance, 7 ether, "forced ether stays outside of all accounts");
    }

    function _minersEarned() private view returns (uint256 sum) {
        for (uint8 m; m < miners.length; ++m) sum += task.miner(m).earned;
    }

    // ------------------------------------------------------------------ A08

    function test_A08_losersReclaimRightAfterSelection() public {
        Terms memory t = _defaultTerms();
        t.closeWhenFull = false;
        _deploy(0);
        _publish(t);
        for (uint256 i; i < 4; ++i) _bidTrainer(_trainerName(i), SAMPLES, 90 gwei);
        uint256 deposit = uint256(SAMPLES) * t.trainerDeposit;
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_NotFinal.selector, _trainerName(3)));
        task.withdraw(_trainerName(3));

        // Pushed out: the deposit is free at once, and the account may bid again.
        _bidTrainer(_trainerName(4), SAMPLES, PRICE);
        vm.assertEq(_withdraw(_trainerName(3)), deposit, "displaced");
        vm.assertEq(_depositOf(Role.Trainer, _trainerName(3)), 0, "bid gone");

        // Too dear for what the others leave of the budget: skipped, and free right after selection.
        uint64 tooDear = uint64((t.reward - 3 * FEE) / 3 / SAMPLES);
        t.maxPrice = tooDear;
        _publish(t);
        for (uint256 i; i < 3; ++i) _bidTrainer(_trainerName(i), SAMPLES, PRICE);
        _bidTrainer(_trainerName(3), SAMPLES, tooDear);
        for (uint256 m; m < 3; ++m) _bidMiner(_minerName(m), FEE);
        _select();
        vm.assertEq(trainers.length, 3, "selected");
        vm.assertEq(_withdraw(_trainerName(3)), deposit, "not selected");
    }

    /// @dev A winner's deposit can be cut until its last round is final, and is free from then on.
    function test_A08_winnersDepositStaysSlashableToTheEnd() public {
        _start(_defaultTerms());
        uint256 deposit = uint256(SAMPLES) * terms.trainerDeposit;
        _playRound();
        _playRound();
        _withdraw(trainers[0]);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_NotFinal.selector, trainers[0]));
        task.withdraw(trainers[0]);

        _commitAll();
        for (uint256 i = 1; i < 4; ++i) _reveal(i); // seat 0 withholds in the very last round
        _toPhase(Phase.Check);
        _checkAll(_verdicts(0, OK));
        _sealAll();
        _propose(0);
        _openAll();
        _finalise();
        vm.assertEq(uint256(task.status().state), uint256(State.Completed), "state");
        vm.assertEq(task.withdrawable(trainers[0]), deposit - deposit / 4, "cut in the last round");
        vm.assertEq(task.burnt(), deposit / 4, "burnt");
        _expectEverybodyOut();
        vm.assertEq(address(0).balance, deposit / 4, "sent to the zero address");
    }
}
