// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Selecting} from "./task/Selecting.sol";
import {Settlement} from "./task/Settlement.sol";

/// @title The heavy transitions of a task: `select`, `cancel`, `finalise`
/// @notice Code only: `LearningTask` runs it on its own storage, which keeps each of the two below 24 KB. Called
/// directly it has neither terms nor state and reverts.
contract TaskTransitions is Selecting, Settlement {}
