// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Settlement} from "./task/Settlement.sol";

/// @title The end of a round, and of a task
/// @notice Code only: `LearningTask` runs it on its own storage. Called directly it has neither terms nor state and
/// reverts.
contract TaskSettlement is Settlement {}
