// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskEvents} from "../../../contracts/interfaces/ITaskEvents.sol";
import {Bid, Miner, Phase, Role, State, Terms, Trainer} from "../../../contracts/interfaces/TaskTypes.sol";
import {Scenario} from "../utils/Scenario.sol";
import {Vm} from "../utils/Test.sol";

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

    // ------------------------------------------------------------------ B09

    /// @dev Prices are compared in steps of a hundredth of the maximum: a wei less wins nothing against who came first.
    function test_B09_undercutByOneWeiWinsNothing() public {
        _fillWithPrices(10.5 gwei, FEE);
        address thief = _trainerName(9);
        uint256 deposit = uint256(SAMPLES) * terms.trainerDeposit;
        vm.deal(thief, deposit + terms.minerDeposit);
        bytes memory outbid = abi.encodeWithSelector(ITaskEvents.LearningTask_Outbid.selector);
        vm.prank(thief);
        vm.expectRevert(outbid);
        task.bidAsTrainer{value: deposit}(SAMPLES, 10.5 gwei - 1, 1);
        vm.prank(thief);
        vm.expectRevert(outbid);
        task.bidAsMiner{value: terms.minerDeposit}(FEE + terms.maxFee / 200 - 1);
        vm.assertEq(thief.balance, deposit + terms.minerDeposit, "money back");

        // A whole step does, and pushes out the latest of its equals.
        _bidTrainer(thief, SAMPLES, 9.9 gwei);
        vm.assertEq(_depositOf(Role.Trainer, _trainerName(3)), 0, "the latest is displaced");
        vm.assertEq(task.withdrawable(_trainerName(3)), deposit, "and owed its deposit");
    }

    /// @dev A round price is the one that honest bidders ask; it must not be the one that a wei less beats.
    function test_B09_roundPricesAreNoEdge() public {
        _fillWithPrices(10 gwei, FEE);
        address thief = _trainerName(9);
        uint256 deposit = uint256(SAMPLES) * terms.trainerDeposit;
        vm.deal(thief, deposit);
        vm.prank(thief);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_Outbid.selector));
        task.bidAsTrainer{value: deposit}(SAMPLES, 10 gwei - 1, 1);
    }

    /// @dev Waiting wins nothing: among equals the earliest stays, in one block too, whatever the addresses are.
    function test_B09_lastSecondBidsLoseTies() public {
        for (uint256 i; i < 2; ++i) {
            _fillWithPrices(10.5 gwei, FEE);
            if (i == 0) vm.warp(task.status().deadline - 1);
            uint256 deposit = uint256(SAMPLES) * terms.trainerDeposit;
            for (uint256 k = 10; k < 16; ++k) {
                address late = _trainerName(k);
                vm.deal(late, deposit);
                vm.prank(late);
                vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_Outbid.selector));
                task.bidAsTrainer{value: deposit}(SAMPLES, 10.5 gwei, 1);
            }
            _bidTrainer(_trainerName(8), SAMPLES + 1, 10.5 gwei); // a larger offer is better, also late
            vm.assertEq(_depositOf(Role.Trainer, _trainerName(3)), 0, "displaced");
            vm.warp(task.status().deadline);
            vm.prank(_trainerName(10));
            _expectWrongPhase(Phase.Select, Phase.Bidding);
            task.bidAsTrainer{value: deposit}(SAMPLES, 0, 1);
            _select();
            vm.assertEq(trainers[0], _trainerName(8), "the larger offer");
            for (uint256 k = 1; k < 4; ++k) vm.assertEq(trainers[k], _trainerName(k - 1), "the earliest");
        }
    }

    function _fillWithPrices(uint64 price, uint80 fee) private {
        Terms memory t = _defaultTerms();
        t.closeWhenFull = false;
        _deploy(0);
        _publish(t);
        for (uint256 i; i < 4; ++i) _bidTrainer(_trainerName(i), SAMPLES, price);
        for (uint256 m; m < 3; ++m) _bidMiner(_minerName(m), fee + t.maxFee / 200);
    }

    // ------------------------------------------------------------------ refusals

    /// @dev One beyond what the terms allow is refused by name, and costs nothing; at the end of the range it is taken.
    function test_bidsOutsideOfTheTermsAreRefused() public {
        _deploy(0);
        _publish(_defaultTerms());
        address bidder = _trainerName(0);
        vm.deal(bidder, 100 ether);
        uint32 few = terms.minSamples;
        uint256 deposit = uint256(few) * terms.trainerDeposit;
        _expectRefused(ITaskEvents.LearningTask_TooFewSamples.selector, few - 1, few);
        vm.prank(bidder);
        task.bidAsTrainer{value: deposit - terms.trainerDeposit}(few - 1, PRICE, 1);
        _expectRefused(ITaskEvents.LearningTask_PriceTooHigh.selector, terms.maxPrice + 1, terms.maxPrice);
        vm.prank(bidder);
        task.bidAsTrainer{value: deposit}(few, terms.maxPrice + 1, 1);
        _expectRefused(ITaskEvents.LearningTask_PriceTooHigh.selector, terms.maxFee + 1, terms.maxFee);
        vm.prank(bidder);
        task.bidAsMiner{value: terms.minerDeposit}(terms.maxFee + 1);
        vm.assertEq(bidder.balance, 100 ether, "money back");

        vm.prank(bidder);
        task.bidAsTrainer{value: deposit}(few, terms.maxPrice, 1);
        vm.prank(bidder);
        task.bidAsMiner{value: terms.minerDeposit}(terms.maxFee);
        vm.assertEq(task.bidOf(Role.Trainer, bidder).price, terms.maxPrice, "price");
        vm.assertEq(task.bidOf(Role.Miner, bidder).price, terms.maxFee, "fee");
        vm.assertEq(bidder.balance, 100 ether - deposit - terms.minerDeposit, "deposits");
    }

    /// @dev One bid an account and role, whatever the second one offers.
    function test_aSecondBidIsRefused() public {
        _deploy(0);
        _publish(_defaultTerms());
        address bidder = _trainerName(0);
        _bidTrainer(bidder, SAMPLES, PRICE);
        _bidMiner(bidder, FEE);
        vm.deal(bidder, 100 ether);
        bytes memory again = abi.encodeWithSelector(ITaskEvents.LearningTask_AlreadyBid.selector, bidder);
        vm.expectRevert(again);
        vm.prank(bidder);
        task.bidAsTrainer{value: uint256(SAMPLES) * terms.trainerDeposit}(SAMPLES, 0, 1);
        vm.expectRevert(again);
        vm.prank(bidder);
        task.bidAsMiner{value: terms.minerDeposit}(0);
        vm.assertEq(task.bidOf(Role.Trainer, bidder).price, PRICE, "the first one stands");
        vm.assertEq(task.bidCount(Role.Trainer) + task.bidCount(Role.Miner), 2, "one each");
    }

    /// @dev What a bid leaves: its numbers, no seat, one event, and no word of anybody displaced.
    function test_aBidIsWhatWasOffered() public {
        _deploy(0);
        _publish(_defaultTerms());
        address bidder = _trainerName(0);
        uint80 deposit = uint80(uint256(SAMPLES) * terms.trainerDeposit);
        vm.recordLogs();
        _bidTrainer(bidder, SAMPLES, PRICE);
        _expectBid(Role.Trainer, Bid(deposit, PRICE, SAMPLES, 1, 0), bidder);
        _bidMiner(bidder, FEE);
        _expectBid(Role.Miner, Bid(terms.minerDeposit, FEE, 0, 0, 0), bidder);
    }

    function _expectBid(Role role, Bid memory bid, address bidder) private {
        vm.assertEq(keccak256(abi.encode(task.bidOf(role, bidder))), keccak256(abi.encode(bid)), "bid");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, 1, "events");
        vm.assertEq(logs[0].topics[0], ITaskEvents.BidPlaced.selector, "event");
        vm.assertEq(uint256(logs[0].topics[1]), uint256(role), "role");
        vm.assertEq(address(uint160(uint256(logs[0].topics[2]))), bidder, "bidder");
        bytes memory data = abi.encode(bid.price, bid.samples, bid.trainingTime, bid.deposit);
        vm.assertEq(keccak256(logs[0].data), keccak256(data), "numbers");
    }

    // ------------------------------------------------------------------ seats

    /// @dev Exactly as many as the terms ask for begin; one less of either kind, and all have their deposits back.
    function test_asFewAsTheTermsAskFor() public {
        Terms memory t = _defaultTerms();
        (t.minTrainers, t.minMiners) = (3, 2);
        _deploy(0);
        for (uint256 k; k < 3; ++k) {
            (uint256 trainersLess, uint256 minersLess) = (k == 1 ? 1 : 0, k == 2 ? 1 : 0);
            _publish(t);
            for (uint256 i; i < 3 - trainersLess; ++i) _bidTrainer(_trainerName(i), SAMPLES, PRICE);
            for (uint256 m; m < 2 - minersLess; ++m) _bidMiner(_minerName(m), FEE);
            _select();
            vm.assertEq(uint256(task.status().state), uint256(k == 0 ? State.Running : State.Aborted), "state");
            if (k == 0) {
                _expectSeats();
                continue;
            }
            uint256 deposit = uint256(SAMPLES) * t.trainerDeposit;
            for (uint256 i; i < 3 - trainersLess; ++i) vm.assertEq(_withdraw(_trainerName(i)), deposit, "trainer");
            for (uint256 m; m < 2 - minersLess; ++m) vm.assertEq(_withdraw(_minerName(m)), t.minerDeposit, "miner");
            vm.assertEq(_withdraw(publisher), t.reward, "reward");
            vm.assertEq(address(task).balance, 0, "left");
        }
    }

    function _expectSeats() private view {
        uint80 deposit = uint80(uint256(SAMPLES) * terms.trainerDeposit);
        for (uint8 i; i < 3; ++i) {
            Trainer memory tr;
            (tr.account, tr.cap, tr.quality) = (trainers[i], SAMPLES, terms.startQuality);
            (tr.deposit, tr.price) = (deposit, PRICE);
            vm.assertEq(keccak256(abi.encode(task.trainer(i))), keccak256(abi.encode(tr)), "trainer");
            vm.assertEq(task.bidOf(Role.Trainer, tr.account).seat, i + 1, "seat");
        }
        for (uint8 m; m < 2; ++m) {
            Miner memory mi;
            (mi.account, mi.fee, mi.deposit) = (miners[m], FEE, terms.minerDeposit);
            vm.assertEq(keccak256(abi.encode(task.miner(m))), keccak256(abi.encode(mi)), "miner");
            vm.assertEq(task.bidOf(Role.Miner, mi.account).seat, m + 1, "seat");
        }
    }

    function _expectRefused(bytes4 why, uint256 actual, uint256 limit) private {
        vm.expectRevert(abi.encodeWithSelector(why, actual, limit));
    }

    // ------------------------------------------------------------------ B11

    /// @dev One data set under one address or under two: the same deposit, not a wei more pay, and nobody starts with
    /// a reputation.
    function test_B11_splittingADataSetWinsNothing(uint256 seed) public {
        uint32 whole = uint32(_within(seed, 200, 2 * SAMPLES));
        uint32 part = uint32(_within(seed >> 32, 100, whole - 100));
        uint256 one = _payOfSplit(whole, 0);
        uint256 deposits = _depositOf(Role.Trainer, _trainerName(8));
        uint256 two = _payOfSplit(part, whole - part);
        vm.assertLe(two, one, "gain");
        vm.assertLe(one - two, 3 * 2, "pay is linear but for flooring");
        vm.assertEq(
            _depositOf(Role.Trainer, _trainerName(8)) + _depositOf(Role.Trainer, _trainerName(9)), deposits, "deposits"
        );
        vm.assertEq(registry.trainerQuality(_trainerName(10)), 0, "unknown is lowest");
    }

    /// @dev What one or two sybils earn in a whole task beside three honest trainers.
    function _payOfSplit(uint32 a, uint32 b) private returns (uint256 pay) {
        Terms memory t = _defaultTerms();
        t.trainerSlots = 5;
        t.closeWhenFull = false;
        t.minSamples = 100;
        _deploy(0);
        _publish(t);
        for (uint256 i; i < 3; ++i) _bidTrainer(_trainerName(i), SAMPLES, PRICE);
        _bidTrainer(_trainerName(8), a, PRICE);
        if (b != 0) _bidTrainer(_trainerName(9), b, PRICE);
        for (uint256 m; m < 3; ++m) _bidMiner(_minerName(m), FEE);
        _select();
        for (uint256 i; i < t.rounds; ++i) _playRound();
        for (uint256 i; i < trainers.length; ++i) {
            bool sybil = trainers[i] == _trainerName(8) || trainers[i] == _trainerName(9);
            if (sybil) pay += task.trainer(uint8(i)).earned;
        }
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
