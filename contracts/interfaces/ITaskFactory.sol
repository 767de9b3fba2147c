// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Terms} from "./TaskTypes.sol";

/// @title Publishes learning tasks (paper, section III-B, function 1)
/// @notice Nobody owns the factory; it holds no funds.
interface ITaskFactory {
    /// @notice A task was made; `terms` are complete, so that logs alone rebuild it.
    event TaskPublished(address indexed task, address indexed publisher, uint256 indexed index, Terms terms);

    /// @notice The value sent is not `terms.reward` + `taskFee`, or a share of the reward floors to zero (wei).
    error TaskFactory_Underfunded(uint256 actual, uint256 required);

    /// @notice Makes a task with its reward in escrow.
    /// @dev Requirements:
    /// - every term is in its range (`TermsRules_OutOfRange` names the first that is not)
    /// - `msg.value` is `terms.reward` + `taskFee()`, and no share of the reward floors to zero
    ///   (`TaskFactory_Underfunded`)
    /// Emits {TaskPublished}. The fee is burnt at once. Nothing is created when it reverts.
    /// @return task address of the new task
    function publish(Terms calldata terms) external payable returns (address task);

    /// @notice Wei burnt per task; it makes farming of reputation cost money.
    function taskFee() external view returns (uint256);

    /// @notice The registry that tasks of this factory write.
    function reputation() external view returns (address);

    /// @notice The code that all tasks share.
    function implementation() external view returns (address);

    /// @notice Number of tasks published.
    function taskCount() external view returns (uint256);

    /// @notice Task `index`, from 0.
    function tasks(uint256 index) external view returns (address);

    /// @notice Whether `task` was made here.
    function isTask(address task) external view returns (bool);
}
