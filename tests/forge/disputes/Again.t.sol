// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskEvents} from "../../../contracts/interfaces/ITaskEvents.sol";
import {Opening, Phase, Status, Terms} from "../../../contracts/interfaces/TaskTypes.sol";
import {Preimages} from "../utils/Preimages.sol";
import {Vm} from "../utils/Test.sol";
import {Disputing} from "./Disputing.sol";

/// @notice The second mining, after a block was refuted or where the truth has none: D01, D02, D23.
contract AgainTest is Disputing {
    // ------------------------------------------------------------------ D23

    /// @dev No new seals, and only who opened the truth: not the liar, not who opened something else, not who never
    /// opened, and not the right miner with another's result.
    function test_D23_onlyWhoOpenedTheTruth() public {
        Terms memory t = _disputed();
        t.minerSlots = 5;
        _begin(t);
        _playToSeal();
        for (uint256 m; m < 5; ++m) {
            Opening memory o = m == 1 ? _false(m) : _honest(m);
            if (m == 2) o.contentId = "other bytes";
            _seal(m, o);
        }
        _propose(1);
        _toOpen();
        _open(0);
        _open(2);
        _open(4); // 3 does not
        _refuteLie(1);
        _toPhase(Phase.Mine);
        vm.assertEq(task.status().attempt, 1, "attempt");
        bytes32 digest = keccak256("seal");
        _expectWrongPhase(Phase.Mine, Phase.Seal);
        vm.prank(miners[0]);
        task.seal(0, digest);
        _expectRefused(1, 1, ITaskEvents.LearningTask_StruckOut.selector);
        _expectRefused(2, 2, ITaskEvents.LearningTask_WrongResult.selector);
        _expectRefused(3, 3, ITaskEvents.LearningTask_WrongResult.selector);
        _expectRefused(0, 2, ITaskEvents.LearningTask_WrongResult.selector);
        _expectRefused(0, 4, ITaskEvents.LearningTask_WrongOpening.selector); // another's scores and salt
        _propose(0);
        _expectPhase(Phase.Challenge);
        _finalise();
        _expectHead(_sealed(0).root);
        _expectConserved();
    }

    /// @dev Miner `m` shows what miner `shown` sealed, with work of its own.
    function _expectRefused(uint256 m, uint256 shown, bytes4 why) private {
        Opening memory o = _sealed(shown);
        uint256 nonce = _workFor(m, o);
        vm.expectRevert(abi.encodeWithSelector(why, uint8(m)));
        vm.prank(miners[m]);
        task.propose(uint8(m), o, nonce);
    }

    function _workFor(uint256 m, Opening memory o) private view returns (uint256) {
        bytes32 header = Preimages.header(
            _place(miners[m]), task.head().blockHash, task.status().sealsDigest, o, task.status().difficulty
        );
        return _work(header);
    }

    /// @dev The same where a majority opened what no block carries, and nobody was refuted.
    function test_D23_majorityWithoutABlock() public {
        _begin(_disputed());
        _playToSeal();
        for (uint256 m; m < 3; ++m) _seal(m, m == 1 ? _false(m) : _honest(m));
        _propose(1);
        _openAll();
        _expectPhase(Phase.Mine);
        vm.assertEq(task.status().attempt, 1, "attempt");
        _propose(2);
        _expectPhase(Phase.Challenge);
        _finalise();
        _expectHead(_sealed(2).root);
        _expectConserved();
    }

    /// @dev The first valid block ends it, and has a window of its own in which it can be refuted; then a third time.
    function test_D23_thirdMining() public {
        Terms memory t = _disputed();
        t.minerSlots = 5;
        _begin(t);
        _playToSeal();
        int32[][3] memory results;
        for (uint256 m; m < 5; ++m) {
            lieBy = m < 2 ? int32(3) : int32(5);
            if (m % 2 == 0) results[m / 2] = m == 4 ? _aggregate() : _lie();
            _seal(m, m == 4 ? _honest(m) : _false(m));
        }
        _propose(0);
        _openAll();
        _toOpen();
        _expectPhase(Phase.Finalise); // two, two, one
        _expectNoBlock();
        _finalise();
        _expectConserved();

        _begin(t);
        _playToSeal();
        for (uint256 m; m < 5; ++m) {
            lieBy = m < 2 ? int32(3) : int32(5);
            if (m % 2 == 0) results[m / 2] = m == 4 ? _aggregate() : _lie();
            _seal(m, m == 4 ? _honest(m) : _false(m));
        }
        _propose(0);
        _toOpen();
        _refute(watcher, 0, lieAt, results[0]);
        _openAll();
        _expectPhase(Phase.Mine);
        _propose(3);
        _expectMineIsOver(2);
        uint256 end = task.status().deadline;
        vm.assertEq(end, block.timestamp + terms.challengeWindow, "a window of its own");
        vm.warp(end - 1);
        _refute(_named("second"), 3, lieAt, results[1]);
        vm.assertEq(task.status().attempt, 2, "attempt");
        _propose(4);
        _finalise();
        _expectHead(_sealed(4).root);
        for (uint256 m; m < 4; ++m) _expectOut(m);
        address[] memory others = new address[](1);
        others[0] = _named("second");
        _expectConserved(others);
    }

    function _expectMineIsOver(uint256 m) private {
        Opening memory o = _sealed(m);
        _expectWrongPhase(Phase.Challenge, Phase.Mine);
        vm.prank(miners[m]);
        task.propose(uint8(m), o, 0);
    }

    /// @dev Nobody mines: the round is void, the honest lose nothing of their deposits, the liars all.
    function test_D23_nobodyMinesAgain() public {
        _begin(_disputed());
        _playLies(6, 1);
        _refuteLie(1);
        uint256 end = task.status().deadline;
        vm.assertEq(end, block.timestamp + terms.mineWindow, "time for it");
        vm.warp(end);
        _expectPhase(Phase.Finalise);
        vm.assertEq(task.status().deadline, 0, "time alone ends nothing more");
        _finalise();
        _expectNoBlock();
        vm.assertEq(task.miner(0).deposit, terms.minerDeposit, "honest");
        _expectOut(1);
        _expectOut(2);
        _expectConserved();
    }

    /// @dev All openers of the refuted result are out of the next round, too.
    function test_D23_nextRoundGoesOnWithTheRest() public {
        Terms memory t = _disputed();
        t.rounds = 2;
        _begin(t);
        _playLies(6, 1);
        _refuteLie(1);
        _propose(0);
        _finalise();
        vm.assertEq(task.status().round.activeMiners, 1, "one is left");
        _commitAll();
        _revealAll();
        uint256 verdicts = _verdicts(ALL, OK);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_StruckOut.selector, uint8(2)));
        vm.prank(miners[2]);
        task.check(2, verdicts);
        _checkAll(verdicts);
        _sealAll();
        _propose(0);
        _openAll();
        _finalise();
        _expectHead(_sealed(0).root);
        _expectConserved();
    }

    /// @dev Once a result is refuted the truth needs no majority; but then nobody is outvoted by it.
    function test_D23_truthWithoutAMajorityBlamesNobody() public {
        Terms memory t = _disputed();
        t.minerSlots = 5;
        _begin(t);
        _playToSeal();
        for (uint256 m; m < 5; ++m) {
            Opening memory o = m < 2 ? _false(m) : _honest(m);
            if (m == 4) o.contentId = "other bytes";
            _seal(m, o);
        }
        _propose(0);
        _toOpen();
        _refuteLie(0);
        _openAll();
        _propose(2);
        _finalise();
        _expectHead(_sealed(2).root);
        _expectOut(0);
        _expectOut(1);
        vm.assertEq(task.miner(4).strikes, 0, "two against one of five are no majority");
        vm.assertEq(task.miner(4).deposit, t.minerDeposit, "deposit");
        vm.assertEq(task.miner(4).earned, 0, "nor is it paid");
        _expectConserved();
    }

    /// @dev The logs say which attempt a block belongs to, and all that its work is bound to.
    function test_D23_logsOfBothMinings() public {
        _begin(_disputed());
        _playToSeal();
        for (uint256 m; m < 3; ++m) _seal(m, m == 0 ? _honest(m) : _false(m));
        _expectProposed(1, 0);
        _openAll();
        _refuteLie(1);
        _expectProposed(0, 1);
    }

    function _expectProposed(uint8 m, uint8 attempt) private {
        Status memory s = task.status();
        uint256 nonce = _nonce(m);
        bytes32 blockHash = Preimages.work(_header(m), nonce);
        vm.recordLogs();
        _propose(m);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 at;
        while (logs[at].topics[0] != ITaskEvents.Proposed.selector) ++at;
        vm.assertEq(uint256(logs[at].topics[1]), s.round.id, "round");
        vm.assertEq(uint256(logs[at].topics[2]), m, "seat");
        vm.assertEq(logs[at].topics[3], blockHash, "block");
        bytes memory data = abi.encode(attempt, s.head.blockHash, s.sealsDigest, s.difficulty, nonce);
        vm.assertEq(keccak256(logs[at].data), keccak256(data), "what it is bound to");
    }

    // ------------------------------------------------------------------ D01, D02

    /// @dev The attempt is in the header: work of the first mining is worth nothing in the second, nor is another's.
    function test_D02_workOfTheFirstMining() public {
        Terms memory t = _disputed();
        t.difficulty = 64;
        t.minerSlots = 4;
        _begin(t);
        _playToSeal();
        for (uint256 m; m < 4; ++m) _seal(m, m == 1 ? _false(m) : _honest(m));
        uint256 old = _stale(0);
        _propose(1);
        _openAll();
        _expectPhase(Phase.Mine);
        _expectTooLittleWork(0, old);
        uint256 others = _othersWork(0, 2);
        _expectTooLittleWork(0, others);
        _propose(0);
        _finalise();
        _expectHead(_sealed(0).root);
    }

    function test_D01_anothersWorkInTheSecondMining() public {
        Terms memory t = _disputed();
        t.difficulty = 64;
        _begin(t);
        _playLies(6, 1);
        _refuteLie(1);
        _expectTooLittleWork(0, _othersWork(0, 1));
        _propose(0);
    }

    /// @dev A nonce that is right for attempt 0 and wrong for attempt 1.
    function _stale(uint256 m) private view returns (uint256 nonce) {
        Preimages.At memory at = _place(miners[m]);
        bytes32 first = _headerAt(at, m);
        at.attempt = 1;
        bytes32 second = _headerAt(at, m);
        while (!_isWork(first, nonce) || _isWork(second, nonce)) ++nonce;
    }

    /// @dev A nonce that is right for `other` and wrong for `m`, in this attempt and with the result of `m`.
    function _othersWork(uint256 m, uint256 other) private view returns (uint256 nonce) {
        bytes32 own = _headerAt(_place(miners[m]), m);
        bytes32 theirs = _headerAt(_place(miners[other]), m);
        while (!_isWork(theirs, nonce) || _isWork(own, nonce)) ++nonce;
    }

    function _headerAt(Preimages.At memory at, uint256 m) private view returns (bytes32) {
        return Preimages.header(
            at, task.head().blockHash, task.status().sealsDigest, _sealed(m), terms.difficulty
        );
    }

    function _isWork(bytes32 header, uint256 nonce) private view returns (bool) {
        return uint256(Preimages.work(header, nonce)) <= type(uint256).max / terms.difficulty;
    }

    function _expectTooLittleWork(uint256 m, uint256 nonce) private {
        Opening memory o = _sealed(m);
        bytes32 work = Preimages.work(_headerAt(_place(miners[m]), m), nonce);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITaskEvents.LearningTask_TooLittleWork.selector, uint256(work), type(uint256).max / terms.difficulty
            )
        );
        vm.prank(miners[m]);
        task.propose(uint8(m), o, nonce);
    }
}
