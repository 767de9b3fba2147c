// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskEvents} from "../../../contracts/interfaces/ITaskEvents.sol";
import {Opening, Phase, State, Terms} from "../../../contracts/interfaces/TaskTypes.sol";
import {Medians} from "../utils/Medians.sol";
import {Scenario} from "../utils/Scenario.sol";
import {Vm} from "../utils/Test.sol";

/// @notice What a majority of the miners can and cannot do.
contract VotesTest is Scenario {
    using Medians for uint256[];

    // ------------------------------------------------------------------ D14

    function test_D14_ownVerdictOnOwnUpdateIsNotCounted() public {
        _startWithDoubleRole(3);
        _playToCheck();
        _check(0, _verdicts(1, COPY)); // itself: not counted against it either
        _check(1, _verdicts(1, COPY));
        vm.assertEq(task.inputs(), 15, "one foreign verdict is no majority of three");
        _check(0, _verdicts(0, OK)); // praise does not outweigh the others
        _check(2, _verdicts(1, COPY));
        vm.assertEq(task.inputs(), 14, "two foreign ones are");
    }

    function test_D14_ownScoreIsLeftOutOfTheMedian() public {
        _startWithDoubleRole(3);
        _playToSeal();
        uint256[3] memory given = [uint256(65_535), 30_000, 31_000];
        for (uint256 m; m < 3; ++m) {
            Opening memory o = _honest(m);
            o.scores.setLane(0, given[m]);
            _seal(m, o);
        }
        _propose(0);
        _openAll();
        _toPhase(Phase.Finalise);

        (uint256[] memory medians, uint16 middle) = _medians();
        vm.assertEq(medians.lane(0), 30_000, "the lower of the two others");
        medians.setLane(0, 31_000); // what it would be with the own score counted
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_WrongMedian.selector, 0));
        task.finalise(medians, middle);
        _finalise();
    }

    /// @dev The only miner's own update: nobody else scores it, so nobody denies it its price, and it gets no share
    /// of the surplus on its own word.
    function test_D14_soleMinersOwnUpdateIsPaidItsPriceOnly() public {
        _startWithDoubleRole(1);
        scoreOf[0] = 65_535;
        _playRound();
        vm.assertEq(task.trainer(0).earned, uint256(SAMPLES) * PRICE, "price");
        vm.assertEq(task.trainer(0).strikes, 0, "strikes");
        vm.assertEq(task.trainer(0).quality, terms.startQuality, "quality");
        vm.assertGt(task.trainer(1).earned, uint256(SAMPLES) * PRICE, "the others share the surplus");
        vm.assertEq(task.burnt(), 0, "burnt");
    }

    // ------------------------------------------------------------------ D20

    /// @dev The publisher's miners let the trainers reveal and stall, each time in a later phase: the inputs get their
    /// price, the miners strikes and, for what is provable, a slash; the third time they are out.
    function test_D20_stallingMinersYieldNoFreeModel() public {
        _start(_defaultTerms());
        uint256 price = uint256(SAMPLES) * PRICE;

        _playToCheck(); // no verdict, no seal
        _finalise();
        for (uint8 i; i < 4; ++i) vm.assertEq(task.trainer(i).earned, price, "round 1");
        for (uint8 m; m < 3; ++m) vm.assertEq(task.miner(m).deposit, 0.75 ether, "not sealed");

        _playToSeal();
        _sealAll(); // no block
        _finalise();
        for (uint8 i; i < 4; ++i) vm.assertEq(task.trainer(i).earned, 2 * price, "round 2");
        for (uint8 m; m < 3; ++m) vm.assertEq(task.miner(m).deposit, 0.75 ether, "no proof against anyone");

        _playToSeal();
        _sealAll();
        _propose(0); // nobody else opens
        _finalise();
        for (uint8 i; i < 4; ++i) vm.assertEq(task.trainer(i).earned, 3 * price, "round 3");
        vm.assertEq(task.miner(0).deposit, 0.75 ether, "opened");
        vm.assertEq(task.miner(0).strikes, 2, "two failures");
        for (uint8 m = 1; m < 3; ++m) {
            vm.assertEq(task.miner(m).deposit, 0.5 ether, "not opened");
            vm.assertEq(task.miner(m).strikes, 3, "out");
        }
        for (uint8 m; m < 3; ++m) vm.assertEq(task.miner(m).earned, 0, "no block, no fee");
        vm.assertEq(task.head().blockHash, 0, "no model");
        vm.assertEq(task.withdrawable(publisher), terms.reward - 12 * price, "void rounds count as rounds");
        _expectEverybodyOut();
    }

    /// @dev Struck out, all of them, before the rounds are over: the task is aborted and refunds the rest.
    function test_D20_noMinersLeftAbortsTheTask() public {
        Terms memory t = _defaultTerms();
        t.maxStrikes = 1;
        _start(t);
        _playToCheck();
        _finalise();
        vm.assertEq(uint256(task.status().state), uint256(State.Aborted), "state");
        vm.assertEq(task.withdrawable(publisher), t.reward - 4 * uint256(SAMPLES) * PRICE, "refund");
        _expectEverybodyOut();
    }

    // ------------------------------------------------------------------ D21

    function test_D21_condemningByVerdictPaysNobody() public {
        _expectNobodyGains(3, true);
    }

    /// @dev One is condemned here: a majority that scores half of the trainers down moves the median itself, and then
    /// all are paid their price and the surplus follows the scores (T2 in the threat model).
    function test_D21_condemningByScorePaysNobody() public {
        _expectNobodyGains(1, false);
    }

    /// @dev Against a twin task in which all are honest: the condemned lose the round's pay and a small penalty, the
    /// burn is exactly that, and nobody else has a wei more.
    function _expectNobodyGains(uint256 seats, bool byVerdict) private {
        _start(_defaultTerms());
        _playRound();
        uint256 pay = task.trainer(0).earned;
        uint256 pool = task.pool();
        uint256 fees = task.miner(0).earned;

        _start(_defaultTerms());
        _playToCheck();
        for (uint256 m; m < 3; ++m) _check(m, _verdicts(byVerdict && m < 2 ? seats : 0, COPY));
        for (uint256 m; m < 3; ++m) {
            Opening memory o = _honest(m);
            for (uint256 i; i < 4; ++i) {
                if (seats >> i & 1 != 0 && (byVerdict || m < 2)) o.scores.setLane(i, 0);
            }
            _seal(m, o);
        }
        _propose(0);
        _openAll();
        _finalise();

        uint256 deposit = uint256(SAMPLES) * terms.trainerDeposit;
        for (uint8 i; i < 4; ++i) {
            bool condemned = seats >> i & 1 != 0;
            vm.assertEq(task.trainer(i).earned, condemned ? 0 : pay, "pay");
            vm.assertEq(task.trainer(i).deposit, deposit - (condemned ? terms.penalty : 0), "safe from votes");
        }
        vm.assertEq(task.burnt(), _ones(seats) * (pay + terms.penalty), "burnt");
        vm.assertEq(task.pool(), pool, "publisher");
        vm.assertEq(task.miner(0).earned, fees, "miners");
    }

    // ------------------------------------------------------------------ D22

    /// @dev Two of three miners report the target from the first round on: it takes two rounds, and what they bring
    /// forward is a small bonus to the trainers and the return of the rest, nothing to themselves.
    function test_D22_earlyEndTakesTwoRoundsAndPaysASmallBonus() public {
        _startWithTarget();
        _playWithAccuracies(1000, 9500, 9500);
        _expectPhase(Phase.Commit);

        uint256 pool = task.pool();
        uint256 budget = (pool - 9 * FEE) / 9;
        _playWithAccuracies(1000, 9500, 9500);
        vm.assertEq(uint256(task.status().state), uint256(State.Completed), "early end");
        uint256 bonus = (pool - FEE - budget) / 5;
        uint256 paid = (budget + bonus) / 4 * 4 + FEE / 2 + 3 * uint256(FEE / 6);
        vm.assertEq(task.withdrawable(publisher), pool - paid, "the rest returns");
        for (uint8 m; m < 3; ++m) {
            uint256 shares = 2 * uint256(FEE / 6) + (m == 0 ? FEE : 0);
            vm.assertEq(task.miner(m).earned, shares, "two blocks' fees and no more");
        }
        _expectEverybodyOut();
    }

    function test_D22_oneLiarOrOneGoodRoundEndsNothing() public {
        _startWithTarget();
        _playWithAccuracies(1000, 1000, 9500); // one of three
        _playWithAccuracies(1000, 1000, 9500);
        _playWithAccuracies(9500, 9500, 9500); // once
        _playWithAccuracies(8999, 8999, 8999); // and not again
        _playWithAccuracies(9500, 9500, 9500);
        _playToCheck(); // a void round is between
        _finalise();
        _playWithAccuracies(9500, 9500, 9500);
        _expectPhase(Phase.Commit);
        vm.assertEq(task.status().roundsLeft, 3, "rounds left");
        _playWithAccuracies(9000, 9000, 9500);
        _expectPhase(Phase.Closed);
    }

    // ------------------------------------------------------------------ medians

    /// @dev Scores for another number of trainers are refused with both numbers: none where nothing was judged.
    function test_mediansForOthersAreRefused() public {
        _start(_defaultTerms());
        _playToCheck(); // nobody seals
        _toPhase(Phase.Finalise);
        _expectWrongScores(1, 0);
        _expectWrongScores(2, 0);
        _finalise();
        vm.assertEq(task.status().voidRounds, 1, "void");
        _playToOpen();
        _openAll();
        _toPhase(Phase.Finalise);
        _expectWrongScores(0, 1);
        _expectWrongScores(2, 1);
        _finalise();
        vm.assertEq(_round(), 3, "final");
    }

    function _expectWrongScores(uint256 actual, uint256 required) private {
        uint256[] memory medians = new uint256[](actual);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_WrongScores.selector, actual, required));
        task.finalise(medians, 0);
    }

    /// @dev Every median is exact, of a rejected update nothing, and the middle one, too: the first wrong one is named.
    function test_everyWrongMedianIsNamed() public {
        _start(_defaultTerms());
        for (uint256 i; i < 4; ++i) scoreOf[i] = uint16(10_000 * (i + 1));
        _playToCheck();
        _checkAll(_verdicts(1 << 2, COPY));
        _sealAll();
        _propose(0);
        _openAll();
        _toPhase(Phase.Finalise);
        (uint256[] memory medians, uint16 middle) = _medians();
        vm.assertEq(medians.lane(2), 0, "rejected");
        vm.assertEq(middle, 20_000, "middle");
        for (uint8 i; i < 4; ++i) {
            uint256 right = medians.lane(i);
            _expectWrongMedian(i, medians, i, right + 1, middle);
            if (right != 0) _expectWrongMedian(i, medians, i, right - 1, middle);
        }
        _expectWrongMedian(4, medians, 0, medians.lane(0), middle + 1);
        _expectWrongMedian(4, medians, 0, medians.lane(0), middle - 1);
        _expectWrongMedian(4, medians, 0, medians.lane(0), 10_000);
        _expectWrongMedian(4, medians, 0, medians.lane(0), 40_000);
        task.finalise(medians, middle);
        vm.assertEq(_round(), 2, "final");
    }

    /// @dev Thirty-three trainers fill two words of scores, and a lane of a third; miners disagree on all of them.
    function test_mediansBeyondOneWord() public {
        Terms memory t = _defaultTerms();
        (t.trainerSlots, t.payScore) = (33, 0);
        _start(t);
        _playToSeal();
        for (uint256 m; m < 3; ++m) {
            Opening memory o = _honest(m);
            for (uint256 i; i < 33; ++i) o.scores.setLane(i, uint16(uint256(keccak256(abi.encode(m, i)))) | 1);
            _seal(m, o);
        }
        _propose(0);
        _openAll();
        _toPhase(Phase.Finalise);
        (uint256[] memory medians, uint16 middle) = _medians();
        vm.assertEq(medians.length, 3, "words");
        for (uint8 i; i < 33; ++i) _expectWrongMedian(i, medians, i, medians.lane(i) - 1, middle);
        _expectWrongMedian(33, medians, 0, medians.lane(0), middle - 1);
        uint256 surplus = (t.reward - 3 * FEE) / 3 - 33 * uint256(SAMPLES) * PRICE;
        uint256 sum;
        for (uint8 i; i < 33; ++i) sum += medians.lane(i);
        task.finalise(medians, middle);
        for (uint8 i; i < 33; ++i) {
            vm.assertEq(task.trainer(i).earned, uint256(SAMPLES) * PRICE + surplus * medians.lane(i) / sum, "pay");
        }
    }

    /// @dev The target itself is enough, twice in a row.
    function test_targetIsReachedByItself() public {
        _startWithTarget();
        _playWithAccuracies(9000, 9000, 9000);
        _expectPhase(Phase.Commit);
        _playWithAccuracies(9000, 9000, 9000);
        vm.assertEq(uint256(task.status().state), uint256(State.Completed), "state");
        vm.assertEq(task.status().roundsLeft, 8, "rounds left");
    }

    /// @dev In a void round nobody was scored: qualities stay, and so they do where the round's inputs are too few.
    function test_voidRoundsTeachNothing() public {
        _start(_defaultTerms());
        _playToCheck(); // nobody seals
        _finalise();
        for (uint8 i; i < 4; ++i) vm.assertEq(task.trainer(i).quality, terms.startQuality, "void");
        _playToCheck();
        _checkAll(_verdicts(7, COPY)); // one input is left of the two that a round needs
        _finalise();
        vm.assertEq(task.status().voidRounds, 2, "void");
        for (uint8 i; i < 4; ++i) {
            uint256 quality = i < 3 ? terms.startQuality - terms.startQuality / 2 : terms.startQuality;
            vm.assertEq(task.trainer(i).quality, quality, "rejected: half");
            vm.assertEq(task.trainer(i).strikes, i < 3 ? 1 : 0, "strikes");
        }
    }

    /// @dev As many updates as a round needs, and no more: miners answer for it as for any other.
    function test_minersAnswerForTheSmallestRound() public {
        Terms memory t = _defaultTerms();
        (t.minTrainers, t.minUpdates) = (4, 4);
        _start(t);
        _playToSeal();
        for (uint256 m; m < 2; ++m) _seal(m, _honest(m));
        _toPhase(Phase.Mine);
        _propose(0);
        _openAll();
        _finalise();
        vm.assertEq(task.miner(2).deposit, 0.75 ether, "did not seal");
        vm.assertEq(task.miner(2).strikes, 1, "strikes");
        vm.assertEq(task.status().voidRounds, 0, "final");
    }

    function _expectWrongMedian(
        uint8 named,
        uint256[] memory medians,
        uint256 i,
        uint256 value,
        uint16 middle
    ) private {
        uint256 right = medians.lane(i);
        medians.setLane(i, value);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_WrongMedian.selector, named));
        task.finalise(medians, middle);
        medians.setLane(i, right);
    }

    /// @dev The block's accuracy is the lower median of what its openers found, in whatever order they sit.
    function test_accuracyIsTheLowerMedian() public {
        Terms memory t = _defaultTerms();
        t.rounds = 7;
        _start(t);
        uint16[3][6] memory found = [
            [uint16(9000), 8000, 7000],
            [uint16(9000), 7000, 8000],
            [uint16(8000), 9000, 7000],
            [uint16(8000), 7000, 9000],
            [uint16(7000), 9000, 8000],
            [uint16(7000), 8000, 9000]
        ];
        for (uint256 k; k < 6; ++k) {
            vm.recordLogs();
            _playWithAccuracies(found[k][0], found[k][1], found[k][2]);
            vm.assertEq(_accuracy(), 8000, "median");
        }
        // Two openers: the lower one, wherever it sits.
        _playToSeal();
        for (uint256 m; m < 3; ++m) {
            accuracy = uint16(9000 - 1000 * m);
            _seal(m, m == 0 ? _false(0) : _honest(m));
        }
        _propose(1);
        _openAll();
        vm.recordLogs();
        _finalise();
        vm.assertEq(_accuracy(), 7000, "lower of two");
    }

    /// @dev Of the last block, by the logs since recording began.
    function _accuracy() private returns (uint16 found) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] != ITaskEvents.RoundFinalised.selector) continue;
            (,, found,) = abi.decode(logs[i].data, (bytes32, bytes32, uint16, uint256[]));
        }
    }

    /// @dev A score that is the quality changes nothing, and says nothing; another moves it, and says so once.
    function test_qualityFollowsScores() public {
        Terms memory t = _defaultTerms();
        _start(t);
        (scoreOf[0], scoreOf[1], scoreOf[2], scoreOf[3]) = (t.startQuality, 40_768, 30_768, 32_775);
        vm.recordLogs();
        _playRound();
        vm.assertEq(task.trainer(0).quality, 32_768, "as it was");
        vm.assertEq(task.trainer(1).quality, 33_768, "an eighth up");
        vm.assertEq(task.trainer(2).quality, 31_768, "half-way down");
        vm.assertEq(task.trainer(3).quality, 32_768, "too little to tell");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 said;
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] == ITaskEvents.QualityChanged.selector) said |= 1 << uint256(logs[i].topics[2]);
        }
        vm.assertEq(said, 6, "who changed");
    }

    // ------------------------------------------------------------------ strikes

    /// @dev Who is out is left alone: no further strike, slash or word about it in the rounds that follow.
    function test_whoIsOutIsNotStruckAgain() public {
        Terms memory t = _defaultTerms();
        (t.maxStrikes, t.rounds) = (1, 4);
        _start(t);
        for (uint256 i; i < 3; ++i) _commit(i);
        _toPhase(Phase.Reveal);
        for (uint256 i; i < 3; ++i) _reveal(i);
        _checkAll(_verdicts(0, OK));
        for (uint256 m; m < 2; ++m) _seal(m, _honest(m));
        _toPhase(Phase.Mine);
        _propose(0);
        _openAll();
        _finalise();
        vm.assertEq(task.trainer(3).strikes, 1, "trainer out");
        vm.assertEq(task.miner(2).strikes, 1, "miner out");
        vm.assertEq(uint256(task.status().round.activeTrainers) << 8 | task.status().round.activeMiners, 0x303, "left");
        vm.recordLogs();
        for (uint256 round; round < 3; ++round) {
            _playToCheck();
            vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_StruckOut.selector, 2));
            vm.prank(miners[2]);
            task.check(2, 0);
            _checkAll(_verdicts(0, OK));
            _sealAll();
            _propose(0);
            _openAll();
            _finalise();
        }
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            bytes32 topic = logs[i].topics[0];
            bool blames = topic == ITaskEvents.Struck.selector || topic == ITaskEvents.StruckOut.selector
                || topic == ITaskEvents.Slashed.selector;
            vm.assertTrue(!blames, "blamed again");
        }
        vm.assertEq(task.trainer(3).strikes, 1, "trainer");
        vm.assertEq(task.miner(2).strikes, 1, "miner");
        vm.assertEq(task.miner(2).deposit, 0.75 ether, "slashed once");
        _expectEverybodyOut();
    }

    // ------------------------------------------------------------------ helpers

    /// @dev Trainer seat 0 and miner seat 0 are the same account.
    function _startWithDoubleRole(uint8 minerSlots) private {
        Terms memory t = _defaultTerms();
        t.minerSlots = minerSlots;
        _deploy(0);
        _publish(t);
        for (uint256 i; i < 4; ++i) _bidTrainer(_trainerName(i), SAMPLES, PRICE);
        _bidMiner(_trainerName(0), FEE);
        for (uint256 m = 1; m < minerSlots; ++m) _bidMiner(_minerName(m), FEE);
        _select();
    }

    function _startWithTarget() private {
        Terms memory t = _defaultTerms();
        t.rounds = 10;
        t.targetAccuracy = 9000;
        _start(t);
    }

    function _playWithAccuracies(uint16 a, uint16 b, uint16 c) private {
        _playToSeal();
        uint16[3] memory reported = [a, b, c];
        for (uint256 m; m < 3; ++m) {
            accuracy = reported[m];
            _seal(m, _honest(m));
        }
        _propose(0);
        _openAll();
        _finalise();
    }
}
