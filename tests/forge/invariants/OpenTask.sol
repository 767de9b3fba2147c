// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LearningTask} from "../../../contracts/LearningTask.sol";
import {Role, Stake, State, TrainerSeat} from "../../../contracts/interfaces/TaskTypes.sol";
import {STANDING_WORDS, Standings} from "../../../contracts/libraries/Standings.sol";

uint256 constant MAX_TRAINERS = 7; // of a task in the campaign
uint256 constant MAX_MINERS = 4;

/// @notice What a task's storage says of money and of the round's updates, as stored: no rule of the contract is applied
/// to it.
struct Books {
    uint256 pool;
    uint256 burnt;
    uint256 owed; // to all accounts
    uint256 bids; // deposits of bids, before there are seats
    uint256 bonds; // that are neither lost nor given back; a number
    uint256[MAX_TRAINERS + MAX_MINERS] earned; // by trainer seat; then by miner seat, from MAX_TRAINERS on
    uint256[MAX_TRAINERS + MAX_MINERS] deposits;
    uint256[MAX_TRAINERS] rounds; // last committed in
    uint256[MAX_TRAINERS] samples; // revealed there
    uint256[MAX_TRAINERS] caps;
    uint256[MAX_TRAINERS] qualities;
}

/// @notice A task that shows its books in one call: forty views would take most of a campaign's time.
contract OpenTask is LearningTask {
    using Standings for uint256[STANDING_WORDS];

    constructor(
        address bidding_,
        address blocks_,
        address settlement_
    ) LearningTask(bidding_, blocks_, settlement_) {}

    function books(address[] calldata accounts, bytes32[] calldata claims) external view returns (Books memory b) {
        (b.pool, b.burnt) = (_pool, _burnt);
        bool bidding = _state == State.Bidding;
        for (uint256 i; i < accounts.length; ++i) {
            address account = accounts[i];
            b.owed += _owed[account];
            if (!bidding) continue;
            b.bids += uint256(_bids[uint256(Role.Trainer)][account].deposit) + _bids[uint256(Role.Miner)][account].deposit;
        }
        uint256 n = _trainerCount;
        for (uint256 i; i < n; ++i) {
            TrainerSeat storage tr = _trainers[i];
            address account = tr.account;
            (b.earned[i], b.deposits[i]) = (tr.earned, tr.deposit);
            (b.rounds[i], b.samples[i]) = (_updates[account].round, _updates[account].samples);
            (b.caps[i], b.qualities[i]) = _standings.read(i);
        }
        n = _minerCount;
        for (uint256 m; m < n; ++m) {
            b.earned[MAX_TRAINERS + m] = _miners[m].earned;
            b.deposits[MAX_TRAINERS + m] = _miners[m].deposit;
        }
        bool running = _round.running;
        for (uint256 i; i < claims.length; ++i) {
            Stake storage stake = _stakes[claims[i]];
            if (stake.challenger == address(0)) continue;
            uint16 round = stake.round;
            // Of a claim in the running round, or one that may be taken back.
            if ((running && round == _round.id) || _miners[stake.seat].provenRound == round) ++b.bonds;
        }
        // The first bond against each result lies with its miner; so does that of who refuted it, until the round is
        // settled.
        for (uint256 m; m < n; ++m) if (_miners[m].accuser != address(0)) ++b.bonds;
    }
}
