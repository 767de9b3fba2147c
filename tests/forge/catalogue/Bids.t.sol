// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskEvents} from "../../../contracts/interfaces/ITaskEvents.sol";
import {Phase, Role, Terms, Trainer} from "../../../contracts/interfaces/TaskTypes.sol";
import {Scenario} from "../utils/Scenario.sol";

/// @notice What a bid is worth.
contract BidsTest is Scenario {
    // ------------------------------------------------------------------ B10

    /// @dev Samples count up to three times the median of the selected offers, for pay as for weight.
    function test_B10_exaggeratedSizeIsCappedAtThreeMedians() public {
        _startWithOneLargeOffer(10);
        Trainer memory liar = task.trainer(0);
        vm.assertEq(liar.account, _trainerName(0), "the largest offer ranks first");
        vm.assertEq(liar.cap, 3 * SAMPLES, "cap");
        vm.assertEq(task.trainer(1).cap, SAMPLES, "the others keep their offers");

        _playRound();
        uint256 budget = (terms.reward - 3 * FEE) / 3;
        uint256 surplus = budget - 6 * uint256(SAMPLES) * PRICE;
        // Weights 3 : 1 : 1 : 1 although it claims ten times as much.
        vm.assertEq(task.trainer(0).earned, 3 * uint256(SAMPLES) * PRICE + surplus / 2, "paid for the cap");
        vm.assertEq(task.trainer(1).earned, uint256(SAMPLES) * PRICE + surplus / 6, "paid for its samples");
    }

    /// @dev What is revealed above the bid does not count either, and the claimed time moves no money.
    function test_B10_revealAboveTheBidCountsAsTheBid() public {
        _start(_defaultTerms());
        for (uint256 i; i < 4; ++i) {
            Update memory u = _updateOf(i);
            if (i == 0) (u.samples, u.trainingTime) = (type(uint32).max, type(uint32).max);
            _commit(i, u);
        }
        for (uint256 i; i < 4; ++i) {
            Update memory u = _updateOf(i);
            if (i == 0) (u.samples, u.trainingTime) = (type(uint32).max, type(uint32).max);
            _reveal(i, u);
        }
        _checkAll(_verdicts(0, OK));
        _sealAll();
        _propose(0);
        _openAll();
        _finalise();
        vm.assertEq(task.trainer(0).earned, task.trainer(1).earned, "same pay");
    }

    /// @dev A larger claim costs a larger deposit, and must fit the longest training time.
    function test_B10_claimsCostDepositAndTime() public {
        _deploy(0);
        _publish(_defaultTerms());
        address liar = _trainerName(0);
        uint256 honest = uint256(SAMPLES) * terms.trainerDeposit;
        vm.deal(liar, 100 ether);
        vm.prank(liar);
        vm.expectRevert(
            abi.encodeWithSelector(ITaskEvents.LearningTask_WrongDeposit.selector, honest, 10 * honest)
        );
        task.bidAsTrainer{value: honest}(10 * SAMPLES, PRICE, 1);

        uint32 perSample = 60e6 / SAMPLES; // microseconds
        vm.prank(liar);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITaskEvents.LearningTask_TooSlow.selector, uint256(SAMPLES) * (perSample + 1), 60e6
            )
        );
        task.bidAsTrainer{value: honest}(SAMPLES, PRICE, perSample + 1);
        vm.prank(liar);
        task.bidAsTrainer{value: honest}(SAMPLES, PRICE, perSample);
    }

    function _startWithOneLargeOffer(uint32 times) private {
        _deploy(0);
        _publish(_defaultTerms());
        for (uint256 i; i < 4; ++i) _bidTrainer(_trainerName(i), i == 0 ? times * SAMPLES : SAMPLES, PRICE);
        for (uint256 m; m < 3; ++m) _bidMiner(_minerName(m), FEE);
        _select();
    }

    // ------------------------------------------------------------------ A05

    /// @dev 2,000 bids for four slots: heap and cost of a bid stay bounded, the best four win, all others are free.
    /// forge-config: default.isolate = true
    function test_A05_bidsBeyondTheSlotsCostTheSameAndLeaveNoTrace() public {
        Terms memory t = _defaultTerms();
        t.closeWhenFull = false;
        _deploy(0);
        _publish(t);
        uint256 dearest;
        for (uint256 i; i < 2000; ++i) {
            address bidder = _trainerName(i);
            // Prices fall in steps of one bucket each twenty bids, so that a hundred times somebody is pushed out.
            uint64 price = uint64(100 gwei - (i / 20) * 1 gwei);
            uint256 deposit = uint256(SAMPLES) * t.trainerDeposit;
            vm.deal(bidder, deposit);
            vm.prank(bidder);
            (bool ok,) = address(task).call{value: deposit}(
                abi.encodeCall(task.bidAsTrainer, (SAMPLES, price, uint32(1)))
            );
            uint256 gas = vm.lastCallGas().gasTotalUsed;
            if (gas > dearest) dearest = gas;
            vm.assertEq(bidder.balance, ok ? 0 : deposit, "refused bids keep their money");
            vm.assertLe(task.bidCount(Role.Trainer), 4, "heap");
        }
        emit log_named_uint("gas of the dearest of 2,000 bids", dearest);
        vm.assertLt(dearest, 200_000, "gas per bid");

        for (uint256 m; m < 3; ++m) _bidMiner(_minerName(m), FEE);
        vm.warp(task.status().deadline);
        task.select();
        uint256 gasSelect = vm.lastCallGas().gasTotalUsed;
        vm.assertLt(gasSelect, 1_000_000, "select does not grow with the bids");
        _readSeats();
        for (uint256 i; i < 4; ++i) vm.assertEq(trainers[i], _trainerName(1980 + i), "the best, earliest first");
        for (uint256 i; i < 1980; ++i) _withdraw(_trainerName(i));
        vm.assertEq(
            address(task).balance,
            t.reward + 4 * uint256(SAMPLES) * t.trainerDeposit + 3 * uint256(t.minerDeposit),
            "reward and the deposits of the selected"
        );
        _expectPhase(Phase.Commit);
    }
}
