// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Reputation} from "./Reputation.sol";
import {TaskProxyCreation} from "./TaskProxy.sol";
import {ILearningTask} from "./interfaces/ILearningTask.sol";
import {ITaskFactory} from "./interfaces/ITaskFactory.sol";
import {BASIS, Terms} from "./interfaces/TaskTypes.sol";
import {Money} from "./libraries/Money.sol";
import {TermsRules} from "./libraries/TermsRules.sol";

/// @title Publishes learning tasks
contract TaskFactory is ITaskFactory {
    /// @inheritdoc ITaskFactory
    uint256 public immutable taskFee;
    /// @inheritdoc ITaskFactory
    address public immutable reputation;
    /// @inheritdoc ITaskFactory
    address public immutable implementation;
    address private immutable _blocks; // of the implementation

    /// @inheritdoc ITaskFactory
    address[] public tasks;
    /// @inheritdoc ITaskFactory
    mapping(address task => bool) public isTask;

    /// @param taskFee_ wei burnt per task; 0 on dev chains
    /// @param implementation_ a `LearningTask`, the code that all tasks share
    constructor(uint256 taskFee_, address implementation_) {
        taskFee = taskFee_;
        implementation = implementation_;
        _blocks = ILearningTask(implementation_).blocks();
        reputation = address(new Reputation());
    }

    /// @inheritdoc ITaskFactory
    function publish(Terms calldata terms) external payable returns (address task) {
        TermsRules.check(terms);
        _requireFunds(terms);

        bytes memory args = abi.encode(terms, msg.sender, address(this), reputation, implementation, _blocks);
        task = address(new TaskProxyCreation(args));
        uint256 index = tasks.length;
        tasks.push(task);
        isTask[task] = true;
        emit TaskPublished(task, msg.sender, index, terms);

        ILearningTask(task).initialise{value: terms.reward}();
        if (taskFee != 0) {
            (bool sent,) = address(0).call{value: taskFee}("");
            assert(sent);
        }
    }

    /// @inheritdoc ITaskFactory
    function taskCount() external view returns (uint256) {
        return tasks.length;
    }

    /// @dev The value is exact, and each trainer's and miner's share of a round is at least one wei.
    function _requireFunds(Terms calldata t) private view {
        uint256 forMiners = Money.share(t.reward, t.minerShare) / t.rounds;
        uint256 forTrainers = t.reward / t.rounds - forMiners;
        if (forMiners < t.minerSlots || forTrainers < t.trainerSlots) {
            uint256 smaller = Math.min(t.minerShare, BASIS - t.minerShare);
            // One wei more per slot covers what flooring takes: this much is always enough.
            uint256 shares = uint256(t.rounds) * (Math.max(t.minerSlots, t.trainerSlots) + 1);
            revert TaskFactory_Underfunded(t.reward, Math.ceilDiv(shares * BASIS, smaller));
        }
        if (msg.value != t.reward + taskFee) revert TaskFactory_Underfunded(msg.value, t.reward + taskFee);
    }
}
