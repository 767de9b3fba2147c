// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskEvents} from "../../../contracts/interfaces/ITaskEvents.sol";
import {ITaskFactory} from "../../../contracts/interfaces/ITaskFactory.sol";
import {Phase, State, Terms} from "../../../contracts/interfaces/TaskTypes.sol";
import {Refuser} from "../utils/Receivers.sol";
import {Scenario} from "../utils/Scenario.sol";

/// @notice Who may put the reward in, change the terms, or stop the task.
contract EscrowTest is Scenario {
    function setUp() public {
        _deploy(0);
    }

    // ------------------------------------------------------------------ A01

    function test_A01_publishWithoutTheFullRewardCostsNoTaskId() public {
        Terms memory t = _defaultTerms();
        vm.deal(publisher, 2 * t.reward);
        for (uint256 i; i < 2; ++i) {
            uint256 value = i == 0 ? t.reward - 1 : t.reward + 1;
            vm.prank(publisher);
            vm.expectRevert(
                abi.encodeWithSelector(ITaskFactory.TaskFactory_Underfunded.selector, value, t.reward)
            );
            factory.publish{value: value}(t);
        }
        vm.assertEq(factory.taskCount(), 0, "ids burnt");
        vm.assertEq(publisher.balance, 2 * t.reward, "money gone");

        _publish(t);
        vm.assertEq(factory.tasks(0), address(task), "first id");
    }

    /// @dev A share that floors to zero is refused, and the reward that the refusal names is always enough.
    function test_A01_rewardWithAShareOfZeroNamesOneThatIsEnough(uint256 seed) public {
        Terms memory t = _defaultTerms();
        t.rounds = uint16(_within(seed, 1, 500));
        t.trainerSlots = uint8(_within(seed >> 16, 2, 128));
        t.minerSlots = uint8(_within(seed >> 24, 1, 16));
        t.minerShare = uint16(_within(seed >> 32, 1, 9999));
        t.reward = 1; // no round has a wei for everybody
        vm.deal(publisher, 1 ether);

        vm.prank(publisher);
        try factory.publish{value: 1}(t) {
            revert("published with a share of zero");
        } catch (bytes memory reason) {
            vm.assertEq(bytes32(bytes4(reason)), bytes32(ITaskFactory.TaskFactory_Underfunded.selector), "error");
            (, t.reward) = abi.decode(_arguments(reason), (uint256, uint256));
        }
        vm.assertGt(t.reward, 1, "required");
        vm.assertEq(factory.taskCount(), 0, "ids burnt");
        _publish(t);
        uint256 forMiners = t.reward * t.minerShare / 10_000 / t.rounds;
        vm.assertGe(forMiners, t.minerSlots, "wei per miner");
        vm.assertGe(t.reward / t.rounds - forMiners, t.trainerSlots, "wei per trainer");
    }

    // ------------------------------------------------------------------ A02

    function test_A02_cancelRefundsEverybodyBeforeSelectionOnly() public {
        for (uint256 i; i < 2; ++i) {
            _publish(_defaultTerms());
            if (i == 0) _bidTrainer(_trainerName(0), SAMPLES, PRICE); // phase Bidding
            else _fill(); // phase Select
            vm.prank(publisher);
            task.cancel();
            vm.assertEq(uint256(task.status().state), uint256(State.Aborted), "state");
            for (uint256 k; k < 4; ++k) _withdraw(_trainerName(k));
            for (uint256 k; k < 3; ++k) _withdraw(_minerName(k));
            vm.assertEq(_withdraw(publisher), terms.reward, "reward back");
            vm.assertEq(address(task).balance, 0, "left");
        }
        _start(_defaultTerms());
        _expectWrongPhase(Phase.Commit, Phase.Bidding);
        vm.prank(publisher);
        task.cancel();
    }

    function test_A02_onlyThePublisherCancels() public {
        _publish(_defaultTerms());
        address[2] memory others = [_named("stranger"), address(factory)];
        for (uint256 i; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_NotPublisher.selector, others[i]));
            vm.prank(others[i]);
            task.cancel();
        }
        _expectPhase(Phase.Bidding);
    }

    /// @dev The publisher has no duty after publishing: strangers advance the task and the earned shares arrive.
    function test_A02_absentPublisherCostsNobodyAnything() public {
        _start(_defaultTerms());
        _playRound();
        uint256 earned = task.trainer(0).earned;
        vm.assertGt(earned, 0, "earned in round 1");
        vm.assertEq(_withdraw(trainers[0]), earned, "earned shares are free at once");
        _playRound();
        _playRound();
        vm.assertEq(uint256(task.status().state), uint256(State.Completed), "state");
        for (uint256 i; i < trainers.length; ++i) {
            uint256 deposit = uint256(SAMPLES) * terms.trainerDeposit;
            vm.assertGe(task.withdrawable(trainers[i]), deposit, "deposit and pay");
        }
        _expectEverybodyOut();
    }

    /// @dev Everybody lets every phase lapse: the clock alone brings the money back.
    function test_A02_lapsedPhasesEndInRefunds() public {
        _start(_defaultTerms());
        for (uint256 round; round < terms.maxStrikes; ++round) {
            _expectPhase(Phase.Commit);
            _finalise();
        }
        vm.assertEq(uint256(task.status().state), uint256(State.Aborted), "state");
        vm.assertEq(task.burnt(), 0, "absence costs strikes, not deposits");
        vm.assertEq(task.withdrawable(publisher), terms.reward, "reward back");
        _expectEverybodyOut();
    }

    // ------------------------------------------------------------------ burns

    /// @dev Where the zero address refuses money the task stays open, rather than lose count of a burn.
    function test_burnThatFailsLeavesTheTaskOpen() public {
        Terms memory t = _defaultTerms();
        t.rounds = 1;
        _start(t);
        _commitAll();
        for (uint256 i; i < 3; ++i) _reveal(i);
        _toPhase(Phase.Check);
        _checkAll(_verdicts(0, OK));
        _sealAll();
        _propose(0);
        _openAll();
        _toPhase(Phase.Finalise);
        (uint256[] memory medians, uint16 middle) = _medians();
        uint256 deposit = uint256(SAMPLES) * t.trainerDeposit;
        uint256 balance = address(task).balance;
        vm.etch(address(0), type(Refuser).runtimeCode);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_TransferFailed.selector, address(0)));
        task.finalise(medians, middle);
        _expectPhase(Phase.Finalise);
        vm.assertEq(address(task).balance, balance, "nothing left");
        vm.assertEq(task.pool(), t.reward, "nothing paid");

        vm.etch(address(0), "");
        uint256 burnt = address(0).balance;
        task.finalise(medians, middle);
        vm.assertEq(address(0).balance - burnt, deposit / 4, "burnt");
        _expectEverybodyOut();
    }

    // ------------------------------------------------------------------ A11

    function test_A11_termsNeverChangeAndNobodyHasAKeyToTheFunds() public {
        Terms memory t = _defaultTerms();
        _start(t);
        bytes32 published = keccak256(abi.encode(t));
        for (uint256 round; round < t.rounds; ++round) {
            _playToOpen();
            // In the middle of a round neither publisher nor factory has anything to take or to set.
            vm.assertEq(task.withdrawable(publisher), 0, "publisher");
            vm.assertEq(task.withdrawable(address(factory)), 0, "factory");
            vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_NothingOwed.selector, publisher));
            task.withdraw(publisher);
            vm.prank(address(factory));
            _expectWrongPhase(Phase.Bidding, Phase.Closed);
            task.initialise();
            _openAll();
            _finalise();
            vm.assertEq(keccak256(abi.encode(task.terms())), published, "terms");
        }
        _expectEverybodyOut();
    }

    function test_A11_theSharedCodeIsNoTask() public {
        _publish(_defaultTerms());
        address[4] memory code = [factory.implementation(), task.bidding(), task.blocks(), task.settlement()];
        for (uint256 i; i < code.length; ++i) {
            (bool cancelled,) = code[i].call(abi.encodeCall(task.cancel, ()));
            (bool selected,) = code[i].call(abi.encodeCall(task.select, ()));
            (bool finalised,) = code[i].call(abi.encodeCall(task.finalise, (new uint256[](0), 0)));
            (bool initialised,) = code[i].call(abi.encodeCall(task.initialise, ()));
            vm.assertTrue(!cancelled && !selected && !finalised && !initialised, "usable without a task");
        }
    }
}
