// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IReputation} from "./interfaces/IReputation.sol";
import {ITaskFactory} from "./interfaces/ITaskFactory.sol";

/// @title Reputation of miners and trainers
contract Reputation is IReputation {
    ITaskFactory public immutable factory;

    mapping(address miner => MinerRecord) private _miners;
    mapping(address trainer => uint16) private _trainers;

    constructor() {
        factory = ITaskFactory(msg.sender);
    }

    modifier onlyTask() {
        if (!factory.isTask(msg.sender)) revert Reputation_NotTask(msg.sender);
        _;
    }

    /// @inheritdoc IReputation
    function recordRound(Service[] calldata services) external onlyTask {
        for (uint256 i; i < services.length; ++i) {
            Service calldata s = services[i];
            MinerRecord memory record = _miners[s.miner];
            if (s.accepted) ++record.accepted;
            ++record.served;
            record.received = _saturated(record.received, s.received);
            record.offered = _saturated(record.offered, s.offered);
            _miners[s.miner] = record;
            emit MinerRecorded(s.miner, record.accepted, record.served, record.received, record.offered);
        }
    }

    /// @inheritdoc IReputation
    function recordTrainers(address[] calldata trainers, uint16[] calldata qualities) external onlyTask {
        for (uint256 i; i < trainers.length; ++i) {
            uint16 quality = uint16((uint256(_trainers[trainers[i]]) + qualities[i]) / 2);
            _trainers[trainers[i]] = quality;
            emit TrainerRecorded(trainers[i], quality);
        }
    }

    /// @inheritdoc IReputation
    function minerRecord(address miner) external view returns (MinerRecord memory) {
        return _miners[miner];
    }

    /// @inheritdoc IReputation
    function minerReputation(address miner) external view returns (uint16) {
        MinerRecord memory record = _miners[miner];
        if (record.served == 0 || record.offered == 0) return 0;
        uint256 blocks = uint256(record.accepted) * type(uint16).max / record.served;
        uint256 rewards = uint256(record.received) * type(uint16).max / record.offered;
        return uint16(blocks < rewards ? blocks : rewards);
    }

    /// @inheritdoc IReputation
    function trainerQuality(address trainer) external view returns (uint16) {
        return _trainers[trainer];
    }

    /// @dev A full record must never stop a task from finalising.
    function _saturated(uint96 a, uint96 b) private pure returns (uint96) {
        uint256 sum = uint256(a) + b;
        return sum > type(uint96).max ? type(uint96).max : uint96(sum);
    }
}
