// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Bidding} from "./task/Bidding.sol";
import {Selecting} from "./task/Selecting.sol";

/// @title The beginning of a task: escrow, bids, seats
/// @notice Code only: `LearningTask` runs it on its own storage. Called directly it has neither terms nor state and
/// reverts.
contract TaskBidding is Bidding, Selecting {}
