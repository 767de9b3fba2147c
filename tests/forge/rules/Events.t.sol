// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {
    Miner,
    Opening,
    Phase,
    Role,
    Stage,
    State,
    Status,
    Terms,
    Trainer
} from "../../../contracts/interfaces/TaskTypes.sol";
import {Medians} from "../utils/Medians.sol";
import {Preimages} from "../utils/Preimages.sol";
import {Rebuild} from "../utils/Rebuild.sol";
import {Scenario} from "../utils/Scenario.sol";

/// @notice Logs alone tell the whole task: after each step of an eventful one, what they add up to is its state.
contract EventsTest is Scenario, Rebuild {
    using Medians for uint256[];

    uint32 private constant PARAMETERS = 32; // one leaf, which is the whole tree

    function setUp() public {
        _deploy(0);
        vm.recordLogs();
    }

    function test_logsAloneRebuildAFinishedTask() public {
        Terms memory t = _defaultTerms();
        t.rounds = 8;
        t.blockTime = 4;
        t.targetAccuracy = 9500;
        t.closeWhenFull = false;
        _publish(t);
        _bidEventfully();
        _compare();

        _playSlowly(); // the difficulty falls
        _compare();
        _playWithFaults();
        _compare();
        _playToSeal(); // void: nobody seals
        _finalise();
        _compare();
        task.withdraw(trainers[0]);
        _compare();
        accuracy = 9600;
        _playRound();
        _playRound();
        vm.assertEq(uint256(task.status().state), uint256(State.Completed), "early end");
        vm.assertTrue(task.status().roundsLeft != 0, "with rounds left");
        _compare();
        for (uint256 i; i < 9; ++i) _withdraw(_trainerName(i));
        for (uint256 m; m < 3; ++m) _withdraw(_minerName(m));
        _withdraw(publisher);
        _compare();
        vm.assertTrue(book.burnSent, "burn");
        vm.assertEq(book.withdrawn + book.burnt, book.paidIn, "paid in = paid out + burnt");
    }

    function test_logsAloneRebuildACancelledTask() public {
        _publish(_defaultTerms());
        _fill();
        vm.prank(publisher);
        task.cancel();
        _compare();
        vm.assertEq(uint256(book.state), uint256(State.Aborted), "state");
        for (uint256 i; i < 4; ++i) vm.assertEq(_withdrawable(_trainerName(i)), _withdraw(_trainerName(i)), "refund");
    }

    /// @dev A refuted result, bonds that are lost, returned and paid, an answer, and fast blocks of every fate.
    function test_logsAloneRebuildDisputesAndFastBlocks() public {
        Terms memory t = _defaultTerms();
        (t.rounds, t.parameterCount, t.fastBlocks) = (5, PARAMETERS, 1);
        _publish(t);
        _fill();
        _select();
        _compare();

        _playDisputed();
        _playFast(false);
        vm.assertEq(task.status().round.id, 3, "final without a vote");
        _playFast(true);
        _playRefutedFast();
        _finalise();
        _compare();
        _playToSeal();
        _sealAll(); // the only miner that is left
        _propose(1);
        _finalise();
        _compare();
        vm.assertEq(uint256(task.status().state), uint256(State.Completed), "state");
        for (uint256 i; i < 4; ++i) _withdraw(_trainerName(i));
        for (uint256 m; m < 3; ++m) _withdraw(_minerName(m));
        _withdraw(publisher);
        _withdraw(_named("watcher"));
        _withdraw(_named("second"));
        _compare();
        vm.assertEq(book.withdrawn + book.burnt, book.paidIn, "paid in = paid out + burnt");
        vm.assertEq(book.bonds, 0, "bonds");
    }

    // ------------------------------------------------------------------ disputes

    /// @dev Miner 2 withholds what is below its result; two claim so, the second in vain; a third doubts miner 0, gets
    /// an answer and loses.
    function _playDisputed() private {
        _playToSeal();
        _seal(0, _honest(0));
        _seal(1, _honest(1));
        Opening memory lie = _withheld(2);
        _seal(2, lie);
        _propose(0);
        _openAll();
        bytes32 claim = _ask("watcher", 2, lie);
        bytes32 second = _ask("second", 2, lie);
        bytes memory leaf = _leaf();
        bytes32 doubt = _ask("watcher", 0, _honest(0));
        _commitClaim("second", 2, "never shown");
        _compare();
        task.answer(doubt, leaf);
        _compare();
        vm.warp(block.timestamp + terms.responseWindow);
        vm.roll(block.number + 1);
        task.expire(second); // shown first, in the same block committed
        _compare();
        task.expire(claim);
        _compare();
        _finalise();
        _compare();
        task.reclaim(Preimages.claim(2, "never shown", _named("second")));
        _compare();
        vm.assertTrue(task.miner(2).deposit == 0 && seats[Role.Miner][2].out, "refuted");
        _withdraw(_named("watcher"));
        _compare();
    }

    function _playFast(bool drawn) private {
        _playToSeal();
        _proposeFast(0, _honest(0));
        _compare();
        _nextBlock(drawn);
        if (drawn) {
            _sealAll();
            _propose(1);
            _openAll();
        }
        _finalise();
        _compare();
    }

    function _playRefutedFast() private {
        _playToSeal();
        Opening memory lie = _withheld(0);
        _proposeFast(0, lie);
        _nextBlock(false);
        bytes32 claim = _ask("second", 0, lie);
        _compare();
        vm.warp(block.timestamp + terms.responseWindow);
        task.expire(claim);
        _compare();
        _seal(1, _honest(1));
        _propose(1);
    }

    function _nextBlock(bool drawn) private {
        vm.roll(block.number + 1);
        vm.setBlockhash(block.number - 1, bytes32(uint256(drawn ? 8 : 9)));
    }

    function _ask(string memory name, uint8 seat, Opening memory o) private returns (bytes32) {
        address asker = _named(name);
        vm.deal(asker, asker.balance + terms.challengeBond);
        vm.prank(asker);
        task.question{value: terms.challengeBond}(seat, o.root, o.contentId, 0, 0, o.root, new bytes32[](0));
        return Preimages.question(Preimages.At(address(task), _round(), 0, asker), seat, 0, 0);
    }

    function _commitClaim(string memory name, uint8 seat, bytes32 digest) private {
        address challenger = _named(name);
        vm.deal(challenger, challenger.balance + terms.challengeBond);
        vm.prank(challenger);
        task.commitChallenge{value: terms.challengeBond}(seat, digest);
    }

    function _leaf() private view returns (bytes memory) {
        return bytes.concat(new bytes(126), bytes2(_round()));
    }

    function _withheld(uint256 m) private view returns (Opening memory o) {
        o = _honest(m);
        o.root = "withheld";
    }

    function _honest(uint256 m) internal view override returns (Opening memory o) {
        o = super._honest(m);
        bytes32 top = keccak256(bytes.concat(hex"00", _leaf()));
        o.root = keccak256(abi.encodePacked(uint8(2), PARAMETERS, uint32(1), top));
    }

    // ------------------------------------------------------------------ what happens

    /// @dev Nine trainers bid for four slots, some are pushed out, one that holds a slot is too dear in the end; one
    /// account is trainer and miner.
    function _bidEventfully() private {
        for (uint256 i; i < 6; ++i) _bidTrainer(_trainerName(i), SAMPLES, uint64((10 + 10 * (6 - i)) * 1 gwei));
        for (uint256 i = 6; i < 9; ++i) _bidTrainer(_trainerName(i), uint32(SAMPLES + 100 * i), uint64(i) * 1 gwei);
        _bidMiner(_trainerName(8), 0.01 ether);
        _bidMiner(_minerName(0), 0.02 ether);
        _bidMiner(_minerName(1), 0.03 ether);
        _select();
        vm.assertEq(trainers[0], _trainerName(6), "seat 0");
    }

    function _playSlowly() private {
        _playToSeal();
        _sealAll();
        vm.warp(block.timestamp + 60);
        _propose(2);
        vm.warp(block.timestamp + 5);
        _propose(0);
        _openAll();
        _finalise();
        vm.assertTrue(task.status().difficulty != terms.difficulty, "difficulty");
    }

    /// @dev One withholds its reveal, one is rejected, one scores too low; one miner is outvoted, one did not check.
    function _playWithFaults() private {
        _commitAll();
        for (uint256 i; i < 3; ++i) _reveal(i);
        _toPhase(Phase.Check);
        for (uint256 m; m < 2; ++m) _check(m, _verdicts(2, COPY));
        vm.warp(task.status().deadline);
        for (uint256 m; m < 3; ++m) {
            Opening memory o = m == 1 ? _false(m) : _honest(m);
            o.scores.setLane(1, 0);
            o.scores.setLane(2, 100);
            o.scores.setLane(3, 0);
            _seal(m, o);
        }
        _propose(0);
        _openAll();
        _finalise();
        vm.assertGt(task.burnt(), 0, "burnt");
    }

    // ------------------------------------------------------------------ comparison

    function _compare() private {
        _replay(vm.getRecordedLogs());
        Status memory s = task.status();
        vm.assertEq(book.task, address(task), "task");
        vm.assertEq(book.publisher, publisher, "publisher");
        vm.assertEq(uint256(book.state), uint256(s.state), "state");
        vm.assertEq(book.round, s.round.id, "round");
        vm.assertEq(book.roundsLeft, s.roundsLeft, "rounds left");
        vm.assertEq(book.voidRounds, s.voidRounds, "void rounds");
        vm.assertEq(book.difficulty, s.difficulty, "difficulty");
        vm.assertEq(book.pool, task.pool(), "pool");
        vm.assertEq(book.burnt, task.burnt(), "burnt");
        vm.assertEq(keccak256(abi.encode(book.head)), keccak256(abi.encode(task.head())), "head");
        if (_isClosed() && book.round != 0) vm.assertEq(book.inputs, task.inputs(), "inputs");
        vm.assertEq(seats[Role.Trainer].length, task.trainerCount(), "trainers");
        vm.assertEq(seats[Role.Miner].length, task.minerCount(), "miners");
        for (uint8 i; i < seats[Role.Trainer].length; ++i) _compareTrainer(seats[Role.Trainer][i], task.trainer(i));
        for (uint8 m; m < seats[Role.Miner].length; ++m) _compareMiner(seats[Role.Miner][m], task.miner(m));
        for (uint256 i; i < 9; ++i) _compareAccount(_trainerName(i));
        for (uint256 m; m < 3; ++m) _compareAccount(_minerName(m));
        _compareAccount(publisher);
        _compareAccount(_named("watcher"));
        _compareAccount(_named("second"));
        uint256 gone = book.withdrawn + (book.burnSent ? book.burnt : 0);
        vm.assertEq(book.paidIn - gone, address(task).balance, "balance");
        vm.assertEq(book.bounties, 0, "bounties");
    }

    function _compareTrainer(Seat storage seat, Trainer memory tr) private view {
        vm.assertEq(seat.account, tr.account, "account");
        vm.assertEq(seat.price, tr.price, "price");
        vm.assertEq(seat.cap, tr.cap, "cap");
        vm.assertEq(seat.deposit, tr.deposit, "deposit");
        vm.assertEq(seat.earned, tr.earned, "earned");
        vm.assertEq(seat.strikes, tr.strikes, "strikes");
        vm.assertEq(seat.quality, tr.quality, "quality");
        vm.assertTrue(seat.out == (tr.strikes >= terms.maxStrikes), "out");
        bool revealed = tr.stage == Stage.Revealed && tr.round == book.round;
        if (revealed) vm.assertEq(bytes25(seat.root), tr.digest, "root");
    }

    function _compareMiner(Seat storage seat, Miner memory mi) private view {
        vm.assertEq(seat.account, mi.account, "account");
        vm.assertEq(seat.price, mi.fee, "fee");
        vm.assertEq(seat.deposit, mi.deposit, "deposit");
        vm.assertEq(seat.earned, mi.earned, "earned");
        vm.assertEq(seat.strikes, mi.strikes, "strikes");
        vm.assertEq(seat.seal, mi.seal, "seal");
        if (!seat.disputed) vm.assertEq(seat.verdicts, mi.verdicts, "verdicts");
        vm.assertEq(seat.blockHash, mi.blockHash, "block");
    }

    function _compareAccount(address account) private view {
        vm.assertEq(_withdrawable(account), task.withdrawable(account), "withdrawable");
        for (uint256 role; role < 2; ++role) {
            vm.assertEq(bids[Role(role)][account], task.bidOf(Role(role), account).deposit, "bid");
        }
    }
}
