// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Reputation of miners and trainers over all tasks of one factory (paper, section IV-B)
/// @notice An unknown account has the lowest reputation, 0. Only tasks made by the factory write here.
interface IReputation {
    /// @notice One miner's part in one round.
    struct Service {
        address miner;
        bool accepted; // its block became the head
        uint96 received; // wei it was paid for mining
        uint96 offered; // wei that was offered for the block
    }

    /// @notice n/m and s/t of the paper. One slot.
    struct MinerRecord {
        uint32 accepted; // n: blocks that became the head
        uint32 served; // m: rounds it was assigned to
        uint96 received; // s: wei received for mining
        uint96 offered; // t: wei offered for mining in those rounds
    }

    event MinerRecorded(address indexed miner, uint32 accepted, uint32 served, uint96 received, uint96 offered);
    event TrainerRecorded(address indexed trainer, uint16 quality);

    error Reputation_NotTask(address caller);

    /// @notice Adds one round to the records of the miners that were assigned to it.
    /// @dev Requirements: the caller is a task of the factory. Emits {MinerRecorded} per miner.
    function recordRound(Service[] calldata services) external;

    /// @notice Moves the trainers' quality half-way to what they ended a task with (of 65,535 each).
    /// @dev Requirements: the caller is a task of the factory. Emits {TrainerRecorded} per trainer.
    function recordTrainers(address[] calldata trainers, uint16[] calldata qualities) external;

    /// @notice The record of `miner`.
    function minerRecord(address miner) external view returns (MinerRecord memory);

    /// @notice min(n/m, s/t) of `miner`, of 65,535; 0 when m or t is 0.
    function minerReputation(address miner) external view returns (uint16);

    /// @notice Quality of `trainer` over past tasks, of 65,535; 0 when unknown.
    function trainerQuality(address trainer) external view returns (uint16);
}
