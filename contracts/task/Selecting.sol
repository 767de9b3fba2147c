// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Bid, Miner, Phase, Role, State, Terms, TrainerSeat, Update} from "../interfaces/TaskTypes.sol";
import {BidHeap} from "../libraries/BidHeap.sol";
import {Money} from "../libraries/Money.sol";
import {Selection} from "../libraries/Selection.sol";
import {STANDING_WORDS, Standings} from "../libraries/Standings.sol";
import {Closing} from "./Closing.sol";

/// @title From bids to seats (paper, section III-B, function 2)
abstract contract Selecting is Closing {
    using Standings for uint256[STANDING_WORDS];

    /// @notice See {ILearningTask}.
    function cancel() external {
        if (msg.sender != _publisher()) revert LearningTask_NotPublisher(msg.sender);
        Phase actual = _clock(_terms()).phase;
        if (actual != Phase.Bidding && actual != Phase.Select) {
            revert LearningTask_WrongPhase(actual, Phase.Bidding);
        }
        emit Cancelled();
        _refundAll(Role.Trainer);
        _refundAll(Role.Miner);
        _close(State.Aborted, false);
    }

    /// @notice See {ILearningTask}.
    function select() external {
        Terms memory t = _require(Phase.Select);
        (address[] memory miners, bool[] memory takenMiners, uint256 highestFee) = _chooseMiners(t);
        uint256 budget = Money.budget(t.reward, highestFee, t.rounds);
        (address[] memory trainers, bool[] memory takenTrainers, uint256 cap) = _chooseTrainers(budget);

        if (_taken(takenMiners) < t.minMiners || _taken(takenTrainers) < t.minTrainers) {
            _refundAll(Role.Trainer);
            _refundAll(Role.Miner);
            _close(State.Aborted, false);
            return;
        }
        _state = State.Running;
        _highestFee = uint80(highestFee);
        for (uint256 i; i < trainers.length; ++i) {
            if (takenTrainers[i]) _seatTrainer(trainers[i], cap, t.startQuality);
            else emit NotSelected(Role.Trainer, trainers[i], _refund(Role.Trainer, trainers[i]));
        }
        for (uint256 i; i < miners.length; ++i) {
            if (takenMiners[i]) _seatMiner(miners[i]);
            else emit NotSelected(Role.Miner, miners[i], _refund(Role.Miner, miners[i]));
        }
        _startRound();
    }

    function _chooseMiners(Terms memory t)
        private
        view
        returns (address[] memory ranked, bool[] memory taken, uint256 highestFee)
    {
        ranked = _ranked(Role.Miner);
        taken = new bool[](ranked.length);
        uint256 budget = Money.share(t.reward, t.minerShare);
        for (uint256 i; i < ranked.length; ++i) {
            uint256 fee = _bids[uint256(Role.Miner)][ranked[i]].price;
            if (fee * t.rounds > budget) continue; // one block a round: the highest fee is what must be covered
            taken[i] = true;
            if (fee > highestFee) highestFee = fee;
        }
    }

    function _chooseTrainers(uint256 budget)
        private
        view
        returns (address[] memory ranked, bool[] memory taken, uint256 cap)
    {
        ranked = _ranked(Role.Trainer);
        uint256[] memory prices = new uint256[](ranked.length);
        uint256[] memory offers = new uint256[](ranked.length);
        for (uint256 i; i < ranked.length; ++i) {
            Bid storage bid = _bids[uint256(Role.Trainer)][ranked[i]];
            (prices[i], offers[i]) = (bid.price, bid.samples);
        }
        (taken, cap) = Selection.choose(prices, offers, budget);
    }

    function _seatTrainer(address account, uint256 cap, uint16 quality) private {
        Bid storage bid = _bids[uint256(Role.Trainer)][account];
        uint8 seat = _trainerCount++;
        uint32 counted = uint32(bid.samples < cap ? bid.samples : cap);
        // Prices are at most `maxPrice`, 64 bits.
        _trainers[seat] = TrainerSeat(account, uint64(bid.price), 0, 0, 0, bid.deposit);
        _updates[account] = Update(0, 0, 0, seat + 1);
        _standings.write(seat, counted, quality);
        emit Selected(Role.Trainer, seat, account, bid.price, counted);
    }

    function _seatMiner(address account) private {
        Bid storage bid = _bids[uint256(Role.Miner)][account];
        uint8 seat = _minerCount++;
        bid.seat = seat + 1;
        Miner storage mi = _miners[seat];
        mi.account = account;
        mi.fee = bid.price;
        mi.trainerSeat = _updates[account].seat;
        mi.deposit = bid.deposit;
        emit Selected(Role.Miner, seat, account, bid.price, 0);
    }

    function _ranked(Role role) private view returns (address[] memory accounts) {
        uint256[] memory keys = _heaps[uint256(role)];
        BidHeap.sort(keys);
        accounts = new address[](keys.length);
        for (uint256 i; i < keys.length; ++i) accounts[i] = address(uint160(keys[i]));
    }

    function _refundAll(Role role) private {
        uint256[] storage heap = _heaps[uint256(role)];
        for (uint256 i; i < heap.length; ++i) {
            address account = address(uint160(heap[i]));
            emit NotSelected(role, account, _refund(role, account));
        }
    }

    function _taken(bool[] memory taken) private pure returns (uint256 count) {
        for (uint256 i; i < taken.length; ++i) if (taken[i]) ++count;
    }
}
