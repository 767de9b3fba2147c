// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IReputation} from "../../../contracts/interfaces/IReputation.sol";
import {ITaskEvents} from "../../../contracts/interfaces/ITaskEvents.sol";
import {Opening, Phase, Terms} from "../../../contracts/interfaces/TaskTypes.sol";
import {TermsRules} from "../../../contracts/libraries/TermsRules.sol";
import {Scenario} from "../utils/Scenario.sol";

/// @notice Difficulty, idle miners and the price of a reputation.
contract TrustTest is Scenario {
    // ------------------------------------------------------------------ D03

    function test_D03_difficultyOutsideItsBoundsIsRefusedAtCreation() public {
        _deploy(0);
        Terms memory t = _defaultTerms();
        uint256[3] memory wrong = [uint256(0), 2 ** 64 + 1, type(uint256).max];
        for (uint256 i; i < wrong.length; ++i) {
            t.difficulty = wrong[i];
            vm.deal(publisher, t.reward);
            vm.prank(publisher);
            vm.expectRevert(
                abi.encodeWithSelector(
                    TermsRules.TermsRules_OutOfRange.selector, bytes32("difficulty"), wrong[i], 1, 2 ** 64
                )
            );
            factory.publish{value: t.reward}(t);
        }
    }

    function test_D03_waitingWithABlockMovesTheDifficultyByAFactorOfFour() public {
        Terms memory t = _defaultTerms();
        (t.difficulty, t.blockTime, t.mineWindow) = (64, 10, 1 days);
        _start(t);
        _playToSeal();
        _sealAll();
        vm.warp(block.timestamp + 20 hours); // the only miner awake keeps its block back
        _propose(0);
        _openAll();
        _finalise();
        vm.assertEq(task.status().difficulty, 16, "a quarter at most");
        _playToSeal();
        _sealAll();
        _propose(0); // in the very second in which mining began
        _openAll();
        _finalise();
        vm.assertEq(task.status().difficulty, 64, "four times at most");
    }

    /// @dev Mining begins when Seal ends, by the last seal or by the clock: the difficulty follows the time from there.
    function test_D03_timeOfABlockAfterTheClockEndedSeal() public {
        Terms memory t = _defaultTerms();
        (t.difficulty, t.blockTime) = (64, 10);
        _start(t);
        _playToSeal();
        for (uint256 m; m < 2; ++m) _seal(m, _honest(m));
        uint256 end = task.status().deadline;
        vm.warp(end + 5);
        _propose(0);
        vm.assertEq(task.status().round.sealClosed, end, "end of Seal");
        vm.warp(block.timestamp + 3);
        _propose(1); // a later fork does not count
        _openAll();
        _finalise();
        vm.assertEq(task.status().difficulty, 128, "in half of the time: twice as difficult");
        _playToSeal();
        _sealAll();
        uint256 closed = block.timestamp;
        vm.warp(closed + 20);
        _propose(0);
        vm.assertEq(task.status().round.sealClosed, closed, "the last seal");
        _openAll();
        _finalise();
        vm.assertEq(task.status().difficulty, 64, "in twice the time: half as difficult");
    }

    // ------------------------------------------------------------------ D12

    function test_D12_noddingEarnsNothing() public {
        _start(_defaultTerms());
        _playToSeal();
        _seal(0, _honest(0));
        _seal(1, _honest(1));
        vm.warp(task.status().deadline); // the idle miner waits to see that nobody cheats
        _propose(0);
        _openAll();
        _finalise();
        vm.assertEq(task.miner(2).earned, 0, "pay for nodding");
        vm.assertEq(task.miner(2).deposit, 0.75 ether, "not sealing is a provable fault");
        vm.assertEq(task.miner(0).earned + task.miner(1).earned, FEE, "the fee is for those who computed");
        (IReputation.MinerRecord memory idle) = registry.minerRecord(miners[2]);
        vm.assertEq(idle.served, 1, "the round counts against it");
        vm.assertEq(idle.received, 0, "received");
    }

    // ------------------------------------------------------------------ D16

    function test_D16_everyFarmedTaskBurnsItsFee() public {
        _deploy(0.1 ether);
        Terms memory t = _defaultTerms();
        uint256 burnt = address(0).balance;
        for (uint256 i = 1; i <= 3; ++i) {
            vm.deal(publisher, t.reward + 0.1 ether);
            vm.prank(publisher);
            factory.publish{value: t.reward + 0.1 ether}(t);
            vm.assertEq(address(0).balance - burnt, i * 0.1 ether, "burnt");
        }
    }

    function test_D16_newIdentitiesStartAtTheBottom() public {
        _deploy(0);
        address unknown = _named("nobody yet");
        vm.assertEq(registry.minerReputation(unknown), 0, "m = 0");
        vm.assertEq(registry.trainerQuality(unknown), 0, "quality");
        Terms memory t = _defaultTerms();
        (t.fastBlocks, t.minWindow) = (1, 5);
        _start(t);
        _playToSeal();
        Opening memory o = _honest(0);
        vm.prank(miners[0]);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_NotTrusted.selector, 0, 1));
        task.proposeFast(0, o, 0);
    }

    /// @dev What was offered is the fee of the round's block; where there is none, the highest that might have been.
    function test_D16_whatWasOffered() public {
        _deploy(0);
        _publish(_defaultTerms());
        for (uint256 i; i < 4; ++i) _bidTrainer(_trainerName(i), SAMPLES, PRICE);
        for (uint256 m; m < 3; ++m) _bidMiner(_minerName(m), uint80((m + 1) * FEE));
        _select();
        _playToSeal();
        _sealAll();
        _propose(1);
        _openAll();
        _finalise();
        for (uint256 m; m < 3; ++m) {
            IReputation.MinerRecord memory record = registry.minerRecord(miners[m]);
            vm.assertEq(record.offered, 2 * FEE, "the block's fee");
            vm.assertEq(record.received, FEE / 3 + (m == 1 ? FEE : 0), "received");
        }
        _playToCheck(); // nobody seals
        _finalise();
        for (uint256 m; m < 3; ++m) {
            vm.assertEq(registry.minerRecord(miners[m]).offered, 5 * FEE, "and the highest fee");
            vm.assertEq(registry.minerRecord(miners[m]).served, 2, "served");
        }
    }

    /// @dev Nobody writes records but tasks of the factory: not a stranger, a publisher, nor the factory itself.
    function test_D16_onlyTasksWriteRecords() public {
        _start(_defaultTerms());
        IReputation.Service[] memory services = new IReputation.Service[](1);
        services[0] = IReputation.Service(publisher, true, 1, 1);
        address[] memory accounts = new address[](1);
        uint16[] memory qualities = new uint16[](1);
        (accounts[0], qualities[0]) = (publisher, 40_000);
        address[3] memory callers = [_named("stranger"), publisher, address(factory)];
        for (uint256 i; i < callers.length; ++i) {
            bytes memory refusal = abi.encodeWithSelector(IReputation.Reputation_NotTask.selector, callers[i]);
            vm.expectRevert(refusal);
            vm.prank(callers[i]);
            registry.recordRound(services);
            vm.expectRevert(refusal);
            vm.prank(callers[i]);
            registry.recordTrainers(accounts, qualities);
        }
        vm.assertEq(registry.minerReputation(publisher), 0, "reputation");
        vm.assertEq(registry.trainerQuality(publisher), 0, "quality");
    }

    function test_D16_abstainingDoesNotProtectTheRecord() public {
        _start(_defaultTerms());
        _playRound();
        (IReputation.MinerRecord memory before) = registry.minerRecord(miners[0]);
        vm.assertEq(before.accepted, 1, "n");
        // It does nothing any more: m rises all the same.
        _playToCheck();
        for (uint256 m = 1; m < 3; ++m) _check(m, _verdicts(ALL, OK));
        vm.warp(task.status().deadline);
        for (uint256 m = 1; m < 3; ++m) _seal(m, _honest(m));
        vm.warp(task.status().deadline);
        _propose(1);
        _openAll();
        _finalise();
        (IReputation.MinerRecord memory later) = registry.minerRecord(miners[0]);
        vm.assertEq(later.served, 2, "m");
        vm.assertEq(later.accepted, 1, "n");
        _expectPhase(Phase.Commit);
    }
}
