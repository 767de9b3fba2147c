// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Disputes} from "./task/Disputes.sol";
import {ModelChain} from "./task/ModelChain.sol";

/// @title The miners' half of a round: blocks, and what is said against them
/// @notice Code only: `LearningTask` runs it on its own storage. Called directly it has neither terms nor state and
/// reverts.
contract TaskBlocks is ModelChain, Disputes {}
