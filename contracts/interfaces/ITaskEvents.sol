// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Fault, Opening, Phase, Role} from "./TaskTypes.sol";

/// @title What a task says: every durable change is an event, every refusal names its rule
/// @notice Money in wei, scores and qualities of 65,535. The round comes first among the indexed values, then the
/// actor. Together with the terms in {ITaskFactory-TaskPublished} the events rebuild a finished task.
interface ITaskEvents {
    // ------------------------------------------------------------------ events

    event BidPlaced(
        Role indexed role, address indexed account, uint256 price, uint32 samples, uint32 trainingTime, uint256 deposit
    );
    /// @notice A better bid took the place; the deposit is owed back at once.
    event BidDisplaced(Role indexed role, address indexed account, uint256 deposit);
    event Cancelled();
    /// @notice `price` is wei per sample and round of a trainer, wei per block of a miner; `cap` in samples.
    event Selected(Role indexed role, uint8 indexed seat, address indexed account, uint256 price, uint32 cap);
    event NotSelected(Role indexed role, address indexed account, uint256 deposit);
    event RoundStarted(uint16 indexed round, bytes32 parent, uint256 difficulty, uint8 trainers, uint16 miners);
    event Committed(uint16 indexed round, uint8 indexed seat, bytes32 digest);
    /// @notice `trainingTime` in milliseconds, as claimed.
    event Revealed(
        uint16 indexed round,
        uint8 indexed seat,
        bytes32 root,
        bytes32 contentId,
        uint32 samples,
        uint32 trainingTime,
        bytes32 salt
    );
    event Checked(uint16 indexed round, uint8 indexed seat, uint256 verdicts);
    event InputsFrozen(uint16 indexed round, uint128 inputs);
    event Sealed(uint16 indexed round, uint8 indexed seat, bytes32 digest);
    /// @notice A block with valid work; every one of a round is a fork of the others. Its result is in {Opened}.
    event Proposed(
        uint16 indexed round,
        uint8 indexed seat,
        bytes32 indexed blockHash,
        uint8 attempt,
        bytes32 parent,
        bytes32 sealsDigest,
        uint256 difficulty,
        uint256 nonce
    );
    event Opened(uint16 indexed round, uint8 indexed seat, Opening opening);
    /// @notice The round's block is final. `medians` are the scores per trainer seat, sixteen to a word.
    event RoundFinalised(
        uint16 indexed round,
        uint8 indexed seat,
        bytes32 indexed blockHash,
        bytes32 root,
        bytes32 contentId,
        uint16 accuracy,
        uint256[] medians
    );
    /// @notice The round has no block. `counted`: it was one of the task's rounds and paid its inputs their price.
    event RoundVoided(uint16 indexed round, bool counted, uint128 inputs);
    event Paid(uint16 indexed round, Role indexed role, uint8 indexed seat, uint256 amount);
    event QualityChanged(uint16 indexed round, uint8 indexed seat, uint16 quality);
    event Slashed(uint16 indexed round, Role indexed role, uint8 indexed seat, Fault fault, uint256 amount);
    /// @notice Pay that nobody gets because a vote denied it; burnt.
    event Forfeited(uint16 indexed round, uint8 indexed seat, uint256 amount);
    event Struck(uint16 indexed round, Role indexed role, uint8 indexed seat, uint8 strikes);
    /// @notice The account's part in this task ended; its key is invalid here from now on.
    event StruckOut(uint16 indexed round, Role indexed role, uint8 indexed seat);
    event DifficultyChanged(uint16 indexed round, uint256 difficulty);
    event TaskCompleted(bool early, uint256 toPublisher);
    event TaskAborted(uint256 toPublisher);
    event Burnt(uint256 amount);
    event Withdrawn(address indexed account, uint256 amount);

    // ------------------------------------------------------------------ errors

    error LearningTask_WrongPhase(Phase actual, Phase required);
    error LearningTask_NotFactory(address caller);
    error LearningTask_NotPublisher(address caller);
    error LearningTask_NotYourSeat(address caller, uint8 seat);
    error LearningTask_StruckOut(uint8 seat);
    error LearningTask_AlreadyBid(address account);
    error LearningTask_TooFewSamples(uint256 actual, uint256 minimum);
    error LearningTask_PriceTooHigh(uint256 actual, uint256 maximum);
    error LearningTask_TooSlow(uint256 actual, uint256 maximum);
    error LearningTask_WrongDeposit(uint256 actual, uint256 required);
    error LearningTask_Outbid();
    error LearningTask_EmptyDigest();
    error LearningTask_AlreadyCommitted(uint8 seat);
    error LearningTask_NoCommit(uint8 seat);
    error LearningTask_AlreadyRevealed(uint8 seat);
    error LearningTask_WrongOpening(uint8 seat);
    error LearningTask_AlreadySealed(uint8 seat);
    error LearningTask_NotSealed(uint8 seat);
    error LearningTask_AlreadyProposed(uint8 seat);
    error LearningTask_AlreadyOpened(uint8 seat);
    error LearningTask_WrongScores(uint256 actual, uint256 required);
    error LearningTask_TooLittleWork(uint256 actual, uint256 limit);
    error LearningTask_WrongMedian(uint8 seat);
    error LearningTask_NothingOwed(address account);
    error LearningTask_NotFinal(address account);
    error LearningTask_TransferFailed(address account);
}
