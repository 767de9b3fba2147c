// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskEvents} from "../../../contracts/interfaces/ITaskEvents.sol";
import {Opening, Phase, Reveal, Role, Round, SignedCommit, Status} from "../../../contracts/interfaces/TaskTypes.sol";
import {Medians} from "./Medians.sol";
import {Preimages} from "./Preimages.sol";
import {Publishing} from "./Publishing.sol";

/// @notice Drives the rounds of a task: whole, or one step of one participant at a time.
abstract contract Scenario is Publishing {
    using Medians for uint256[];

    struct Update {
        bytes32 root;
        bytes32 contentId;
        uint32 samples;
        uint32 trainingTime;
        bytes32 salt;
    }

    uint256 internal constant ALL = type(uint256).max;
    uint256 internal constant OK = 1;
    uint256 internal constant UNAVAILABLE = 2;
    uint256 internal constant COPY = 3;

    uint16 internal accuracy = 9000; // that honest miners find
    mapping(uint256 seat => uint16) internal scoreOf; // that honest miners give; 0 = 40,000
    mapping(uint256 seat => Opening) private _openings; // sealed last

    // ------------------------------------------------------------------ whole rounds

    /// @dev From Commit to Open with everybody honest.
    function _playToOpen() internal {
        _playToSeal();
        _sealAll();
        _propose(0);
    }

    function _playToSeal() internal {
        _playToCheck();
        _checkAll(_verdicts(ALL, OK));
    }

    function _playToCheck() internal {
        _commitAll();
        _revealAll();
    }

    /// @dev From Commit to what follows the round, everybody honest.
    function _playRound() internal {
        _playToOpen();
        _openAll();
        _finalise();
    }

    function _commitAll() internal {
        for (uint256 i; i < trainers.length; ++i) if (!_isOut(i)) _commit(i);
    }

    function _revealAll() internal {
        for (uint256 i; i < trainers.length; ++i) if (!_isOut(i)) _reveal(i);
    }

    function _checkAll(uint256 verdicts) internal {
        for (uint256 m; m < miners.length; ++m) if (_isActive(m)) _check(m, verdicts);
    }

    function _sealAll() internal {
        for (uint256 m; m < miners.length; ++m) if (_isActive(m)) _seal(m, _honest(m));
    }

    /// @dev Opens whatever is sealed and not yet open.
    function _openAll() internal {
        _toOpen();
        Round memory r = task.status().round;
        for (uint256 m; m < miners.length; ++m) {
            if (r.sealers >> m & 1 != 0 && r.openers >> m & 1 == 0) _open(m);
        }
    }

    // ------------------------------------------------------------------ trainers

    function _updateOf(uint256 i) internal view virtual returns (Update memory u) {
        uint16 round = _round();
        u.root = keccak256(abi.encode("update", round, i));
        u.contentId = keccak256(abi.encode("update bytes", round, i));
        u.samples = task.bidOf(Role.Trainer, trainers[i]).samples;
        u.trainingTime = 1500;
        u.salt = keccak256(abi.encode("salt", round, i));
    }

    function _commitment(address account, Update memory u) internal view returns (bytes32) {
        Preimages.At memory at = Preimages.At(address(task), _round(), 0, account);
        return Preimages.update(at, u.root, u.contentId, u.samples, u.trainingTime, u.salt);
    }

    function _commit(uint256 i) internal {
        _commit(i, _updateOf(i));
    }

    function _commit(uint256 i, Update memory u) internal {
        bytes32 digest = _commitment(trainers[i], u);
        vm.prank(trainers[i]);
        task.commit(digest);
    }

    /// @dev The commitment as its trainer signs it for a relay.
    function _signed(uint256 i, Update memory u) internal view returns (SignedCommit memory) {
        bytes32 digest = _commitment(trainers[i], u);
        return _sign(trainers[i], digest, Preimages.signedCommit(address(task), _round(), digest));
    }

    /// @dev `digest` with the compact signature of `account` under `message` (EIP-2098).
    function _sign(address account, bytes32 digest, bytes32 message) internal view returns (SignedCommit memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keyOf[account], message);
        return SignedCommit(digest, r, s | bytes32(uint256(v - 27) << 255));
    }

    function _reveal(uint256 i) internal {
        _reveal(i, _updateOf(i));
    }

    function _reveal(uint256 i, Update memory u) internal {
        vm.prank(trainers[i]);
        task.reveal(u.root, u.contentId, u.samples, u.trainingTime, u.salt);
    }

    /// @dev The opening as a relay brings it.
    function _relayed(uint256 i, Update memory u) internal view returns (Reveal memory) {
        return Reveal(trainers[i], u.root, u.contentId, u.samples, u.trainingTime, u.salt);
    }

    // ------------------------------------------------------------------ miners

    /// @dev `verdict` for the trainer seats in `seats`, ok for the others.
    function _verdicts(uint256 seats, uint256 verdict) internal view returns (uint256 packed) {
        for (uint256 i; i < trainers.length; ++i) {
            packed |= (seats >> i & 1 != 0 ? verdict : OK) << (2 * i);
        }
    }

    function _check(uint256 m, uint256 verdicts) internal {
        vm.prank(miners[m]);
        task.check(uint8(m), verdicts);
    }

    function _honest(uint256 m) internal view virtual returns (Opening memory o) {
        uint16 round = _round();
        o.root = keccak256(abi.encode("aggregate", round));
        o.contentId = keccak256(abi.encode("aggregate bytes", round));
        o.accuracy = accuracy;
        o.scores = new uint256[]((trainers.length + 15) / 16);
        for (uint256 i; i < trainers.length; ++i) o.scores.setLane(i, scoreOf[i] == 0 ? 40_000 : scoreOf[i]);
        o.salt = keccak256(abi.encode("seal salt", round, m));
    }

    function _false(uint256 m) internal view virtual returns (Opening memory o) {
        o = _honest(m);
        o.root = keccak256("false root");
    }

    function _seal(uint256 m, Opening memory o) internal {
        _openings[m] = o;
        bytes32 digest = Preimages.seal(Preimages.At(address(task), _round(), 0, miners[m]), o);
        vm.prank(miners[m]);
        task.seal(uint8(m), digest);
    }

    /// @dev What the miner sealed last, or proposed as a fast block after that.
    function _sealed(uint256 m) internal view returns (Opening memory) {
        return _openings[m];
    }

    /// @dev A block, or another one where the truth has none.
    function _propose(uint256 m) internal {
        uint256 nonce = _nonce(m);
        vm.prank(miners[m]);
        task.propose(uint8(m), _openings[m], nonce);
    }

    /// @dev A block without seals and votes. It is drawn, or not, in a later block of the chain.
    function _proposeFast(uint256 m, Opening memory o) internal {
        Status memory s = task.status();
        bytes32 header = Preimages.fastHeader(_place(miners[m]), s.head.blockHash, task.inputs(), o, s.difficulty);
        _openings[m] = o;
        uint256 nonce = _work(header);
        vm.prank(miners[m]);
        task.proposeFast(uint8(m), o, nonce);
    }

    function _open(uint256 m) internal {
        vm.prank(miners[m]);
        task.open(uint8(m), _openings[m], new uint256[](0), 0);
    }

    /// @dev What a block that is proposed now is bound to.
    function _place(address account) internal view returns (Preimages.At memory) {
        return Preimages.At(address(task), _round(), task.status().attempt, account);
    }

    function _header(uint256 m) internal view returns (bytes32) {
        Status memory s = task.status();
        return Preimages.header(
            _place(miners[m]), s.head.blockHash, s.sealsDigest, _openings[m], s.difficulty
        );
    }

    function _nonce(uint256 m) internal view returns (uint256) {
        return _work(_header(m));
    }

    /// @dev Real work: the first nonce from 0 that meets the difficulty.
    function _work(bytes32 header) internal view returns (uint256 nonce) {
        uint256 target = type(uint256).max / task.status().difficulty;
        while (uint256(Preimages.work(header, nonce)) > target) ++nonce;
    }

    // ------------------------------------------------------------------ the end of a round

    /// @dev Waits for what only time can end and finalises with medians found by sorting.
    function _finalise() internal {
        _toPhase(Phase.Finalise);
        (uint256[] memory medians, uint16 middle) = _medians();
        task.finalise(medians, middle);
    }

    /// @dev The result opened by a strict majority of the round's miners; once an opened result is refuted, the one
    /// that most opened of those that stand, the lower id on a tie; or zero.
    function _truth() internal view returns (bytes32 truth) {
        Round memory r = task.status().round;
        uint256 most = r.refuted & r.openers != 0 ? 0 : _ones(r.activeMiners) / 2;
        for (uint256 m; m < miners.length; ++m) {
            if (r.openers >> m & 1 == 0 || _isRefuted(r, _resultOf(m))) continue;
            uint256 votes;
            for (uint256 k; k < miners.length; ++k) {
                if (r.openers >> k & 1 != 0 && _resultOf(k) == _resultOf(m)) ++votes;
            }
            bool wins = votes > most || (votes == most && truth != 0 && _resultOf(m) < truth);
            if (wins) (truth, most) = (_resultOf(m), votes);
        }
    }

    function _isRefuted(Round memory r, bytes32 result) private view returns (bool) {
        for (uint256 m; m < miners.length; ++m) {
            if (r.refuted >> m & 1 != 0 && task.miner(uint8(m)).result == result) return true;
        }
        return false;
    }

    /// @dev Whether a block carries `truth`; a fast block, or a round without a truth, takes no medians.
    function _isJudged(Round memory r, bytes32 truth) private view returns (bool) {
        if (truth == 0) return false;
        if (r.fast != 0 && (r.fastBlock == 0 || uint256(blockhash(r.fastBlock)) % 8 != 0)) return false;
        for (uint256 m; m < miners.length; ++m) {
            if (r.proposers >> m & 1 != 0 && _resultOf(m) == truth) return true;
        }
        return false;
    }

    function _medians() internal view returns (uint256[] memory medians, uint16 middle) {
        bytes32 truth = _truth();
        Round memory r = task.status().round;
        if (!_isJudged(r, truth)) return (medians, 0);
        uint256 inputs = task.inputs();
        medians = new uint256[]((trainers.length + 15) / 16);
        uint256[] memory over = new uint256[](trainers.length);
        uint256[] memory given = new uint256[](miners.length);
        uint256 count;
        for (uint256 i; i < trainers.length; ++i) {
            if (inputs >> i & 1 == 0) continue;
            uint256 voters;
            for (uint256 m; m < miners.length; ++m) {
                bool opened = r.openers >> m & 1 != 0 && _resultOf(m) == truth;
                if (opened && miners[m] != trainers[i]) given[voters++] = _openings[m].scores.lane(i);
            }
            uint256 median = Medians.lower(given, voters);
            medians.setLane(i, median);
            over[count++] = median;
        }
        middle = uint16(Medians.lower(over, count));
    }

    // ------------------------------------------------------------------ time and state

    /// @dev Lets time pass, and blocks of the chain, until `wanted` or something after it that needs somebody to act.
    function _toPhase(Phase wanted) internal {
        for (uint256 i; i < 16; ++i) {
            Status memory s = task.status();
            if (s.phase == wanted || s.deadline == 0) return;
            vm.warp(s.deadline);
            vm.roll(block.number + 1);
        }
    }

    function _toOpen() internal {
        if (task.phase() == Phase.Mine) vm.warp(task.status().deadline);
    }

    function _round() internal view returns (uint16) {
        return task.status().round.id;
    }

    function _isActive(uint256 m) internal view returns (bool) {
        return task.status().round.activeMiners >> m & 1 != 0;
    }

    function _isOut(uint256 i) internal view returns (bool) {
        return task.trainer(uint8(i)).strikes >= terms.maxStrikes;
    }

    function _resultOf(uint256 m) private view returns (bytes32) {
        return Preimages.result(_openings[m]);
    }

    function _ones(uint256 bitmap) internal pure returns (uint256 ones) {
        for (; bitmap != 0; bitmap >>= 1) ones += bitmap & 1;
    }

    // ------------------------------------------------------------------ expectations

    function _expectPhase(Phase wanted) internal view {
        vm.assertEq(uint256(task.phase()), uint256(wanted), "phase");
    }

    function _expectWrongPhase(Phase actual, Phase required) internal {
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_WrongPhase.selector, actual, required));
    }

    /// @dev Everybody takes what is theirs from a closed task; nothing stays.
    function _expectEverybodyOut() internal {
        _expectPhase(Phase.Closed);
        _withdraw(publisher);
        for (uint256 i; i < trainers.length; ++i) _withdraw(trainers[i]);
        for (uint256 m; m < miners.length; ++m) _withdraw(miners[m]);
        vm.assertEq(address(task).balance, 0, "left in the task");
    }

    function _withdraw(address account) internal returns (uint256 amount) {
        amount = task.withdrawable(account);
        if (amount == 0) return 0;
        uint256 before = account.balance;
        vm.assertEq(task.withdraw(account), amount, "withdrawn");
        vm.assertEq(account.balance - before, amount, "received");
    }
}
