// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskEvents} from "../../../contracts/interfaces/ITaskEvents.sol";
import {IReputation} from "../../../contracts/interfaces/IReputation.sol";
import {Opening, Phase, Reveal, Round, SignedCommit, State, Terms} from "../../../contracts/interfaces/TaskTypes.sol";
import {Scenario} from "../utils/Scenario.sol";
import {Vm} from "../utils/Test.sol";

/// @notice Corners of the life cycle that no row of the catalogue names.
contract EdgesTest is Scenario {
    // ------------------------------------------------------------------ few miners

    function test_oneMinerIsAMajority() public {
        Terms memory t = _defaultTerms();
        t.minerSlots = 1;
        t.rounds = 1;
        _start(t);
        _playRound();
        vm.assertEq(task.miner(0).earned, FEE, "the whole fee");
        _expectEverybodyOut();
    }

    /// @dev Two that disagree: no majority, nobody can be blamed, the inputs get their price.
    function test_twoMinersThatDisagreeVoidTheRound() public {
        Terms memory t = _defaultTerms();
        t.minerSlots = 2;
        _start(t);
        _playToSeal();
        _seal(0, _honest(0));
        _seal(1, _false(1));
        _propose(1);
        _openAll();
        _expectPhase(Phase.Finalise);
        vm.assertEq(task.status().attempt, 0, "nothing to be mined");
        _finalise();
        vm.assertEq(task.status().voidRounds, 1, "void");
        for (uint8 m; m < 2; ++m) vm.assertEq(task.miner(m).strikes, 0, "blamed");
        for (uint8 i; i < 4; ++i) vm.assertEq(task.trainer(i).earned, uint256(SAMPLES) * PRICE, "price");
    }

    /// @dev With `forkWindow` 0 a false block may come first, and the majority has none. It mines again, with the next
    /// attempt in the header, and its round is not lost.
    function test_falseFirstBlockIsMinedOver() public {
        Terms memory t = _defaultTerms();
        t.forkWindow = 0;
        _start(t);
        _playToSeal();
        _seal(0, _honest(0));
        _seal(1, _honest(1));
        _seal(2, _false(2));
        _propose(2);
        _openAll();
        _expectPhase(Phase.Mine);
        vm.assertEq(task.status().attempt, 1, "attempt");
        Opening memory lie = _sealed(2);
        vm.prank(miners[2]);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_WrongResult.selector, 2));
        task.propose(2, lie, 0);
        _propose(1);
        _expectPhase(Phase.Challenge);
        _finalise();
        vm.assertEq(task.head().blockHash, task.miner(1).blockHash, "head");
        vm.assertEq(task.status().voidRounds, 0, "void");
        vm.assertEq(task.miner(2).strikes, 1, "outvoted");
        vm.assertEq(task.miner(2).earned, 0, "unpaid");
    }

    /// @dev The same, and nobody mines again: the round is void, and the false block's miner answers for it until it
    /// is out.
    function test_falseFirstBlockCostsItsMinerAStrikeEachTime() public {
        Terms memory t = _defaultTerms();
        t.forkWindow = 0;
        t.rounds = 5;
        _start(t);
        for (uint256 round; round < 3; ++round) {
            _playToSeal();
            _seal(0, _honest(0));
            _seal(1, _honest(1));
            _seal(2, _false(2));
            _propose(2);
            _openAll();
            _finalise();
            vm.assertEq(task.miner(2).strikes, round + 1, "strikes");
            vm.assertEq(task.miner(0).strikes + task.miner(1).strikes, 0, "the majority did its part");
        }
        vm.assertEq(task.miner(2).deposit, 1 ether - 3 * uint256(terms.penalty), "penalties");
        vm.assertEq(task.status().round.activeMiners, 3, "out");
        _playRound();
        vm.assertNotEq(task.head().blockHash, 0, "and the task goes on");
    }

    /// @dev Two false blocks that agree against the only honest one are what T1 leaves to the coming fraud proof; they
    /// cost the honest miner a strike and the penalty, never its deposit.
    function test_outvotedHonestMinerLosesThePenaltyOnly() public {
        _start(_defaultTerms());
        _playToSeal();
        _seal(0, _honest(0));
        _seal(1, _false(1));
        _seal(2, _false(2));
        _propose(0);
        _propose(1);
        _openAll();
        _finalise();
        vm.assertEq(task.head().root, keccak256("false root"), "head");
        vm.assertEq(task.miner(0).deposit, 1 ether - terms.penalty, "deposit");
    }

    // ------------------------------------------------------------------ time

    /// @dev A whole task in one second: every phase ends when all have acted, nothing waits for the clock to move.
    function test_wholeTaskInOneSecond() public {
        Terms memory t = _defaultTerms();
        t.minWindow = 0;
        t.blockTime = 1;
        t.difficulty = 16;
        uint256 start = block.timestamp;
        _start(t);
        for (uint256 round; round < t.rounds; ++round) {
            _playToSeal();
            _sealAll();
            for (uint256 m; m < 3; ++m) _propose(m);
            _expectPhase(Phase.Finalise);
            _finalise();
        }
        vm.assertEq(block.timestamp, start, "time");
        _expectEverybodyOut();
    }

    /// @dev All act in the first second: the spans are 1, which is not 0, and the next phase starts there.
    function test_everybodyCommitsAndRevealsInTheFirstSecond() public {
        _start(_defaultTerms());
        uint256 start = block.timestamp;
        _commitAll();
        Round memory r = task.status().round;
        vm.assertEq(r.commitSpan, 1, "commit span");
        vm.assertEq(task.status().deadline, start + terms.revealWindow, "end of Reveal");
        _revealAll();
        r = task.status().round;
        vm.assertEq(r.revealSpan, 1, "reveal span");
        vm.assertEq(task.status().deadline, start + terms.checkWindow, "end of Check");
        _expectPhase(Phase.Check);
    }

    /// @dev The largest task: 128 trainers in two batches and one second, then the same by hand at the last moment.
    function test_128TrainersCloseBothPhases() public {
        Terms memory t = _defaultTerms();
        t.trainerSlots = 128;
        t.maxPrice = 1 ether;
        t.reward = 100 ether;
        _start(t);
        SignedCommit[] memory commits = new SignedCommit[](128);
        Reveal[] memory reveals = new Reveal[](128);
        for (uint256 i; i < 128; ++i) {
            commits[i] = _signed(i, _updateOf(i));
            reveals[i] = _relayed(i, _updateOf(i));
        }
        task.commitBatch(commits);
        _expectPhase(Phase.Reveal);
        task.revealBatch(reveals);
        _expectPhase(Phase.Check);
        Round memory r = task.status().round;
        vm.assertEq(r.revealed, type(uint128).max, "revealed");
        vm.assertEq(uint256(r.commits) << 8 | r.reveals, 128 << 8 | 128, "counted");
        vm.assertEq(uint256(r.commitSpan) << 24 | r.revealSpan, 1 << 24 | 1, "spans");
        for (uint8 i; i < 128; ++i) vm.assertEq(task.trainer(i).digest, bytes25(reveals[i].root), "root");

        _finalise(); // nobody checks, seals or mines: void
        uint256 start = block.timestamp;
        for (uint256 i; i < 127; ++i) _commit(i);
        vm.warp(start + t.commitWindow - 1);
        _commit(127);
        for (uint256 i; i < 127; ++i) _reveal(i);
        vm.warp(start + t.commitWindow - 1 + t.revealWindow - 1);
        _reveal(127);
        r = task.status().round;
        vm.assertEq(r.commitSpan, t.commitWindow, "commit span");
        vm.assertEq(r.revealSpan, t.commitWindow + t.revealWindow - 1, "reveal span");
        _expectPhase(Phase.Check);
    }

    /// @dev The longest windows there are, used to their last second, fit the spans' 24 bits.
    function test_spansHoldTheLongestWindows() public {
        Terms memory t = _defaultTerms();
        (t.commitWindow, t.revealWindow, t.checkWindow) = (30 days, 30 days, 30 days);
        for (uint256 i; i < 2; ++i) {
            _start(t);
            uint256 start = block.timestamp;
            uint256 last = i == 0 ? 4 : 3; // all commit, or the clock ends Commit
            for (uint256 k; k + 1 < last; ++k) _commit(k);
            vm.warp(start + 30 days - 1);
            _commit(last - 1);
            Round memory r = task.status().round;
            vm.assertEq(r.commitSpan, i == 0 ? 30 days : 0, "commit span");
            uint256 commitEnd = start + 30 days - (i == 0 ? 1 : 0);
            vm.warp(commitEnd);
            _expectPhase(Phase.Reveal);
            vm.assertEq(task.status().deadline, commitEnd + 30 days, "end of Reveal");
            for (uint256 k; k + 1 < last; ++k) _reveal(k);
            vm.warp(commitEnd + 30 days - 1);
            _reveal(last - 1);
            r = task.status().round;
            vm.assertEq(uint256(r.start) + r.revealSpan, block.timestamp + 1, "reveal span");
            _expectPhase(Phase.Check);
            vm.assertEq(task.status().deadline, block.timestamp + 30 days, "end of Check");
        }
    }

    /// @dev Commit and reveal read their windows by position: each ends with its own, whatever the others are.
    function test_commitAndRevealEndWithTheirOwnWindows() public {
        Terms memory t = _defaultTerms();
        (t.biddingWindow, t.commitWindow, t.revealWindow, t.checkWindow) = (61, 83, 67, 71);
        _start(t);
        uint256 start = block.timestamp;
        _commit(0);
        vm.warp(start + 82);
        _commit(1);
        bytes32 digest = _commitment(trainers[2], _updateOf(2));
        vm.warp(start + 83);
        vm.prank(trainers[2]);
        _expectWrongPhase(Phase.Reveal, Phase.Commit);
        task.commit(digest);
        SignedCommit[] memory late = new SignedCommit[](1);
        late[0] = _signed(2, _updateOf(2));
        _expectWrongPhase(Phase.Reveal, Phase.Commit);
        task.commitBatch(late);
        vm.warp(start + 83 + 66);
        _reveal(0);
        Update memory u = _updateOf(1);
        Reveal[] memory tooLate = new Reveal[](1);
        tooLate[0] = _relayed(1, u);
        vm.warp(start + 83 + 67);
        _expectWrongPhase(Phase.Finalise, Phase.Reveal); // one update is too few
        _reveal(1, u);
        _expectWrongPhase(Phase.Finalise, Phase.Reveal);
        task.revealBatch(tooLate);
    }

    /// @dev Nobody commits: there is nothing to reveal, and nothing to wait for.
    function test_nobodyCommitsSkipsReveal() public {
        _start(_defaultTerms());
        vm.warp(task.status().deadline);
        _expectPhase(Phase.Finalise);
        Update memory u = _updateOf(0);
        _expectWrongPhase(Phase.Finalise, Phase.Reveal);
        _reveal(0, u);
        _finalise();
        vm.assertEq(task.status().roundsLeft, terms.rounds, "it does not count");
    }

    /// @dev After the end, and before the first round, both calls name the phase.
    function test_noUpdatesOutsideOfRounds() public {
        Terms memory t = _defaultTerms();
        t.rounds = 1;
        _deploy(0);
        _publish(t);
        _expectWrongPhase(Phase.Bidding, Phase.Commit);
        task.commit("digest");
        _fill();
        _expectWrongPhase(Phase.Select, Phase.Reveal);
        task.reveal(0, 0, 1, 0, 0);
        _select();
        _playRound();
        vm.prank(trainers[0]);
        _expectWrongPhase(Phase.Closed, Phase.Commit);
        task.commit("digest");
        vm.prank(trainers[0]);
        _expectWrongPhase(Phase.Closed, Phase.Reveal);
        task.reveal(0, 0, 1, 0, 0);
    }

    /// @dev Unanimity shortens the window to `minWindow`; one that disagrees keeps it full.
    function test_windowAfterUnanimityAndWithoutIt() public {
        for (uint256 i; i < 2; ++i) {
            _start(_defaultTerms());
            _playToSeal();
            for (uint256 m; m < 3; ++m) _seal(m, i == 1 && m == 2 ? _false(m) : _honest(m));
            _propose(0);
            uint256 proposed = block.timestamp;
            _openAll();
            uint256 window = i == 0 ? terms.minWindow : terms.challengeWindow;
            vm.warp(proposed + window - 1);
            _expectPhase(Phase.Challenge);
            vm.warp(proposed + window);
            _expectPhase(Phase.Finalise);
        }
    }

    /// @dev The opening that completes unanimity finalises when `minWindow` has passed; wrong medians beside it spoil
    /// nothing but that.
    function test_lastOpeningFinalises() public {
        for (uint256 i; i < 2; ++i) {
            Terms memory t = _defaultTerms();
            t.minWindow = 0;
            _start(t);
            _playToOpen();
            _toOpen();
            _open(1);
            uint256[] memory medians = new uint256[](1);
            for (uint256 k; k < 4; ++k) medians[0] |= uint256(40_000) << (16 * k);
            Opening memory last = _honest(2);
            vm.prank(miners[2]);
            task.open(2, last, medians, i == 0 ? 40_000 : 1);
            if (i == 0) {
                vm.assertEq(_round(), 2, "next round");
            } else {
                _expectPhase(Phase.Finalise);
                vm.assertEq(task.status().round.openers, 7, "opened all the same");
                _finalise();
            }
            vm.assertEq(task.miner(2).earned, FEE / 6, "paid");
        }
    }

    /// @dev With whatever gas: it fails as a whole or it finalises, so that an estimate cannot settle for half of it.
    function test_lastOpeningNeverSucceedsWithoutItsFinalise() public {
        Terms memory t = _defaultTerms();
        t.minWindow = 0;
        _start(t);
        _playToOpen();
        _toOpen();
        _open(1);
        uint256[] memory medians = new uint256[](1);
        for (uint256 k; k < 4; ++k) medians[0] |= uint256(40_000) << (16 * k);
        bytes memory call = abi.encodeCall(task.open, (2, _honest(2), medians, 40_000));
        bool ok;
        for (uint256 gas = 50_000; !ok; gas += 10_000) {
            vm.prank(miners[2]);
            (ok,) = address(task).call{gas: gas}(call);
        }
        vm.assertEq(_round(), 2, "opened, not finalised");
    }

    // ------------------------------------------------------------------ seats

    /// @dev Who is no trainer, and a seat that does not exist, are refused by name.
    function test_strangersHaveNoSeat() public {
        _start(_defaultTerms());
        bytes memory noTrainer = abi.encodeWithSelector(ITaskEvents.LearningTask_NotTrainer.selector, address(this));
        vm.expectRevert(noTrainer);
        task.commit(keccak256("digest"));
        _commitAll();
        vm.expectRevert(noTrainer);
        task.reveal(0, 0, 1, 0, 0);
        Reveal[] memory relayed = new Reveal[](1);
        relayed[0].trainer = address(this);
        vm.expectRevert(noTrainer);
        task.revealBatch(relayed);
        _revealAll();
        for (uint8 seat; seat < 5; ++seat) {
            vm.expectRevert(
                abi.encodeWithSelector(ITaskEvents.LearningTask_NotYourSeat.selector, address(this), seat)
            );
            task.check(seat, 0);
        }
    }

    // ------------------------------------------------------------------ ends

    /// @dev Nothing was burnt: the end says nothing of burns.
    function test_endWithoutBurns() public {
        Terms memory t = _defaultTerms();
        t.rounds = 1;
        _start(t);
        vm.recordLogs();
        _playRound();
        Vm.Log[] memory logs = vm.getRecordedLogs();
        bool completed;
        for (uint256 i; i < logs.length; ++i) {
            vm.assertNotEq(logs[i].topics[0], ITaskEvents.Burnt.selector, "burnt");
            if (logs[i].topics[0] == ITaskEvents.TaskCompleted.selector) completed = true;
        }
        vm.assertTrue(completed, "completed");
    }

    /// @dev All trainers are struck out in the last round: it still ends as a completed task.
    function test_everybodyStruckOutInTheLastRound() public {
        Terms memory t = _defaultTerms();
        t.rounds = 1;
        t.maxStrikes = 1;
        _start(t);
        _playToCheck();
        _checkAll(_verdicts(ALL, COPY));
        _finalise();
        vm.assertEq(uint256(task.status().state), uint256(State.Completed), "state");
        uint256 price = uint256(SAMPLES) * PRICE;
        vm.assertEq(task.burnt(), 4 * (price + t.penalty), "burnt");
        vm.assertEq(task.withdrawable(publisher), t.reward - 4 * price, "the surplus rolled over to the end");
        _expectEverybodyOut();
        for (uint256 i; i < 4; ++i) vm.assertEq(registry.trainerQuality(trainers[i]), 0, "no trust earned");
    }

    /// @dev Too few trainers left for `minUpdates` in the middle of a task: aborted, what was earned stays earned.
    function test_tooFewTrainersLeftAbortsWithRefunds() public {
        Terms memory t = _defaultTerms();
        t.minUpdates = 2;
        t.maxStrikes = 1;
        _start(t);
        _commit(0);
        vm.warp(task.status().deadline);
        _reveal(0);
        _finalise();
        vm.assertEq(uint256(task.status().state), uint256(State.Aborted), "state");
        vm.assertEq(task.trainer(0).earned, uint256(SAMPLES) * PRICE, "earned");
        vm.assertEq(task.withdrawable(publisher), t.reward - uint256(SAMPLES) * PRICE, "refund");
        _expectEverybodyOut();
    }

    /// @dev Target reached in the last round: early or not, the books close.
    function test_earlyEndInTheLastRound() public {
        Terms memory t = _defaultTerms();
        t.rounds = 2;
        t.targetAccuracy = 9000;
        t.earlyBonus = 10_000;
        _start(t);
        _playRound();
        _playRound();
        vm.assertEq(uint256(task.status().state), uint256(State.Completed), "state");
        _expectEverybodyOut();
    }

    /// @dev More voids than allowed: aborted although rounds are left.
    function test_tooManyVoidRoundsAbort() public {
        Terms memory t = _defaultTerms();
        t.maxVoidRounds = 0;
        _start(t);
        _commitAll();
        _finalise();
        vm.assertEq(uint256(task.status().state), uint256(State.Aborted), "state");
        _expectEverybodyOut();
    }

    // ------------------------------------------------------------------ registry

    /// @dev A record that is full, by whatever means, does not stop the next task of its owner.
    function test_fullReputationRecordDoesNotStopATask() public {
        Terms memory t = _defaultTerms();
        t.rounds = 1;
        _start(t);
        IReputation.Service[] memory full = new IReputation.Service[](1);
        full[0] = IReputation.Service(miners[0], false, type(uint96).max, type(uint96).max);
        vm.prank(address(task));
        registry.recordRound(full);
        _playRound();
        vm.assertEq(registry.minerRecord(miners[0]).offered, type(uint96).max, "offered");
        _expectEverybodyOut();
    }

    /// @dev n/m and s/t of the paper over two tasks, and both in the next selection.
    function test_reputationFollowsTheRecord() public {
        _start(_defaultTerms());
        _playRound();
        _playRound();
        _playRound();
        vm.assertEq(registry.minerRecord(miners[0]).accepted, 3, "n");
        vm.assertEq(registry.minerRecord(miners[1]).served, 3, "m");
        uint256 perBlock = FEE / 2 + FEE / 6;
        vm.assertEq(registry.minerRecord(miners[0]).received, 3 * perBlock, "s");
        vm.assertEq(registry.minerRecord(miners[0]).offered, 3 * FEE, "t");
        vm.assertEq(registry.minerReputation(miners[0]), 3 * perBlock * 65_535 / (3 * FEE), "the smaller of both");
        vm.assertEq(registry.minerReputation(miners[1]), 0, "no block yet");
        uint256 quality = task.trainer(0).quality;
        vm.assertEq(registry.trainerQuality(trainers[0]), quality / 2, "half-way from unknown");

        // The known miner wins the tie for the last slot although it bids last.
        Terms memory t = _defaultTerms();
        t.minerSlots = 1;
        t.closeWhenFull = false;
        address known = miners[0];
        _publish(t);
        for (uint256 i; i < 4; ++i) _bidTrainer(_trainerName(i), SAMPLES, PRICE);
        _bidMiner(_minerName(8), FEE);
        _bidMiner(known, FEE);
        _select();
        vm.assertEq(miners[0], known, "miner");
    }
}
