// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskEvents} from "../../../contracts/interfaces/ITaskEvents.sol";
import {Head, Opening, Phase, Terms} from "../../../contracts/interfaces/TaskTypes.sol";
import {Preimages} from "../utils/Preimages.sol";
import {Scenario} from "../utils/Scenario.sol";

/// @notice Work, seals and the choice among forks.
contract MiningTest is Scenario {
    function setUp() public {
        _start(_defaultTerms());
    }

    // ------------------------------------------------------------------ D01

    function test_D01_anothersNonceIsWorthNothing() public {
        _playToSeal();
        _sealAll();
        uint256 nonce = _nonceFor(_header(0), _header(1)); // enough for miner 0, too little for miner 1
        Opening memory own = _sealed(1);
        Opening memory victims = _sealed(0);
        bytes32 hash = Preimages.work(_header(1), nonce);
        _expectTooLittle(hash);
        vm.prank(miners[1]);
        task.propose(1, own, nonce);

        // Work done anew over the victim's opening is no block either: the thief has not sealed it.
        uint256 again = _nonceFor(_headerOf(1, victims), 0);
        vm.prank(miners[1]);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_WrongOpening.selector, 1));
        task.propose(1, victims, again);

        vm.prank(miners[0]);
        task.propose(0, victims, nonce);
        vm.assertEq(task.miner(0).blockHash, Preimages.work(_headerOf(0, victims), nonce), "the owner's block");
    }

    // ------------------------------------------------------------------ D02

    function test_D02_workIsBoundToItsPlace() public {
        _playToSeal();
        _sealAll();
        Opening memory o = _sealed(0);
        Preimages.At memory at = _place(miners[0]);
        bytes32 seals = task.status().sealsDigest;
        bytes32 parent = task.head().blockHash;
        uint256 difficulty = task.status().difficulty;
        bytes32 header = Preimages.header(at, parent, seals, o, difficulty);

        Opening memory other = _sealed(0);
        other.root = keccak256("another aggregate");
        bytes32[8] memory elsewhere;
        elsewhere[0] = Preimages.header(at, keccak256("another parent"), seals, o, difficulty);
        elsewhere[1] = Preimages.header(at, parent, keccak256("other seals"), o, difficulty);
        elsewhere[2] = Preimages.header(at, parent, seals, other, difficulty);
        elsewhere[3] = Preimages.header(at, parent, seals, o, difficulty + 1);
        at.round += 1;
        elsewhere[4] = Preimages.header(at, parent, seals, o, difficulty);
        at.round -= 1;
        at.attempt += 1;
        elsewhere[5] = Preimages.header(at, parent, seals, o, difficulty);
        at.attempt -= 1;
        at.task = address(1);
        elsewhere[6] = Preimages.header(at, parent, seals, o, difficulty);
        at.task = address(task);
        uint256 chainId = block.chainid;
        vm.chainId(chainId + 1);
        elsewhere[7] = Preimages.header(at, parent, seals, o, difficulty);
        vm.chainId(chainId);
        for (uint256 i; i < elsewhere.length; ++i) {
            uint256 nonce = _nonceFor(elsewhere[i], header); // work done for another place
            _expectTooLittle(Preimages.work(header, nonce));
            vm.prank(miners[0]);
            task.propose(0, o, nonce);
        }
    }

    /// @dev Nobody can start early: what the work is bound to is complete only when Seal has closed.
    function test_D02_noWorkBeforeTheSealsAreComplete() public {
        _playToSeal();
        _seal(0, _honest(0));
        bytes32 early = task.status().sealsDigest;
        Opening memory o = _sealed(0);
        vm.prank(miners[0]);
        _expectWrongPhase(Phase.Seal, Phase.Mine);
        task.propose(0, o, 0);
        _seal(1, _honest(1));
        _seal(2, _honest(2));
        vm.assertNotEq(task.status().sealsDigest, early, "seals digest");
        _propose(0);
    }

    // ------------------------------------------------------------------ D11

    /// @dev Three ways not to compute: copy what is shown, copy a seal, seal anything. None is paid.
    function test_D11_lazyMinersEarnNothing() public {
        _playToSeal();
        _seal(0, _honest(0));
        bytes32 seen = task.miner(0).seal;
        vm.prank(miners[1]);
        task.seal(1, seen); // a copied seal is bound to its owner
        vm.warp(task.status().deadline); // miner 2 waits for a result to copy
        _propose(0);
        vm.prank(miners[2]);
        _expectWrongPhase(Phase.Mine, Phase.Seal);
        task.seal(2, keccak256("too late"));
        _toOpen();
        Opening memory shown = _sealed(0);
        vm.prank(miners[1]);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_WrongOpening.selector, 1));
        task.open(1, shown, new uint256[](0), 0);
        vm.prank(miners[2]);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_NotSealed.selector, 2));
        task.open(2, shown, new uint256[](0), 0);

        _finalise();
        vm.assertEq(task.status().voidRounds, 1, "one opener of three is no majority");
        for (uint8 m = 1; m < 3; ++m) {
            vm.assertEq(task.miner(m).earned, 0, "paid");
            vm.assertEq(task.miner(m).deposit, 0.75 ether, "no opening, no seal: provable");
            vm.assertEq(task.miner(m).strikes, 1, "strikes");
        }
        vm.assertEq(task.miner(0).deposit, 1 ether, "the honest one loses nothing");
    }

    function test_D11_otherResultThanTheMajorityIsNotPaid() public {
        _playToSeal();
        _seal(0, _honest(0));
        _seal(1, _honest(1));
        _seal(2, _false(2));
        _propose(1);
        _openAll();
        _finalise();
        vm.assertEq(task.miner(1).earned, FEE / 2 + FEE / 4, "the block's miner");
        vm.assertEq(task.miner(0).earned, FEE / 4, "an opener of the truth");
        vm.assertEq(task.miner(2).earned, 0, "no match, no pay");
        vm.assertEq(task.miner(2).strikes, 1, "struck");
        vm.assertEq(task.miner(2).deposit, 1 ether - terms.penalty, "an opinion costs the penalty only");
    }

    // ------------------------------------------------------------------ D15

    /// @dev A window may be longer than the 256 blocks in which the draw can be looked up, by the terms or by disputes.
    /// The block counts as drawn then, too late to seal: the round is void, and nobody loses a deposit for it.
    function test_D15_windowBeyondTheDrawSlashesNobody() public {
        Terms memory t = _defaultTerms();
        (t.fastBlocks, t.sealWindow, t.minWindow, t.challengeWindow) = (1, 600, 2 hours, 2 hours);
        _start(t);
        _playRound();
        _playToSeal();
        _proposeFast(0, _honest(0));
        vm.roll(block.number + 1);
        vm.setBlockhash(block.number - 1, bytes32(uint256(1))); // not drawn
        _expectPhase(Phase.Challenge);
        vm.roll(block.number + 300);
        vm.warp(block.timestamp + 300 * 12);
        _finalise();
        for (uint8 m; m < 3; ++m) vm.assertEq(task.miner(m).deposit, 1 ether, "slashed for not sealing");
        vm.assertEq(task.status().voidRounds, 1, "void");
    }

    // ------------------------------------------------------------------ D17

    function test_D17_oneSealOneProposalOneOpening() public {
        _playToSeal();
        _seal(0, _honest(0));
        vm.prank(miners[0]);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_AlreadySealed.selector, 0));
        task.seal(0, keccak256("again"));
        _seal(1, _honest(1));
        _seal(2, _honest(2));

        _propose(0);
        Opening memory o = _sealed(0);
        uint256 nonce = _nonce(0) + 1;
        vm.prank(miners[0]);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_AlreadyProposed.selector, 0));
        task.propose(0, o, nonce);

        _toOpen();
        vm.prank(miners[0]);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_AlreadyOpened.selector, 0));
        task.open(0, o, new uint256[](0), 0);
        vm.prank(miners[0]);
        _expectWrongPhase(Phase.Open, Phase.Mine);
        task.propose(0, o, nonce);
    }

    /// @dev A seal of nothing is none: it would look like a miner that has not sealed.
    function test_D17_sealOfNothing() public {
        _playToSeal();
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_EmptyDigest.selector));
        vm.prank(miners[0]);
        task.seal(0, 0);
        vm.assertEq(task.status().round.sealers, 0, "sealed");
        _seal(0, _honest(0));
    }

    /// @dev Who has not sealed has no block, whatever the work.
    function test_D17_noBlockWithoutASeal() public {
        _playToSeal();
        _seal(0, _honest(0));
        _seal(1, _honest(1));
        vm.warp(task.status().deadline);
        Opening memory o = _honest(2);
        uint256 nonce = _work(_headerOf(2, o));
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_NotSealed.selector, 2));
        vm.prank(miners[2]);
        task.propose(2, o, nonce);
        vm.assertEq(task.status().round.proposers, 0, "proposed");
        _propose(1);
    }

    /// @dev Scores for fewer or more words of trainers than there are cannot be opened, although they were sealed.
    function test_D17_scoresOfOtherTrainers() public {
        _playToSeal();
        for (uint256 m; m < 3; ++m) {
            Opening memory o = _honest(m);
            if (m != 0) o.scores = new uint256[](m == 1 ? 0 : 2);
            _seal(m, o);
        }
        _propose(0);
        _toOpen();
        for (uint256 m = 1; m < 3; ++m) {
            Opening memory o = _sealed(m);
            vm.expectRevert(
                abi.encodeWithSelector(ITaskEvents.LearningTask_WrongScores.selector, o.scores.length, 1)
            );
            vm.prank(miners[m]);
            task.open(uint8(m), o, new uint256[](0), 0);
        }
        vm.assertEq(task.status().round.openers, 1, "opened");
    }

    // ------------------------------------------------------------------ D18

    /// @dev Distance to the truth decides first: last round's model, proposed earliest, cannot win.
    function test_D18_lastRoundsModelIsNoFork() public {
        _playRound();
        Head memory last = task.head();
        _playToSeal();
        Opening memory old = _honest(0);
        (old.root, old.contentId) = (last.root, last.contentId);
        _seal(0, old);
        _seal(1, _honest(1));
        _seal(2, _honest(2));
        _propose(0);
        _propose(2);
        _openAll();
        _finalise();
        vm.assertEq(task.head().blockHash, task.miner(2).blockHash, "the earliest block with the truth");
        vm.assertNotEq(task.head().root, last.root, "head root");
    }

    /// @dev Among equals the earliest valid proposal wins, in the same second too, whatever its hash.
    function test_D18_tiesGoToTheEarliestProposal() public {
        uint256[3][3] memory orders = [[uint256(2), 0, 1], [uint256(1), 2, 0], [uint256(0), 1, 2]];
        for (uint256 round; round < 3; ++round) {
            _playToSeal();
            _sealAll();
            for (uint256 k; k < 3; ++k) _propose(orders[round][k]);
            _expectPhase(Phase.Challenge); // all have proposed, hence opened
            uint8 first = uint8(orders[round][0]);
            bytes32 blockHash = task.miner(first).blockHash;
            _finalise();
            vm.assertEq(task.head().blockHash, blockHash, "head");
        }
    }

    /// @dev The rule of the terms decides: who was first, who has the better record, or the lowest hash.
    function test_D18_everyRuleChooses() public {
        for (uint8 rule; rule < 3; ++rule) {
            _deploy(0); // nobody has a record
            Terms memory t = _defaultTerms();
            (t.rounds, t.forkRule) = (6, rule);
            _start(t);
            // Miner 2 has the only block of the first round, hence the only record.
            _playToSeal();
            _sealAll();
            _propose(2);
            _openAll();
            _finalise();
            for (uint256 round; round < 5; ++round) {
                _playToSeal();
                _sealAll();
                for (uint256 k; k < 3; ++k) _propose((round + k) % 3);
                uint8 best = uint8(round % 3);
                if (rule == 1) best = 2;
                for (uint8 m; rule == 2 && m < 3; ++m) {
                    if (task.miner(m).blockHash < task.miner(best).blockHash) best = m;
                }
                bytes32 blockHash = task.miner(best).blockHash;
                _finalise();
                vm.assertEq(task.head().blockHash, blockHash, "head");
            }
        }
    }

    // ------------------------------------------------------------------ helpers

    /// @dev A nonce that is enough under one header and too little under the other.
    function _nonceFor(bytes32 enough, bytes32 tooLittle) private view returns (uint256 nonce) {
        uint256 target = type(uint256).max / task.status().difficulty;
        while (
            uint256(Preimages.work(enough, nonce)) > target || uint256(Preimages.work(tooLittle, nonce)) <= target
        ) ++nonce;
    }

    function _headerOf(uint256 m, Opening memory o) private view returns (bytes32) {
        bytes32 seals = task.status().sealsDigest;
        return Preimages.header(_place(miners[m]), task.head().blockHash, seals, o, task.status().difficulty);
    }

    function _expectTooLittle(bytes32 hash) private {
        uint256 target = type(uint256).max / task.status().difficulty;
        vm.expectRevert(
            abi.encodeWithSelector(ITaskEvents.LearningTask_TooLittleWork.selector, uint256(hash), target)
        );
    }
}
