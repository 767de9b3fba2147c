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
    /// @notice A block of a trusted miner, without seals: final unless it is challenged, or drawn to be voted on.
    event FastProposed(
        uint16 indexed round,
        uint8 indexed seat,
        bytes32 indexed blockHash,
        bytes32 parent,
        bytes32 root,
        bytes32 contentId,
        uint16 accuracy,
        uint256 difficulty,
        uint256 nonce
    );
    /// @notice A fast block that was drawn to be voted on gave way to the first seal after it, or to the first block.
    event FastVoted(uint16 indexed round, uint8 indexed seat);
    /// @notice A bond was posted against the result of miner `seat`. `claim` is its id: `Digests.claim`.
    event ChallengeCommitted(uint16 indexed round, uint8 indexed seat, address indexed challenger, bytes32 claim);
    /// @notice The result of miner `seat` does not have the value of the task's rule at `coordinate`, or was withheld
    /// (`coordinate` all ones).
    event Refuted(
        uint16 indexed round, uint8 indexed seat, address indexed challenger, bytes32 claim, uint256 coordinate
    );
    /// @notice The miner `seat` is asked for what is below a node of its result's tree, before `deadline`.
    event Questioned(
        uint16 indexed round,
        uint8 indexed seat,
        address indexed challenger,
        bytes32 claim,
        uint8 height,
        uint32 index,
        uint32 deadline
    );
    /// @notice The nodes six levels below the asked one, or all leaves when it is six or fewer above them.
    event Answered(uint16 indexed round, uint8 indexed seat, bytes32 indexed claim, bytes parts);
    /// @notice What a proven claim brought its challenger in wei: `bounty` from the deposits of the guilty, and its
    /// bond.
    event BountyPaid(
        uint16 indexed round, uint8 indexed seat, address indexed challenger, uint256 bounty, uint256 bond
    );
    /// @notice Bonds against a result that stood: half burnt, half to the block's miner (or to the pool without one).
    event BondsLost(uint16 indexed round, uint8 indexed seat, uint256 amount);
    event BondReturned(uint16 indexed round, uint8 indexed seat, address indexed challenger, bytes32 claim);
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
    error LearningTask_UnexpectedPayment(address sender, uint256 amount);
    error LearningTask_NotPublisher(address caller);
    error LearningTask_NotYourSeat(address caller, uint8 seat);
    error LearningTask_NotTrainer(address account);
    error LearningTask_StruckOut(uint8 seat);
    error LearningTask_AlreadyBid(address account);
    error LearningTask_TooFewSamples(uint256 actual, uint256 minimum);
    error LearningTask_PriceTooHigh(uint256 actual, uint256 maximum);
    error LearningTask_TooSlow(uint256 actual, uint256 maximum);
    error LearningTask_WrongDeposit(uint256 actual, uint256 required);
    error LearningTask_Outbid();
    error LearningTask_EmptyDigest();
    error LearningTask_EmptyBatch();
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
    error LearningTask_NotTrusted(uint256 actual, uint256 required);
    error LearningTask_NotOpened(uint8 seat);
    error LearningTask_WrongBond(uint256 actual, uint256 required);
    error LearningTask_AlreadyClaimed(bytes32 claim);
    error LearningTask_NoClaim(bytes32 claim);
    error LearningTask_NotProven(bytes32 claim);
    error LearningTask_WrongResult(uint8 seat);
    error LearningTask_WrongProof(uint256 actual, uint256 required);
    error LearningTask_TooEarly(uint256 actual, uint256 required);
    error LearningTask_TooLate(uint256 actual, uint256 limit);
    error LearningTask_NothingOwed(address account);
    error LearningTask_NotFinal(address account);
    error LearningTask_TransferFailed(address account);
}
