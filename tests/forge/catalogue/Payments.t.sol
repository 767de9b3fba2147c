// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskEvents} from "../../../contracts/interfaces/ITaskEvents.sol";
import {Fault, Opening, Phase, Role, State, Terms} from "../../../contracts/interfaces/TaskTypes.sol";
import {Preimages} from "../utils/Preimages.sol";
import {GasBurner, ReEnterer, Refuser} from "../utils/Receivers.sol";
import {Scenario} from "../utils/Scenario.sol";
import {Vm} from "../utils/Test.sol";

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

    /// @dev Hostile winners of blocks, a hostile publisher and a hostile loser: bidding, rounds and the end go on, and
    /// everybody else is out in the same block.
    function test_A03_hostileWinnersPublisherAndLoserStopNobody() public {
        _deploy(0);
        publisher = address(new Refuser());
        Terms memory t = _defaultTerms();
        t.closeWhenFull = false;
        _publish(t);
        address loser = address(new Refuser());
        _bidTrainer(loser, SAMPLES, 90 gwei);
        for (uint256 i; i < 4; ++i) _bidTrainer(_trainerName(i), SAMPLES, PRICE);
        vm.assertEq(_depositOf(Role.Trainer, loser), 0, "displaced all the same");
        address[3] memory hostile = [address(new Refuser()), address(new GasBurner()), address(new ReEnterer())];
        for (uint256 m; m < 3; ++m) _bidMiner(hostile[m], FEE);
        _select();
        for (uint256 m; m < 3; ++m) {
            vm.assertEq(miners[m], hostile[m], "miner");
            _playToSeal();
            _sealAll();
            _propose(m); // each wins a block
            _openAll();
            _finalise();
        }
        vm.assertEq(uint256(task.status().state), uint256(State.Completed), "state");

        uint256 stuck = task.withdrawable(publisher) + task.withdrawable(loser);
        for (uint256 m; m < 2; ++m) stuck += task.withdrawable(hostile[m]);
        address[4] memory refusing = [publisher, loser, hostile[0], hostile[1]];
        for (uint256 i; i < 4; ++i) {
            uint256 amount = task.withdrawable(refusing[i]);
            (bool ok,) = address(task).call{gas: 1e6}(abi.encodeCall(task.withdraw, (refusing[i])));
            vm.assertTrue(!ok, "paid");
            vm.assertEq(task.withdrawable(refusing[i]), amount, "still owed");
        }
        ReEnterer reenterer = ReEnterer(payable(hostile[2]));
        uint256 owed = task.withdrawable(address(reenterer));
        task.withdraw(address(reenterer));
        vm.assertEq(address(reenterer).balance, owed, "paid once");
        vm.assertEq(reenterer.succeeded(), 0, "inner calls");
        for (uint256 i; i < 4; ++i) _withdraw(_trainerName(i));
        vm.assertEq(address(task).balance, stuck, "only their own money stays");
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
        vm.expectRevert(
            abi.encodeWithSelector(ITaskEvents.LearningTask_UnexpectedPayment.selector, address(this), 1)
        );
        (bool ok,) = address(task).call{value: 1}("");
        bytes[4] memory calls = [
            abi.encodeCall(task.select, ()),
            abi.encodeCall(task.commit, ("digest")),
            abi.encodeCall(task.reveal, (0, 0, 1, 0, 0)),
            hex"00000000"
        ];
        for (uint256 i; i < 4; ++i) {
            (ok,) = address(task).call{value: 1}(calls[i]);
            vm.assertTrue(!ok, "value on a call that takes none");
        }

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

    // ------------------------------------------------------------------ A10

    /// @dev One withholds every reveal: each slash is the share of the first deposit, rounded up, never nothing and
    /// never more than is left; what the events say is what is gone, and burnt.
    function test_A10_slashesRoundAgainstTheOffender(uint256 seed) public {
        Terms memory t = _defaultTerms();
        t.trainerDeposit = uint64(_within(seed, 1, 3));
        t.minSamples = 1;
        t.penalty = 0;
        t.slashShare = uint16(_within(seed >> 8, 1000, 10_000));
        t.maxStrikes = 100;
        t.minUpdates = 1;
        t.rounds = 12;
        uint32 samples = uint32(_within(seed >> 32, 1, 30));
        _startWithOffer(t, samples);

        uint256 deposit = samples * uint256(t.trainerDeposit);
        uint256 slash = (deposit * t.slashShare + 9999) / 10_000;
        vm.recordLogs();
        uint256 left = deposit;
        for (uint256 round; round < 10 && left != 0; ++round) {
            for (uint256 i; i < 4; ++i) if (!_isOut(i)) _commit(i);
            for (uint256 i; i < 3; ++i) _reveal(i);
            _toPhase(Phase.Check);
            _checkAll(_verdicts(0, OK));
            _sealAll();
            _propose(0);
            _openAll();
            _finalise();
            left -= slash < left ? slash : left;
            vm.assertEq(task.trainer(3).deposit, left, "left");
            vm.assertEq(task.burnt(), deposit - left, "burnt");
        }
        vm.assertEq(left, 0, "ten slashes at most");
        vm.assertEq(_slashed(3), deposit, "the events' total");
        vm.assertTrue(_isOut(3), "without a deposit it is out");
    }

    /// @dev A miner that seals nothing, with the smallest deposit there is.
    function test_A10_tinyMinerDepositsAreSlashedAWeiEachTime() public {
        Terms memory t = _defaultTerms();
        (t.challengeBond, t.minerDeposit, t.slashShare) = (1, 5, 1000);
        t.maxStrikes = 100;
        t.rounds = 10;
        _start(t);
        for (uint256 round = 1; round <= 5; ++round) {
            _playToSeal();
            for (uint256 m; m < 2; ++m) _seal(m, _honest(m));
            _toPhase(Phase.Mine);
            _propose(0);
            _openAll();
            _finalise();
            vm.assertEq(task.miner(2).deposit, 5 - round, "a wei each time");
        }
        vm.assertEq(task.status().round.activeMiners, 3, "out");
        vm.assertEq(task.burnt(), 5, "burnt");
    }

    /// @dev The penalty of an opinion is cut to what is left, and who has nothing left is out.
    function test_A10_penaltiesNeverExceedWhatIsLeft() public {
        Terms memory t = _defaultTerms();
        (t.trainerDeposit, t.minSamples, t.penalty) = (1, 100, 70);
        t.maxStrikes = 100;
        _startWithOffer(t, 100);
        vm.recordLogs();
        for (uint256 round; round < 2; ++round) {
            _playToCheck();
            _checkAll(_verdicts(1 << 3, COPY));
            _sealAll();
            _propose(0);
            _openAll();
            _toPhase(Phase.Finalise);
            _finalise();
            vm.assertEq(task.trainer(3).deposit, round == 0 ? 30 : 0, "left");
        }
        vm.assertEq(_slashed(3), 100, "the events' total");
        vm.assertTrue(_isOut(3), "out");
    }

    /// @dev Three honest trainers, and one with `samples` on the last seat.
    function _startWithOffer(Terms memory t, uint32 samples) private {
        _deploy(0);
        _publish(t);
        for (uint256 i; i < 3; ++i) _bidTrainer(_trainerName(i), SAMPLES, PRICE);
        _bidTrainer(_trainerName(3), samples, PRICE);
        for (uint256 m; m < 3; ++m) _bidMiner(_minerName(m), FEE);
        _select();
        vm.assertEq(trainers[3], _trainerName(3), "the smallest offer ranks last");
    }

    /// @dev Wei by the events since recording began.
    function _slashed(uint256 seat) private returns (uint256 sum) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] != ITaskEvents.Slashed.selector) continue;
            if (uint256(logs[i].topics[2]) != uint256(Role.Trainer) || uint256(logs[i].topics[3]) != seat) continue;
            (, uint256 amount) = abi.decode(logs[i].data, (Fault, uint256));
            vm.assertGt(amount, 0, "a slash of nothing");
            sum += amount;
        }
    }

    // ------------------------------------------------------------------ bonds

    /// @dev A bond is settled with its round: what was posted against a miner that is long refuted is not lost once
    /// more, out of other people's money, when a later round has a dispute of its own.
    function test_bondsOfARefutedMinerAreSettledOnce() public {
        Terms memory t = _defaultTerms();
        _start(t);
        address watcher = _named("watcher");
        vm.deal(watcher, 1 ether);
        Opening memory lie = _honest(2);
        lie.root = keccak256("bytes that nobody gets");
        _playToSeal();
        _seal(0, _honest(0));
        _seal(1, _honest(1));
        _seal(2, lie);
        _propose(0);
        _openAll();
        _expectPhase(Phase.Challenge);
        vm.prank(watcher);
        task.question{value: t.challengeBond}(2, lie.root, lie.contentId, 5, 0, lie.root, new bytes32[](0));
        vm.warp(block.timestamp + t.responseWindow);
        Preimages.At memory at = Preimages.At(address(task), 1, 0, watcher);
        task.expire(Preimages.question(at, 2, 5, 0));
        _finalise();
        vm.assertEq(task.miner(2).deposit, 0, "refuted");
        vm.assertEq(task.withdrawable(watcher), t.challengeBond + t.minerDeposit / 2, "bond and bounty");
        _withdraw(watcher);

        // A right result is challenged in vain: this bond is lost, and no other.
        _playToOpen();
        _openAll();
        vm.prank(watcher);
        task.commitChallenge{value: t.challengeBond}(0, keccak256("in vain"));
        uint256 burnt = task.burnt();
        _finalise();
        vm.assertEq(task.burnt() - burnt, t.challengeBond / 2, "half of one bond is burnt");
        _playRound();
        _expectEverybodyOut();
        vm.assertEq(_withdraw(watcher), 0, "nothing more");
    }
}
