// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IReputation} from "../../../contracts/interfaces/IReputation.sol";
import {Role, Round, Stage, State, Status, Trainer} from "../../../contracts/interfaces/TaskTypes.sol";
import {Handler} from "./Handler.sol";

/// @notice The handler with the statements that hold after each of its calls.
contract WatchedHandler is Handler {
    function expectAll() public view {
        Status memory s = task.status();
        _expectEveryWeiAccounted(s);
        _expectDepositsWithinBids();
        _expectWeightsCapped();
        if (s.state == State.Running) _expectOneContributionEach(s);
    }

    /// @dev Every wei that came in is out, burnt, or on somebody's account; forced ether is on nobody's.
    function _expectEveryWeiAccounted(Status memory s) private view {
        bool closed = s.state == State.Completed || s.state == State.Aborted;
        uint256 burning = task.burnt();
        uint256 sent = closed ? burning : 0;
        uint256 balance = address(task).balance;
        vm.assertEq(balance, paidIn + forced - withdrawn - sent, "paid in = paid out + burnt + left");
        uint256 accounts = task.pool() + burning - sent + _owedToPeople() + (closed ? 0 : _atStake());
        accounts += _bondsHeld(s.round);
        vm.assertEq(balance, accounts + forced, "left = what is on the accounts");
        vm.assertEq(address(0).balance, burntBefore + sent, "burnt");
    }

    /// @dev Deposits never grow: what the bids say was paid is the most that there is to slash.
    function _expectDepositsWithinBids() private view {
        for (uint8 i; i < trainers.length; ++i) {
            vm.assertLe(task.trainer(i).deposit, _depositOf(Role.Trainer, trainers[i]), "trainer's deposit");
        }
        for (uint8 m; m < miners.length; ++m) {
            vm.assertLe(task.miner(m).deposit, _depositOf(Role.Miner, miners[m]), "miner's deposit");
        }
    }

    /// @dev n <= m and s <= t, for everybody and over all tasks.
    function expectRecordsInBounds() public view {
        for (uint256 i; i < people.length; ++i) {
            IReputation.MinerRecord memory record = registry.minerRecord(people[i]);
            vm.assertLe(record.accepted, record.served, "n <= m");
            vm.assertLe(record.received, record.offered, "s <= t");
        }
    }

    /// @dev What counts of an update is at most what its trainer's bid offered.
    function _expectWeightsCapped() private view {
        for (uint8 i; i < trainers.length; ++i) {
            vm.assertLe(task.trainer(i).cap, task.bidOf(Role.Trainer, trainers[i]).samples, "cap");
        }
    }

    /// @dev The round's counters are the participants' marks: one contribution each, by whom it was open to.
    function _expectOneContributionEach(Status memory s) private view {
        Round memory r = s.round;
        uint256 commits;
        uint256 reveals;
        for (uint8 i; i < trainers.length; ++i) {
            Trainer memory tr = task.trainer(i);
            if (tr.round != r.id) continue;
            ++commits;
            if (tr.stage == Stage.Revealed) ++reveals;
        }
        vm.assertEq(r.commits, commits, "commits");
        vm.assertEq(r.reveals, reveals, "reveals");
        vm.assertEq(_ones(r.revealed), reveals, "one reveal each");
        vm.assertLe(commits, r.activeTrainers, "committed although struck out");
        vm.assertEq((r.checkers | r.sealers) & ~(r.activeMiners | r.refuted), 0, "acted although struck out");
        vm.assertEq(r.openers & ~r.sealers, 0, "opened without a seal");
        vm.assertEq(r.proposers & ~r.openers, 0, "proposed without opening");
        vm.assertGt(s.roundsLeft, 0, "rounds left");
    }
}
