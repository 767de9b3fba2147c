// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {ITaskEvents} from "../../../contracts/interfaces/ITaskEvents.sol";
import {
    Opening,
    Phase,
    Reveal,
    SignedCommit,
    Stage,
    State,
    Terms,
    Trainer
} from "../../../contracts/interfaces/TaskTypes.sol";
import {Medians} from "../utils/Medians.sol";
import {Preimages} from "../utils/Preimages.sol";
import {Scenario} from "../utils/Scenario.sol";
import {Vm} from "../utils/Test.sol";

/// @notice Commit, reveal and check against lazy trainers.
contract UpdatesTest is Scenario {
    using Medians for uint256[];

    uint256 private _deposit;

    function setUp() public {
        _start(_defaultTerms());
        _deposit = uint256(SAMPLES) * terms.trainerDeposit;
    }

    // ------------------------------------------------------------------ events

    /// @dev What was committed and revealed is in the logs to the last bit, one by one as in batches.
    function test_logsAreWhatWasCommittedAndRevealed() public {
        _start(_defaultTerms());
        Update[] memory updates = new Update[](4);
        for (uint256 i; i < 4; ++i) updates[i] = _updateOf(i);
        vm.recordLogs();
        for (uint256 i; i < 2; ++i) _commit(i, updates[i]);
        SignedCommit[] memory commits = new SignedCommit[](2);
        for (uint256 i; i < 2; ++i) commits[i] = _signed(2 + i, updates[2 + i]);
        task.commitBatch(commits);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, 4, "commitments");
        for (uint256 i; i < 4; ++i) {
            bytes32 digest = _commitment(trainers[i], updates[i]);
            _expectLog(logs[i], ITaskEvents.Committed.selector, i, abi.encode(digest));
        }
        for (uint256 i; i < 2; ++i) _reveal(i, updates[i]);
        Reveal[] memory reveals = new Reveal[](2);
        for (uint256 i; i < 2; ++i) reveals[i] = _relayed(2 + i, updates[2 + i]);
        task.revealBatch(reveals);
        logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, 4, "reveals");
        for (uint256 i; i < 4; ++i) _expectLog(logs[i], ITaskEvents.Revealed.selector, i, abi.encode(updates[i]));
    }

    function _expectLog(Vm.Log memory log, bytes32 kind, uint256 seat, bytes memory data) private view {
        vm.assertEq(log.emitter, address(task), "emitter");
        vm.assertEq(log.topics.length, 3, "topics");
        vm.assertEq(log.topics[0], kind, "kind");
        vm.assertEq(uint256(log.topics[1]), 1, "round");
        vm.assertEq(uint256(log.topics[2]), seat, "seat");
        vm.assertEq(keccak256(log.data), keccak256(data), "data");
    }

    // ------------------------------------------------------------------ A09

    /// @dev Signed for another task with the same people, another round, chain or contract: recovers some stranger here.
    function test_A09_signatureFitsOneTaskRoundChainAndContract() public {
        address first = address(task);
        SignedCommit memory elsewhere = _signed(0, _updateOf(0)); // never used there
        _start(_defaultTerms());
        vm.assertTrue(address(task) != first && trainers[0] == _trainerName(0), "a twin task");
        _expectForeign(elsewhere);

        bytes32 digest = _commitment(trainers[0], _updateOf(0));
        _expectForeign(_signedFor(address(task), 2, digest));
        _expectForeign(_signedFor(factory.implementation(), 1, digest));
        _expectForeign(_signedFor(task.blocks(), 1, digest));
        _expectForeign(_signedFor(address(factory), 1, digest));
        uint256 chain = block.chainid;
        vm.chainId(chain + 1);
        SignedCommit memory otherChain = _signedFor(address(task), 1, digest);
        vm.chainId(chain);
        _expectForeign(otherChain);

        SignedCommit memory here = _signedFor(address(task), 1, digest);
        _relay(here);
        vm.assertEq(task.trainer(0).digest, bytes25(digest), "the right one is taken");
        for (uint256 i = 1; i < 4; ++i) _commit(i);
        _revealAll();
        _finishFromCheck(0, OK);
        vm.assertEq(_round(), 2, "round");
        _expectForeign(here); // used in the round before
        vm.assertEq(task.status().round.commits, 0, "commits");
    }

    /// @dev What is consumed is the trainer's commitment of the round, not the bytes of a signature: a replay, or a
    /// second message of the same signer, changes nothing.
    function test_A09_replayInTheSameRoundIsRefused() public {
        SignedCommit memory signed = _signed(0, _updateOf(0));
        SignedCommit memory second = _signed(0, _updateOf(1));
        _relay(signed);
        bytes memory already = abi.encodeWithSelector(ITaskEvents.LearningTask_AlreadyCommitted.selector, 0);
        vm.expectRevert(already);
        _relay(signed);
        vm.expectRevert(already);
        _relay(second);
        vm.prank(trainers[0]);
        vm.expectRevert(already);
        task.commit(second.digest);
        vm.assertEq(task.trainer(0).digest, bytes25(signed.digest), "the first stays");
        vm.assertEq(task.status().round.commits, 1, "commits");
    }

    /// @dev The other solution for s, the other parity, and signatures of no key.
    function test_A09_malleatedSignaturesAreRefused(uint256 seed) public {
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        Update memory u = _updateOf(0);
        u.salt = bytes32(seed);
        SignedCommit memory good = _signed(0, u);
        uint256 parity = uint256(good.vs) >> 255;
        uint256 s = uint256(good.vs) << 1 >> 1;
        vm.assertLe(s, order / 2, "low s");

        // n - s with the other parity is the same signer's; its top bit stands for the parity here.
        _expectForeign(SignedCommit(good.digest, good.r, bytes32(order - s)));
        _expectForeign(SignedCommit(good.digest, good.r, bytes32((1 - parity) << 255 | s)));
        _expectForeign(SignedCommit(bytes32(uint256(good.digest) ^ 1), good.r, good.vs));
        for (uint256 i; i < 2; ++i) {
            uint256 high = i == 0 ? order / 2 + 1 : _within(seed, order / 2 + 1, (1 << 255) - 1);
            vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, high));
            _relay(SignedCommit(good.digest, good.r, bytes32(parity << 255 | high)));
        }
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignature.selector));
        _relay(SignedCommit(good.digest, 0, good.vs));
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignature.selector));
        _relay(SignedCommit(good.digest, bytes32(order), good.vs));
        _relay(good);
    }

    /// @dev There is no room for a signature of another length.
    function test_A09_wrongLengthIsRefused() public {
        SignedCommit[] memory batch = new SignedCommit[](1);
        batch[0] = _signed(0, _updateOf(0));
        bytes memory call = abi.encodeCall(task.commitBatch, (batch));
        uint256[3] memory missing = [uint256(1), 32, 64];
        for (uint256 i; i < 3; ++i) {
            bytes memory short = new bytes(call.length - missing[i]);
            for (uint256 k; k < short.length; ++k) short[k] = call[k];
            (bool ok,) = address(task).call(short);
            vm.assertTrue(!ok, "short");
        }
        (bool whole,) = address(task).call(call);
        vm.assertTrue(whole, "the whole");
    }

    // ------------------------------------------------------------------ relays

    /// @dev Direct calls between the batches, in front of them too, spoil nothing; the last one closes the phase,
    /// whichever way it came.
    function test_batchesAndDirectCallsMix() public {
        _commit(1);
        SignedCommit[] memory commits = new SignedCommit[](4);
        for (uint256 i; i < 3; ++i) commits[i] = _signed(i, _updateOf(i));
        commits[3] = commits[0]; // twice in one batch
        vm.prank(_named("relay"));
        task.commitBatch(commits);
        vm.assertEq(task.status().round.commits, 3, "commits");
        _expectPhase(Phase.Commit);
        _expectSelector(
            abi.encodeCall(task.commitBatch, (commits)), ITaskEvents.LearningTask_AlreadyCommitted.selector
        );
        _commit(3);
        _expectPhase(Phase.Reveal);

        _reveal(2);
        Reveal[] memory reveals = new Reveal[](3);
        for (uint256 i; i < 3; ++i) reveals[i] = _relayed(i + 1, _updateOf(i + 1));
        vm.prank(_named("relay"));
        task.revealBatch(reveals);
        vm.assertEq(task.status().round.revealed, 14, "revealed");
        _expectSelector(
            abi.encodeCall(task.revealBatch, (reveals)), ITaskEvents.LearningTask_AlreadyRevealed.selector
        );
        vm.prank(trainers[1]);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_AlreadyRevealed.selector, 1));
        task.reveal(reveals[0].root, reveals[0].contentId, reveals[0].samples, 1500, reveals[0].salt);
        _reveal(0);
        _expectPhase(Phase.Check);
        _finishFromCheck(0, OK);
        for (uint8 i = 1; i < 4; ++i) vm.assertEq(task.trainer(i).earned, task.trainer(0).earned, "same pay");
    }

    /// @dev The batch closes the phase in its middle: what comes after is passed over, not refused.
    function test_batchThatClosesThePhase() public {
        SignedCommit[] memory commits = new SignedCommit[](6);
        for (uint256 i; i < 6; ++i) commits[i] = _signed(i % 4, _updateOf(i % 4));
        task.commitBatch(commits);
        _expectPhase(Phase.Reveal);
        Reveal[] memory reveals = new Reveal[](6);
        for (uint256 i; i < 6; ++i) reveals[i] = _relayed(i % 4, _updateOf(i % 4));
        task.revealBatch(reveals);
        _expectPhase(Phase.Check);
        vm.assertEq(task.status().round.revealed, 15, "revealed");
    }

    /// @dev A trainer that signs one commitment and runs ahead of the relay with another is held to the one that was
    /// there first; the others of the batch do not suffer. So is one that signs twice.
    function test_frontRunInsideABatch() public {
        Update memory other = _updateOf(0);
        other.salt = keccak256("other");
        SignedCommit[] memory commits = new SignedCommit[](5);
        for (uint256 i; i < 4; ++i) commits[i] = _signed(i, _updateOf(i));
        commits[4] = _signed(3, other);
        _commit(0, other);
        task.commitBatch(commits);
        _expectPhase(Phase.Reveal);

        Reveal[] memory reveals = new Reveal[](1);
        reveals[0] = _relayed(0, _updateOf(0));
        _expectWrongOpening(0);
        task.revealBatch(reveals);
        reveals[0] = _relayed(0, other);
        task.revealBatch(reveals);
        reveals[0] = _relayed(3, other);
        _expectWrongOpening(3);
        task.revealBatch(reveals);
        for (uint256 i = 1; i < 4; ++i) _reveal(i);
        _expectPhase(Phase.Check);
    }

    /// @dev What cannot be right is refused with the whole batch: a relay sees it before it sends.
    function test_wrongEntriesFailTheBatch() public {
        SignedCommit[] memory commits = new SignedCommit[](2);
        commits[0] = _signed(0, _updateOf(0));
        address stranger = _named("stranger");
        bytes32 message = Preimages.signedCommit(address(task), 1, "digest");
        commits[1] = _sign(stranger, "digest", message);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_NotTrainer.selector, stranger));
        task.commitBatch(commits);
        commits[1] = _sign(trainers[1], 0, Preimages.signedCommit(address(task), 1, 0));
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_EmptyDigest.selector));
        task.commitBatch(commits);
        vm.assertEq(task.status().round.commits, 0, "commits");

        for (uint256 i; i < 3; ++i) _commit(i);
        vm.warp(task.status().deadline);
        Reveal[] memory reveals = new Reveal[](2);
        reveals[0] = _relayed(0, _updateOf(0));
        reveals[1] = _relayed(3, _updateOf(3));
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_NoCommit.selector, 3));
        task.revealBatch(reveals);
        reveals[1] = _relayed(1, _updateOf(1));
        reveals[1].samples = 0;
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_TooFewSamples.selector, 0, 1));
        task.revealBatch(reveals);
        reveals[1].samples = SAMPLES + 1;
        _expectWrongOpening(1);
        task.revealBatch(reveals);
        vm.assertEq(task.status().round.reveals, 0, "reveals");
    }

    /// @dev A batch of nothing is refused like one that brings nothing new.
    function test_emptyBatchesAreRefusedByName() public {
        _expectNamed(abi.encodeCall(task.commitBatch, (new SignedCommit[](0))));
        _commitAll();
        _expectNamed(abi.encodeCall(task.revealBatch, (new Reveal[](0))));
    }

    /// @dev Out is out, by whatever way, and nobody waits for it: the round closes early without it.
    function test_struckOutTrainersAreNotWaitedFor() public {
        Terms memory t = _defaultTerms();
        t.maxStrikes = 1;
        _start(t);
        for (uint256 i; i < 3; ++i) _commit(i);
        vm.warp(task.status().deadline);
        for (uint256 i; i < 3; ++i) _reveal(i);
        _finishFromCheck(0, OK);
        vm.assertEq(task.status().round.activeTrainers, 3, "active");
        vm.assertEq(task.trainer(3).round, 0, "round");
        vm.assertEq(uint256(task.trainer(3).stage), uint256(Stage.None), "stage");

        bytes memory out = abi.encodeWithSelector(ITaskEvents.LearningTask_StruckOut.selector, 3);
        vm.prank(trainers[3]);
        vm.expectRevert(out);
        task.commit("digest");
        SignedCommit[] memory commits = new SignedCommit[](2);
        for (uint256 i; i < 2; ++i) commits[i] = _signed(2 + i, _updateOf(2 + i));
        vm.expectRevert(out);
        task.commitBatch(commits);
        _commitAll();
        _expectPhase(Phase.Reveal);
        Update memory u = _updateOf(3);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_NoCommit.selector, 3));
        _reveal(3, u);
        _revealAll();
        _expectPhase(Phase.Check);
        vm.assertEq(task.inputs(), 7, "inputs");
    }

    // ------------------------------------------------------------------ B01

    function test_B01_copiedCommitmentCannotBeOpened() public {
        for (uint256 i; i < 3; ++i) _commit(i);
        Update memory victims = _updateOf(0);
        bytes32 seen = _commitment(trainers[0], victims);
        vm.prank(trainers[3]);
        task.commit(seen);

        _reveal(0);
        _expectWrongOpening(3);
        _reveal(3, victims);
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
        _reveal(0, u);

        vm.warp(task.status().deadline);
        _reveal(0);
        bytes32 copy = _commitment(trainers[3], u);
        vm.prank(trainers[3]);
        _expectWrongPhase(Phase.Reveal, Phase.Commit);
        task.commit(copy);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_NoCommit.selector, 3));
        _reveal(3, u);
    }

    // ------------------------------------------------------------------ B03

    /// @dev The chain takes any root; that this one was somebody's of the round before is what the miners compare.
    /// Their verdict gives it no weight and no pay, and its trainer's quality falls.
    function test_B03_lastRoundsUpdateIsDroppedByTheVerdict() public {
        Update memory old = _updateOf(0);
        _playToCheck();
        _finishFromCheck(0, OK);
        uint256 earned = task.trainer(3).earned;
        uint256 quality = task.trainer(3).quality;

        Update memory copy = _updateOf(3);
        (copy.root, copy.contentId) = (old.root, old.contentId);
        for (uint256 i; i < 3; ++i) _commit(i);
        _commit(3, copy);
        for (uint256 i; i < 3; ++i) _reveal(i);
        _reveal(3, copy);
        vm.assertEq(task.trainer(3).digest, bytes25(old.root), "taken");
        _finishFromCheck(1 << 3, COPY);
        vm.assertEq(task.trainer(3).earned, earned, "not paid");
        vm.assertEq(task.trainer(3).quality, quality - quality / 2, "quality falls");
        vm.assertEq(task.trainer(3).strikes, 1, "struck");
        vm.assertGt(task.trainer(0).earned, earned, "the others are paid");
    }

    // ------------------------------------------------------------------ B04

    /// @dev Of two that are nearly the same the miners drop one: the pair is paid as one, and what the other would
    /// have had is burnt.
    function test_B04_nearDuplicatesArePaidAsOne() public {
        _playToCheck();
        _checkAll(_verdicts(1 << 3, COPY));
        vm.assertEq(task.inputs(), 7, "one of both");
        _finishFromSeal();
        vm.assertEq(task.trainer(2).earned + task.trainer(3).earned, task.trainer(0).earned, "the pay of one");
        vm.assertEq(task.burnt(), task.trainer(0).earned + terms.penalty, "burnt");
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
        Update memory guessed = _updateOf(0);
        guessed.salt = guess;
        _expectWrongOpening(0);
        _reveal(0, guessed);
        _expectWrongOpening(1);
        _reveal(1, u);
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
        _reveal(2, u);

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

    /// @dev Anybody relays; one entry.
    function _relay(SignedCommit memory signed) private {
        SignedCommit[] memory batch = new SignedCommit[](1);
        batch[0] = signed;
        task.commitBatch(batch);
    }

    /// @dev By trainer 0, for a message of another place.
    function _signedFor(address to, uint16 round, bytes32 digest) private view returns (SignedCommit memory) {
        return _sign(trainers[0], digest, Preimages.signedCommit(to, round, digest));
    }

    /// @dev It is valid for some key, but for no trainer's.
    function _expectForeign(SignedCommit memory signed) private {
        SignedCommit[] memory batch = new SignedCommit[](1);
        batch[0] = signed;
        _expectSelector(abi.encodeCall(task.commitBatch, (batch)), ITaskEvents.LearningTask_NotTrainer.selector);
    }

    function _expectSelector(bytes memory call, bytes4 selector) private {
        (bool ok, bytes memory why) = address(task).call(call);
        vm.assertTrue(!ok, "taken");
        vm.assertEq(bytes32(bytes4(why)), bytes32(selector), "refused by name");
    }

    function _expectNamed(bytes memory call) private {
        (bool ok, bytes memory why) = address(task).call(call);
        vm.assertTrue(!ok && why.length >= 4 && bytes4(why) != 0x4e487b71, "a panic is no name");
    }

    function _expectWrongOpening(uint8 seat) private {
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_WrongOpening.selector, seat));
    }

    function _expectUnpaid(uint8 seat) private view {
        Trainer memory tr = task.trainer(seat);
        vm.assertEq(tr.earned, 0, "paid");
        vm.assertEq(tr.strikes, 1, "strikes");
        vm.assertEq(tr.deposit, _deposit - terms.penalty, "the deposit loses the small penalty only");
    }
}
