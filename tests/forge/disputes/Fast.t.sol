// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IReputation} from "../../../contracts/interfaces/IReputation.sol";
import {ITaskEvents} from "../../../contracts/interfaces/ITaskEvents.sol";
import {Opening, Phase, Terms, Trainer} from "../../../contracts/interfaces/TaskTypes.sol";
import {Preimages} from "../utils/Preimages.sol";
import {Vm} from "../utils/Test.sol";
import {Disputing} from "./Disputing.sol";

/// @notice Blocks without a vote: D15. Miner 0 is trusted once it has won the first round.
contract FastTest is Disputing {
    function _ready() private {
        _ready(5000, 1000);
    }

    function _ready(uint16 fastBlocks, uint16 fastRewards) private {
        _winFirst(fastBlocks, fastRewards);
        _playToSeal();
    }

    function _winFirst(uint16 fastBlocks, uint16 fastRewards) private {
        Terms memory t = _disputed();
        t.rounds = 2;
        (t.fastBlocks, t.fastRewards) = (fastBlocks, fastRewards);
        _begin(t);
        _playLies(0, 0);
        _finalise();
    }

    /// @dev The hash of the chain's block that holds the fast block, as if it had come out like this.
    function _draw(bool drawn) private {
        uint256 held = task.status().round.fastBlock;
        vm.roll(held + 1);
        vm.setBlockhash(held, bytes32(uint256(drawn ? 8 : 9)));
    }

    /// @dev Final after the short window; paid by qualities; nobody else's record changes.
    function test_D15_fastBlockIsFinal() public {
        _ready();
        uint256[] memory earned = _earned();
        uint256 fee = task.miner(0).earned;
        IReputation.MinerRecord memory other = registry.minerRecord(miners[1]);
        _proposeFast(0, _honest(0));
        uint256 proposed = block.timestamp;
        _draw(false);
        _expectPhase(Phase.Challenge);
        vm.assertEq(task.status().deadline, proposed + terms.minWindow, "short window");
        uint256 budget = _budget();
        _finalise();
        _expectHead(_sealed(0).root);
        _expectPhase(Phase.Closed);
        vm.assertEq(task.miner(0).earned - fee, FEE, "the whole fee");
        IReputation.MinerRecord memory now_ = registry.minerRecord(miners[1]);
        vm.assertEq(now_.served, other.served, "others' records");
        vm.assertEq(now_.offered, other.offered, "others' offers");
        vm.assertEq(registry.minerRecord(miners[0]).accepted, 2, "accepted");
        vm.assertEq(registry.minerRecord(miners[0]).served, 2, "served");
        _expectPaidByQuality(earned, budget);
        _expectConserved();
    }

    function _earned() private view returns (uint256[] memory earned) {
        earned = new uint256[](trainers.length);
        for (uint8 i; i < earned.length; ++i) earned[i] = task.trainer(i).earned;
    }

    function _budget() private view returns (uint256) {
        uint256 left = task.status().roundsLeft;
        return (task.pool() - FEE * left) / left;
    }

    /// @dev Price, and the rest in the proportion of counted samples x quality.
    function _expectPaidByQuality(uint256[] memory before, uint256 budget) private view {
        uint256 sum;
        uint256 floors;
        for (uint8 i; i < before.length; ++i) {
            Trainer memory tr = task.trainer(i);
            uint256 counted = tr.samples < tr.cap ? tr.samples : tr.cap;
            sum += counted * tr.quality;
            floors += counted * tr.price;
        }
        for (uint8 i; i < before.length; ++i) {
            Trainer memory tr = task.trainer(i);
            uint256 counted = tr.samples < tr.cap ? tr.samples : tr.cap;
            uint256 due = counted * tr.price + (budget - floors) * (counted * tr.quality) / sum;
            vm.assertEq(tr.earned - before[i], due, "paid by quality");
        }
    }

    /// @dev Refuted: its miner loses all and is out, the round goes on with Seal, and has its block without it.
    function test_D15_refutedFastBlock() public {
        _ready();
        _proposeFast(0, _false(0));
        _draw(false);
        vm.warp(task.status().deadline - 1);
        _refuteLie(0);
        _expectRefuted(1);
        _expectPhase(Phase.Seal);
        vm.assertEq(task.status().deadline, block.timestamp + terms.sealWindow, "a whole window");
        vm.assertEq(task.status().round.activeMiners, 6, "without its miner");
        bytes32 digest = keccak256("seal");
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_StruckOut.selector, uint8(0)));
        vm.prank(miners[0]);
        task.seal(0, digest);
        for (uint256 m = 1; m < 3; ++m) _seal(m, _honest(m));
        _propose(1);
        _openAll();
        _finalise();
        _expectHead(_sealed(1).root);
        _expectOut(0);
        for (uint256 m; m < 3; ++m) vm.assertEq(registry.minerRecord(miners[m]).served, 2, "the refuted one's, too");
        vm.assertEq(task.withdrawable(watcher), uint256(terms.minerDeposit) / 2 + terms.challengeBond, "bounty");
        _expectConserved();
    }

    /// @dev A second fast block in the round is refused, whoever makes it.
    function test_D15_oneFastBlockARound() public {
        _ready();
        _proposeFast(0, _honest(0));
        _draw(true);
        _expectPhase(Phase.Seal);
        Opening memory o = _honest(0);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_AlreadyProposed.selector, uint8(0)));
        vm.prank(miners[0]);
        task.proposeFast(0, o, 0);
    }

    function test_D15_drawnFastBlockIsVotedOn() public {
        _ready();
        _proposeFast(0, _false(0));
        _draw(true);
        _expectPhase(Phase.Seal);
        _sealAll();
        vm.assertEq(task.status().round.fast, 0, "gave way");
        _propose(1);
        _openAll();
        _finalise();
        _expectHead(_sealed(1).root);
        vm.assertEq(task.miner(0).deposit, terms.minerDeposit, "nobody proved it");
        _expectConserved();
    }

    /// @dev In the chain's block of the proposal nobody knows yet: no bond is taken that a vote would cost.
    function test_D15_noClaimBeforeTheDraw() public {
        _ready();
        _proposeFast(0, _false(0));
        _expectPhase(Phase.Challenge);
        bytes32 digest = _digestOf(watcher, 0, lieAt);
        uint256 bond = _bond(watcher);
        uint256 held = block.number;
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_TooEarly.selector, held, held + 1));
        vm.prank(watcher);
        task.commitChallenge{value: bond}(0, digest);
        // However long it takes: without the draw it is not final.
        vm.warp(block.timestamp + 10 * uint256(terms.minWindow));
        _expectPhase(Phase.Challenge);
        vm.assertEq(task.status().attempt, 0, "nothing to be mined");
        uint256[] memory none;
        _expectWrongPhase(Phase.Challenge, Phase.Finalise);
        task.finalise(none, 0);
        _draw(false);
        _expectPhase(Phase.Finalise);
        _expectConserved();
    }

    /// @dev Two hundred and fifty-six blocks later the draw cannot be looked up: it counts as drawn.
    function test_D15_tooLateToLookUp() public {
        _ready();
        _proposeFast(0, _honest(0));
        _draw(false);
        _expectPhase(Phase.Challenge);
        uint256 held = task.status().round.fastBlock;
        vm.roll(held + 256);
        _expectPhase(Phase.Challenge);
        vm.roll(held + 257);
        _expectPhase(Phase.Seal);
        _sealAll();
        _propose(1);
        _openAll();
        _finalise();
        _expectHead(_sealed(1).root);
        _expectConserved();
    }

    /// @dev Refuted in the end all the same, although the window is over, as long as nobody has settled the round.
    function test_D15_lateProof() public {
        _ready();
        _proposeFast(0, _false(0));
        _draw(false);
        _post(watcher, 0, lieAt);
        vm.warp(task.status().deadline);
        _expectPhase(Phase.Finalise);
        _show(watcher, 0, lieAt, _evidence(lieAt, _lie()));
        _expectPhase(Phase.Seal);
        for (uint256 m = 1; m < 3; ++m) _seal(m, _honest(m));
        _propose(2);
        _openAll();
        _finalise();
        _expectHead(_sealed(2).root);
        _expectOut(0);
        _expectConserved();
    }

    /// @dev A bogus claim against a fast block: half to its miner.
    function test_D15_bogusClaim() public {
        _ready();
        uint256 earned = task.miner(0).earned;
        _proposeFast(0, _honest(0));
        _draw(false);
        bytes32 claim = _post(watcher, 0, lieAt);
        bytes memory evidence = _evidence(lieAt, _aggregate());
        _expectNotProven(claim);
        _show(watcher, 0, lieAt, evidence);
        _finalise();
        uint256 more = task.withdrawable(miners[0]) - earned - terms.minerDeposit;
        vm.assertEq(more, FEE + uint256(terms.challengeBond) / 2, "fee and half a bond");
        _expectConserved();
    }

    /// @dev A fast block whose bytes are withheld falls to a question.
    function test_D15_withheldFastBlock() public {
        _ready();
        Opening memory o = _honest(0);
        o.root = keccak256("root of nothing");
        _proposeFast(0, o);
        _draw(false);
        uint256 bond = _bond(watcher);
        vm.prank(watcher);
        task.question{value: bond}(0, o.root, o.contentId, 2, 0, o.root, new bytes32[](0));
        paidIn += bond;
        bytes32 claim = Preimages.question(Preimages.At(address(task), _round(), 0, watcher), 0, 2, 0);
        vm.warp(task.questionOf(claim).deadline);
        task.expire(claim);
        _expectPhase(Phase.Seal);
        for (uint256 m = 1; m < 3; ++m) _seal(m, _honest(m));
        _propose(1);
        _openAll();
        _finalise();
        _expectOut(0);
        _expectConserved();
    }

    function test_D15_whoIsNotTrusted() public {
        _ready();
        Opening memory o = _honest(1);
        vm.expectRevert(
            abi.encodeWithSelector(ITaskEvents.LearningTask_NotTrusted.selector, uint256(0), uint256(5000))
        );
        vm.prank(miners[1]);
        task.proposeFast(1, o, 0);
    }

    /// @dev The record of one block in one round among three miners, and of two thirds of its fee: enough for exactly
    /// these shares, and refused with both numbers above them.
    function test_D15_trustToTheBasisPoint() public {
        _ready(30_001, 6666);
        _expectNotTrusted(30_000, 30_001);
        _ready(30_000, 6667);
        _expectNotTrusted(6666, 6667);
        _ready(30_000, 6666);
        _proposeFast(0, _honest(0));
        vm.assertEq(task.status().round.fast, 1, "trusted");
    }

    /// @dev The same after a second round, which another miner won: half of the blocks, and less of the fees.
    function test_D15_trustFallsWithOthersBlocks() public {
        for (uint256 k; k < 3; ++k) {
            _deploy(0); // nobody has a record
            Terms memory t = _disputed();
            t.rounds = 3;
            (t.fastBlocks, t.fastRewards) = (k == 0 ? 15_001 : 15_000, k == 1 ? 4167 : 4166);
            _begin(t);
            for (uint256 winner; winner < 2; ++winner) {
                _playLies(0, winner);
                _finalise();
            }
            _playToSeal();
            if (k == 0) _expectNotTrusted(15_000, 15_001);
            if (k == 1) _expectNotTrusted(4166, 4167);
        }
        _proposeFast(0, _honest(0));
        vm.assertEq(task.status().round.fast, 1, "trusted");
    }

    /// @dev Who was never offered a wei has received no share of what was offered: refused where one is asked for.
    function test_D15_trustWithoutFees() public {
        for (uint16 rewards; rewards < 2; ++rewards) {
            Terms memory t = _disputed();
            (t.rounds, t.fastBlocks, t.fastRewards) = (2, 5000, rewards);
            if (address(factory) == address(0)) _deploy(0);
            _publish(t);
            for (uint256 i; i < t.trainerSlots; ++i) _bidTrainer(_trainerName(i), SAMPLES, PRICE);
            for (uint256 m; m < t.minerSlots; ++m) _bidMiner(_named(string.concat("unpaid ", vm.toString(m))), 0);
            _select();
            _playLies(0, 0);
            _finalise();
            _playToSeal();
            vm.assertEq(registry.minerRecord(miners[0]).offered, 0, "offered");
            if (rewards != 0) return _expectNotTrusted(0, 1);
            _proposeFast(0, _honest(0));
            vm.assertEq(task.status().round.fast, 1, "trusted");
        }
    }

    /// @dev Terms without a fast path trust nobody.
    function test_D15_noFastPath() public {
        _ready(0, 0);
        _expectNotTrusted(30_000, 0);
    }

    /// @dev A dispute may last longer than the chain remembers the draw: from the first bond on, it is not asked for.
    function test_D15_disputeThatOutlastsTheDraw() public {
        _ready();
        _proposeFast(0, _honest(0));
        vm.assertEq(task.miner(0).order, 1, "the only one");
        vm.assertEq(task.status().round.fastBlock, block.number, "to be drawn");
        _draw(false);
        _post(watcher, 0, lieAt);
        vm.assertEq(task.status().round.fastBlock, 0, "drawn");
        vm.roll(block.number + 300);
        _expectPhase(Phase.Challenge);
        _finalise();
        _expectHead(_sealed(0).root);
        _expectConserved();
    }

    /// @dev Drawn after the others had sealed, it gives way to their first block, which says so.
    function test_D15_drawnAfterTheSeals() public {
        _ready();
        for (uint256 m = 1; m < 3; ++m) _seal(m, _honest(m));
        _proposeFast(0, _false(0));
        _draw(true);
        vm.warp(task.status().deadline);
        _expectPhase(Phase.Mine);
        vm.assertEq(task.status().round.fast, 1, "nobody has sealed since");
        vm.recordLogs();
        _propose(1);
        vm.assertEq(task.status().round.fast, 0, "gave way");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs[0].topics[0], ITaskEvents.FastVoted.selector, "says so");
        vm.assertEq(uint256(logs[0].topics[2]), 0, "seat");
        _openAll();
        _finalise();
        _expectHead(_sealed(1).root);
        vm.assertEq(task.miner(0).deposit, terms.minerDeposit * 3 / 4, "did not seal");
        _expectConserved();
    }

    function _expectNotTrusted(uint256 actual, uint256 required) private {
        Opening memory o = _honest(0);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_NotTrusted.selector, actual, required));
        vm.prank(miners[0]);
        task.proposeFast(0, o, 0);
    }

    /// @dev Check ended by the clock: the fast block fixes the inputs, and only who did not check is struck.
    function test_D15_fastBlockAfterAnUnfinishedCheck() public {
        _winFirst(5000, 1000);
        _playToCheck();
        for (uint256 m; m < 2; ++m) _check(m, _verdicts(1, COPY));
        vm.warp(task.status().deadline);
        _expectPhase(Phase.Seal);
        vm.assertTrue(task.status().round.inputCount == 0, "not yet");
        _proposeFast(0, _honest(0));
        vm.assertTrue(task.status().round.inputCount != 0, "frozen");
        vm.assertEq(task.status().round.inputs, 14, "inputs");
        vm.assertEq(task.status().round.inputCount, 3, "how many");
        _draw(false);
        _finalise();
        _expectHead(_sealed(0).root);
        for (uint8 m; m < 3; ++m) vm.assertEq(task.miner(m).strikes, m == 2 ? 1 : 0, "strikes");
        for (uint8 m; m < 3; ++m) vm.assertEq(task.miner(m).deposit, terms.minerDeposit, "deposits");
    }
}
