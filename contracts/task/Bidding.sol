// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Bid, Phase, Role, State, Terms} from "../interfaces/TaskTypes.sol";
import {BidHeap} from "../libraries/BidHeap.sol";
import {TaskBase} from "./TaskBase.sol";

/// @title Escrow and bids (paper, section III-B, functions 1 and 2)
abstract contract Bidding is TaskBase {
    using BidHeap for uint256[];

    /// @notice See {ILearningTask}.
    function initialise() external payable {
        if (msg.sender != _factory()) revert LearningTask_NotFactory(msg.sender);
        if (_state != State.None) revert LearningTask_WrongPhase(Phase.Bidding, Phase.Closed);
        Terms memory t = _terms();
        _state = State.Bidding;
        _biddingEnd = uint32(block.timestamp + t.biddingWindow);
        _roundsLeft = t.rounds;
        _pool = t.reward;
        _difficulty = t.difficulty;
        _head.root = t.initialRoot;
        _head.contentId = t.initialContent;
    }

    /// @notice See {ILearningTask}.
    function bidAsTrainer(uint32 samples, uint64 price, uint32 trainingTime) external payable {
        Terms memory t = _require(Phase.Bidding);
        if (samples < t.minSamples) revert LearningTask_TooFewSamples(samples, t.minSamples);
        if (price > t.maxPrice) revert LearningTask_PriceTooHigh(price, t.maxPrice);
        uint256 duration = uint256(samples) * trainingTime; // microseconds
        uint256 longest = uint256(t.maxTrainingTime) * 1e6;
        if (duration > longest) revert LearningTask_TooSlow(duration, longest);

        uint16 quality = _reputation().trainerQuality(msg.sender);
        uint256 key = BidHeap.key(price, t.maxPrice, quality, samples, ++_arrivals, msg.sender);
        uint80 deposit = uint80(uint256(samples) * t.trainerDeposit);
        _bid(Role.Trainer, t.trainerSlots, key, Bid(deposit, price, samples, trainingTime, 0));
    }

    /// @notice See {ILearningTask}.
    function bidAsMiner(uint80 fee) external payable {
        Terms memory t = _require(Phase.Bidding);
        if (fee > t.maxFee) revert LearningTask_PriceTooHigh(fee, t.maxFee);

        uint16 rank = _reputation().minerReputation(msg.sender);
        uint256 key = BidHeap.key(fee, t.maxFee, rank, 0, ++_arrivals, msg.sender);
        _bid(Role.Miner, t.minerSlots, key, Bid(t.minerDeposit, fee, 0, 0, 0));
    }

    function _bid(Role role, uint256 slots, uint256 key, Bid memory bid) private {
        mapping(address => Bid) storage bids = _bids[uint256(role)];
        if (bids[msg.sender].deposit != 0) revert LearningTask_AlreadyBid(msg.sender);
        if (msg.value != bid.deposit) revert LearningTask_WrongDeposit(msg.value, bid.deposit);

        (bool accepted, address displaced) = _heaps[uint256(role)].push(slots, key);
        if (!accepted) revert LearningTask_Outbid();
        bids[msg.sender] = bid;
        emit BidPlaced(role, msg.sender, bid.price, bid.samples, bid.trainingTime, bid.deposit);
        if (displaced != address(0)) emit BidDisplaced(role, displaced, _refund(role, displaced));
    }
}
