// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LearningTask} from "../../../contracts/LearningTask.sol";
import {TaskBidding} from "../../../contracts/TaskBidding.sol";
import {TaskBlocks} from "../../../contracts/TaskBlocks.sol";
import {TaskFactory} from "../../../contracts/TaskFactory.sol";
import {TaskSettlement} from "../../../contracts/TaskSettlement.sol";
import {ILearningTask} from "../../../contracts/interfaces/ILearningTask.sol";
import {IReputation} from "../../../contracts/interfaces/IReputation.sol";
import {Phase, Role, Terms} from "../../../contracts/interfaces/TaskTypes.sol";
import {Test} from "./Test.sol";

/// @notice A task from deployment to selection, with named people.
abstract contract Publishing is Test {
    uint32 internal constant SAMPLES = 600;
    uint64 internal constant PRICE = 1 gwei; // wei per sample and round
    uint80 internal constant FEE = 0.01 ether;

    TaskFactory internal factory;
    IReputation internal registry;
    ILearningTask internal task;
    Terms internal terms;
    address internal publisher;
    address[] internal trainers; // by seat
    address[] internal miners; // by seat

    /// @dev Deploys what tasks share.
    function _deploy(uint256 taskFee) internal {
        LearningTask code = new LearningTask(
            address(new TaskBidding()), address(new TaskBlocks()), address(new TaskSettlement())
        );
        factory = new TaskFactory(taskFee, address(code));
        registry = IReputation(factory.reputation());
        publisher = _named("publisher");
    }

    /// @dev Terms in their ranges, with a tiny difficulty; four trainers, three miners, three rounds.
    function _defaultTerms() internal pure returns (Terms memory t) {
        t.initialRoot = keccak256("initial root");
        t.initialContent = keccak256("initial content");
        t.manifestContent = keccak256("manifest content");
        t.manifestHash = keccak256("manifest hash");
        t.manifestSize = 1000;
        t.validationContent = keccak256("validation content");
        t.validationHash = keccak256("validation hash");
        t.validationSize = 10_000;
        t.parameterCount = 1000;
        t.rounds = 3;
        t.trainerSlots = 4;
        t.minerSlots = 3;
        t.minTrainers = 2;
        t.minMiners = 1;
        t.minUpdates = 2;
        t.maxVoidRounds = 3;
        t.maxStrikes = 3;
        t.minSamples = 100;
        t.maxTrainingTime = 60;
        t.closeWhenFull = true;
        t.reward = 3 ether;
        t.maxPrice = 100 gwei;
        t.maxFee = 0.1 ether;
        t.trainerDeposit = 1000 gwei;
        t.minerDeposit = 1 ether;
        t.challengeBond = 0.1 ether;
        t.penalty = 1000 gwei;
        t.minerShare = 1000;
        t.slashShare = 2500;
        t.earlyBonus = 2000;
        t.payScore = 5000;
        t.startQuality = 32_768;
        t.biddingWindow = 100;
        t.commitWindow = 100;
        t.revealWindow = 100;
        t.checkWindow = 100;
        t.sealWindow = 100;
        t.mineWindow = 100;
        t.forkWindow = 10;
        t.openWindow = 100;
        t.minWindow = 20;
        t.challengeWindow = 200;
        t.responseWindow = 50;
        t.auditPeriod = 1000;
        t.difficulty = 8;
    }

    function _publish(Terms memory t) internal {
        terms = t;
        uint256 value = t.reward + factory.taskFee();
        vm.deal(publisher, publisher.balance + value);
        vm.prank(publisher);
        task = ILearningTask(factory.publish{value: value}(t));
    }

    function _trainerName(uint256 i) internal returns (address) {
        return _named(string.concat("trainer ", vm.toString(i)));
    }

    function _minerName(uint256 i) internal returns (address) {
        return _named(string.concat("miner ", vm.toString(i)));
    }

    function _bidTrainer(address account, uint32 samples, uint64 price) internal {
        uint256 deposit = uint256(samples) * terms.trainerDeposit;
        vm.deal(account, account.balance + deposit);
        vm.prank(account);
        task.bidAsTrainer{value: deposit}(samples, price, 1);
    }

    function _bidMiner(address account, uint80 fee) internal {
        uint256 deposit = terms.minerDeposit;
        vm.deal(account, account.balance + deposit);
        vm.prank(account);
        task.bidAsMiner{value: deposit}(fee);
    }

    /// @dev Fills all slots with equal bids, so that seats follow the names.
    function _fill() internal {
        for (uint256 i; i < terms.trainerSlots; ++i) _bidTrainer(_trainerName(i), SAMPLES, PRICE);
        for (uint256 m; m < terms.minerSlots; ++m) _bidMiner(_minerName(m), FEE);
    }

    function _select() internal {
        if (task.phase() == Phase.Bidding) vm.warp(task.status().deadline);
        task.select();
        _readSeats();
    }

    function _readSeats() internal {
        delete trainers;
        delete miners;
        for (uint8 i; i < task.trainerCount(); ++i) trainers.push(task.trainer(i).account);
        for (uint8 m; m < task.minerCount(); ++m) miners.push(task.miner(m).account);
    }

    /// @dev A fresh task in Commit of its first round.
    function _start(Terms memory t) internal {
        if (address(factory) == address(0)) _deploy(0);
        _publish(t);
        _fill();
        _select();
    }

    function _depositOf(Role role, address account) internal view returns (uint256) {
        return task.bidOf(role, account).deposit;
    }
}
