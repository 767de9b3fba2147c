// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BASIS, Fault, Miner, Role, State, Terms, TrainerSeat} from "../interfaces/TaskTypes.sol";
import {STANDING_WORDS, Standings} from "../libraries/Standings.sol";
import {TaskBase} from "./TaskBase.sol";

/// @title Penalties, and the end of a task
abstract contract Closing is TaskBase {
    using Standings for uint256[STANDING_WORDS];

    // ------------------------------------------------------------------ penalties

    /// @dev Strikes the trainer on `seat` for `fault` and burns a part of its deposit.
    function _punishTrainer(Terms memory t, uint8 seat, Fault fault) internal {
        TrainerSeat storage tr = _trainers[seat];
        uint256 original = _bids[uint256(Role.Trainer)][tr.account].deposit;
        uint256 amount = _burntPart(t, fault, original, tr.deposit);
        tr.deposit -= uint80(amount);
        _burnt += amount;
        emit Slashed(_round.id, Role.Trainer, seat, fault, amount);
        _strikeTrainer(t, seat);
    }

    function _strikeTrainer(Terms memory t, uint8 seat) internal {
        TrainerSeat storage tr = _trainers[seat];
        // Without a deposit nothing holds it to account any more.
        tr.strikes = tr.deposit == 0 ? uint8(t.maxStrikes) : tr.strikes + 1;
        emit Struck(_round.id, Role.Trainer, seat, tr.strikes);
        if (tr.strikes < t.maxStrikes) return;
        _updates[tr.account].round = STRUCK;
        emit StruckOut(_round.id, Role.Trainer, seat);
    }

    /// @dev Strikes the miner on `seat` for `fault` and burns a part of its deposit.
    function _punishMiner(Terms memory t, uint8 seat, Fault fault) internal {
        Miner storage mi = _miners[seat];
        uint256 original = _bids[uint256(Role.Miner)][mi.account].deposit;
        uint256 amount = _burntPart(t, fault, original, mi.deposit);
        mi.deposit -= uint80(amount);
        _burnt += amount;
        emit Slashed(_round.id, Role.Miner, seat, fault, amount);
        _strikeMiner(t, seat);
    }

    /// @dev Takes all that is left of the deposit of the miner on `seat`, for a result that was refuted.
    /// @return amount wei, half of which is burnt
    function _forfeit(Terms memory t, uint8 seat) internal returns (uint256 amount) {
        Miner storage mi = _miners[seat];
        amount = mi.deposit;
        mi.deposit = 0;
        mi.stakes = 0;
        mi.provenRound = _round.id;
        _burnt += amount - amount / 2;
        emit Slashed(_round.id, Role.Miner, seat, Fault.ProvenWrong, amount);
        _strikeMiner(t, seat);
    }

    function _strikeMiner(Terms memory t, uint8 seat) internal {
        Miner storage mi = _miners[seat];
        mi.strikes = mi.deposit == 0 ? uint8(t.maxStrikes) : mi.strikes + 1;
        emit Struck(_round.id, Role.Miner, seat, mi.strikes);
        if (mi.strikes >= t.maxStrikes) emit StruckOut(_round.id, Role.Miner, seat);
    }

    /// @dev Provable faults cost a share of the original deposit, opinions a fixed penalty; rounded against the
    /// offender, never more than is left.
    function _burntPart(
        Terms memory t,
        Fault fault,
        uint256 original,
        uint256 left
    ) private pure returns (uint256 amount) {
        bool provable = fault == Fault.NotRevealed || fault == Fault.NotSealed || fault == Fault.NotOpened;
        amount = provable
            ? (original * t.slashShare + BASIS - 1) / BASIS
            : t.penalty;
        if (amount > left) amount = left;
    }

    // ------------------------------------------------------------------ close

    /// @dev Ends the task: what is left of the reward goes to the publisher, burns go to the zero address, trainers'
    /// qualities to the registry.
    function _close(State state, bool early) internal {
        uint256 toPublisher = _pool;
        uint256 toBurn = _burnt;
        _state = state;
        _round.running = false;
        _pool = 0;
        _owed[_publisher()] += toPublisher;
        if (state == State.Completed) emit TaskCompleted(early, toPublisher);
        else emit TaskAborted(toPublisher);
        if (toBurn != 0) {
            emit Burnt(toBurn);
            (bool sent,) = address(0).call{value: toBurn}("");
            if (!sent) revert LearningTask_TransferFailed(address(0));
        }
        _recordTrainers();
    }

    function _recordTrainers() private {
        uint256 n = _trainerCount;
        if (n == 0) return;
        address[] memory accounts = new address[](n);
        uint16[] memory qualities = new uint16[](n);
        uint256 limit = _terms().maxStrikes;
        for (uint256 i; i < n; ++i) {
            TrainerSeat storage tr = _trainers[i];
            accounts[i] = tr.account;
            // Who was never paid, or was struck out, earned no trust.
            if (tr.paidRounds != 0 && tr.strikes < limit) (, qualities[i]) = _standings.read(i);
        }
        _reputation().recordTrainers(accounts, qualities);
    }
}
