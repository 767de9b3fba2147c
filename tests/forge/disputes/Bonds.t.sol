// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskEvents} from "../../../contracts/interfaces/ITaskEvents.sol";
import {Opening, Phase, Stake, Terms} from "../../../contracts/interfaces/TaskTypes.sol";
import {Preimages} from "../utils/Preimages.sol";
import {Disputing} from "./Disputing.sol";

/// @notice What claims cost, whom they pay, and how long they hold a round up: D05, D06, D07, D09, D10.
contract BondsTest is Disputing {
    uint256 private constant CHALLENGERS = 100;

    // ------------------------------------------------------------------ D05

    /// @dev A hundred accounts post against the truth, in the window's last second. It holds the round up by six
    /// response windows, once; half of their bonds is burnt, half goes to the block's miner.
    function test_D05_hundredBogusChallenges() public {
        _begin(_disputed());
        _playLies(0, 1);
        uint256 end = task.status().deadline;
        vm.warp(end - 1);
        address[] memory crowd = new address[](CHALLENGERS);
        for (uint256 k; k < CHALLENGERS; ++k) {
            crowd[k] = _named(string.concat("challenger ", vm.toString(k)));
            _post(crowd[k], k % 3, k);
        }
        vm.assertEq(task.status().deadline, end + 6 * uint256(terms.responseWindow), "once, by a fixed time");
        bytes memory evidence = _evidence(0, _aggregate());
        _expectNotProven(claims[0]);
        _show(crowd[0], 0, 0, evidence);

        _finalise();
        uint256 lost = CHALLENGERS * uint256(terms.challengeBond);
        // The round was the last, so that what is burnt has left.
        vm.assertEq(address(task).balance, paidIn - lost / 2, "half burnt");
        uint256 more = task.withdrawable(miners[1]) - task.withdrawable(miners[0]);
        vm.assertEq(more, lost / 2 + uint256(FEE) / 2, "half to the block's miner");
        for (uint256 k; k < CHALLENGERS; ++k) {
            vm.assertEq(task.withdrawable(crowd[k]), 0, "no bond back");
            if (k < 3) _expectNoClaim(claims[k]); // the first ones lay with their miners
            else _expectNotProven(claims[k]);
            task.reclaim(claims[k]);
        }
        _expectConserved(crowd);
    }

    /// @dev In a void round there is no block's miner: the half goes to the pool.
    function test_D05_bondsOfAVoidRound() public {
        _begin(_disputed());
        _playToSeal();
        for (uint256 m; m < 3; ++m) {
            Opening memory o = _honest(m);
            o.contentId = bytes32(m + 1);
            _seal(m, o);
        }
        _propose(0);
        _toOpen();
        _post(watcher, 0, 3);
        _openAll();
        _expectPhase(Phase.Finalise);
        _finalise();
        _expectNoBlock();
        vm.assertEq(task.withdrawable(watcher), 0, "bond");
        _expectConserved();
    }

    // ------------------------------------------------------------------ D06

    function test_D06_copiedClaimIsWorthNothing() public {
        _begin(_disputed());
        _playLies(6, 1);
        address thief = _named("thief");
        bytes memory evidence = _evidence(lieAt, _lie());
        bytes32 claim = _post(watcher, 1, lieAt);
        // The digest alone: what it stands for is bound to the watcher.
        bytes32 copy = _postDigest(thief, 1, _digestOf(watcher, 1, lieAt));
        vm.assertEq(task.stakeOf(claim).challenger, watcher, "the watcher's");
        _expectNothingToShow(thief, evidence);
        // It commits to the proof that it saw in the mempool, and even shows it first.
        vm.roll(block.number + 1);
        _post(thief, 1, lieAt);
        _show(thief, 1, lieAt, evidence);
        _show(watcher, 1, lieAt, evidence);
        _propose(0);
        _finalise();
        vm.assertEq(task.withdrawable(watcher), uint256(terms.minerDeposit) + terms.challengeBond, "bounty");
        vm.assertEq(task.withdrawable(thief), terms.challengeBond, "its bond");
        task.reclaim(copy); // and that of the copy: the result was false
        _expectConserved(_only(thief));
    }

    /// @dev Somebody else posts under the watcher's digest first: the watcher posts all the same, and shows its own.
    function test_D06_squattedClaim() public {
        _begin(_disputed());
        _playLies(6, 1);
        address thief = _named("thief");
        bytes memory evidence = _evidence(lieAt, _lie());
        bytes32 copy = _postDigest(thief, 1, _digestOf(watcher, 1, lieAt));
        _expectNothingToShow(thief, evidence);
        vm.roll(block.number + 1);
        bytes32 claim = _post(watcher, 1, lieAt);
        vm.assertEq(task.stakeOf(claim).challenger, watcher, "the watcher's");
        _show(watcher, 1, lieAt, evidence);
        _propose(0);
        _finalise();
        vm.assertEq(task.withdrawable(watcher), uint256(terms.minerDeposit) + terms.challengeBond, "bounty");
        task.reclaim(copy); // the first bond gave way to the proof, and kept its claim
        vm.assertEq(task.withdrawable(thief), terms.challengeBond, "its bond");
        _expectConserved(_only(thief));
    }

    function _expectNothingToShow(address thief, bytes memory evidence) private {
        Opening memory o = _sealed(1);
        bytes32 digest = _digestFor(thief, 1, lieAt, _saltOf(watcher));
        _expectNoClaim(Preimages.claim(1, digest, thief));
        vm.prank(thief);
        task.challenge(1, lieAt, _saltOf(watcher), o.contentId, evidence);
    }

    /// @dev On a tie of blocks, who shows it first.
    function test_D06_sameBlock() public {
        _begin(_disputed());
        _playLies(6, 1);
        address second = _named("second");
        _post(watcher, 1, lieAt);
        _post(second, 1, lieAt);
        bytes memory evidence = _evidence(lieAt, _lie());
        _show(second, 1, lieAt, evidence);
        _show(watcher, 1, lieAt, evidence);
        _propose(0);
        _finalise();
        vm.assertEq(task.withdrawable(second), uint256(terms.minerDeposit) + terms.challengeBond, "bounty");
        vm.assertEq(task.withdrawable(watcher), terms.challengeBond, "its bond");
        _expectConserved(_only(second));
    }

    /// @dev The same lie of two miners, proven through either seat: the earliest takes what both lose.
    function test_D06_oneLieThroughTwoSeats() public {
        _begin(_disputed());
        _playLies(6, 1);
        address second = _named("second");
        _post(watcher, 2, lieAt);
        vm.roll(block.number + 1);
        _post(second, 1, lieAt);
        bytes memory evidence = _evidence(lieAt, _lie());
        _show(second, 1, lieAt, evidence);
        _show(watcher, 2, lieAt, evidence);
        _propose(0);
        _finalise();
        vm.assertEq(task.withdrawable(watcher), uint256(terms.minerDeposit) + terms.challengeBond, "bounty");
        vm.assertEq(task.withdrawable(second), terms.challengeBond, "its bond");
        _expectConserved(_only(second));
    }

    /// @dev Who committed and did not show it, because somebody else did, has its bond back: once, after the round.
    function test_D06_reclaim() public {
        Terms memory t = _disputed();
        t.rounds = 2;
        _begin(t);
        _playLies(6, 1);
        address second = _named("second");
        bytes32 claim = _post(second, 1, 3);
        _post(second, 0, 5);
        bytes32 other = _post(second, 0, 3);
        _refuteLie(1);
        _expectNotProven(claim);
        task.reclaim(claim); // not before the round is settled
        _propose(0);
        _finalise();
        task.reclaim(claim);
        vm.assertEq(task.withdrawable(second), terms.challengeBond, "bond");
        _expectNoClaim(claim);
        task.reclaim(claim); // once
        _expectNotProven(other);
        task.reclaim(other); // not what was lost
        _playLies(0, 0);
        _finalise();
        _expectNotProven(other);
        task.reclaim(other);
        _expectConserved(_only(second));
    }

    /// @dev The first bond against a result that falls through another seat comes back when the round is settled, and
    /// the first against one that somebody else refutes is kept as all others are.
    function test_D06_firstBonds() public {
        _begin(_disputed());
        _playLies(6, 1);
        address second = _named("second");
        bytes32 aside = _post(second, 2, 3);
        bytes32 first = _post(second, 1, 3);
        uint256 at = block.number;
        vm.roll(at + 1);
        vm.assertEq(task.miner(1).accuser, second, "first");
        _refuteLie(1);
        vm.assertEq(task.miner(1).accuser, watcher, "who has proven it");
        Stake memory stake = Stake(second, uint40(at), 1, 1, 0);
        vm.assertEq(keccak256(abi.encode(task.stakeOf(first))), keccak256(abi.encode(stake)), "kept");
        stake.seat = 2;
        vm.assertEq(keccak256(abi.encode(task.stakeOf(aside))), keccak256(abi.encode(stake)), "with the miner");
        _expectNoClaim(aside);
        task.reclaim(aside);
        _propose(0);
        _finalise();
        vm.assertEq(task.withdrawable(second), terms.challengeBond, "that of seat 2");
        vm.assertEq(task.stakeOf(aside).challenger, address(0), "settled");
        task.reclaim(first);
        vm.assertEq(task.withdrawable(second), 2 * uint256(terms.challengeBond), "both");
        _expectConserved(_only(second));
    }

    /// @dev A miner cannot put a claim in the place of its verdicts that nobody has posted a bond for.
    function test_D06_claimWithoutABond() public {
        _begin(_disputed());
        _playToCheck();
        bytes32 claim = _claimOf(watcher, 1, lieAt);
        for (uint256 m; m < 3; ++m) _check(m, m == 1 ? uint256(claim) : 0);
        _expectPhase(Phase.Seal);
        for (uint256 m; m < 3; ++m) _seal(m, m == 1 ? _false(m) : _honest(m));
        _propose(0);
        _openAll();
        bytes memory evidence = _evidence(lieAt, _lie());
        _expectNoClaim(claim);
        _show(watcher, 1, lieAt, evidence);
        _expectConserved();
    }

    /// @dev A bond lost in one round does not come back when the same miner is refuted in the next.
    function test_D06_refutedInAnotherRound() public {
        Terms memory t = _disputed();
        t.rounds = 2;
        _begin(t);
        _playLies(0, 1);
        _post(watcher, 1, 5);
        bytes32 claim = _post(watcher, 1, 3);
        _finalise();
        _playOneLie(watcher);
        _propose(0);
        _finalise();
        _expectOut(1);
        _expectNotProven(claim);
        task.reclaim(claim);
        _expectConserved();
    }

    /// @dev A claim is posted once by each account, under its own digest as under a copied one.
    function test_D06_theSameClaimTwice() public {
        _begin(_disputed());
        _playLies(6, 1);
        address thief = _named("thief");
        bytes32 digest = _digestOf(watcher, 1, lieAt);
        bytes32 claim = _post(watcher, 1, lieAt);
        bytes32 copy = _postDigest(thief, 1, digest);
        _expectAlreadyClaimed(watcher, digest, claim);
        _expectAlreadyClaimed(thief, digest, copy);
        vm.assertEq(task.miner(1).stakes, 2, "bonds");
        _show(watcher, 1, lieAt, _evidence(lieAt, _lie()));
        _propose(0);
        _finalise();
        vm.assertEq(task.withdrawable(watcher), uint256(terms.minerDeposit) + terms.challengeBond, "bounty, one bond");
        _expectConserved(_only(thief));
    }

    /// @dev A bond is kept as it was posted; against what nobody has shown yet there is none.
    function test_D06_whatAClaimLeaves() public {
        _begin(_disputed());
        _playToSeal();
        _sealAll();
        bytes32 early = _digestOf(watcher, 0, lieAt);
        uint256 bond = _bond(watcher);
        _expectWrongPhase(Phase.Mine, Phase.Challenge);
        vm.prank(watcher);
        task.commitChallenge{value: bond}(0, early);
        _propose(1);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_NotOpened.selector, 0));
        vm.prank(watcher);
        task.commitChallenge{value: bond}(0, early);
        _openAll();
        Opening memory o = _sealed(0);
        _expectNoClaim(_claimOf(watcher, 0, lieAt));
        vm.prank(watcher);
        task.challenge(0, lieAt, _saltOf(watcher), o.contentId, "");

        bytes32 claim = _post(watcher, 1, lieAt);
        Stake memory stake = Stake(watcher, uint40(block.number), 1, 1, 0);
        vm.assertEq(keccak256(abi.encode(task.stakeOf(claim))), keccak256(abi.encode(stake)), "stake");
        vm.assertEq(task.questionOf(claim).node, bytes32(0), "no question");
        _expectConserved();
    }

    /// @dev After the end nothing is posted and nothing shown, whatever was committed to.
    function test_D09_afterTheEndNothingIsShown() public {
        _begin(_disputed());
        _playLies(6, 1);
        bytes memory evidence = _evidence(lieAt, _lie());
        bytes32 claim = _post(watcher, 1, lieAt);
        _finalise();
        _expectPhase(Phase.Closed);
        vm.assertTrue(!task.status().round.running, "running");
        _expectNoClaim(claim);
        _show(watcher, 1, lieAt, evidence);
        uint256 bond = _bond(watcher);
        _expectWrongPhase(Phase.Closed, Phase.Challenge);
        vm.prank(watcher);
        task.commitChallenge{value: bond}(0, claim);
        _expectConserved();
    }

    /// @dev Two lies, two accusers: each gets what its own accused lose, and nothing of the others'.
    function test_D06_twoLiesTwoAccusers() public {
        Terms memory t = _disputed();
        t.minerSlots = 5;
        _begin(t);
        _playToSeal();
        int32[][2] memory lies;
        for (uint256 m; m < 5; ++m) {
            lieBy = m < 2 ? int32(3) : int32(5);
            if (m == 0 || m == 2) lies[m / 2] = _lie();
            _seal(m, m == 4 ? _honest(m) : _false(m));
        }
        _propose(4);
        _toOpen();
        _open(1);
        _open(3);
        address second = _named("second");
        _post(second, 3, lieAt);
        vm.roll(block.number + 1);
        _post(watcher, 1, lieAt);
        _openAll();
        _show(watcher, 1, lieAt, _evidence(lieAt, lies[0]));
        _show(second, 3, lieAt, _evidence(lieAt, lies[1]));
        _finalise();
        _expectHead(_sealed(4).root);
        uint256 bounty = uint256(t.minerDeposit) + t.challengeBond;
        vm.assertEq(task.withdrawable(watcher), bounty, "seats 0 and 1");
        vm.assertEq(task.withdrawable(second), bounty, "seats 2 and 3");
        _expectConserved(_only(second));
    }

    /// @dev One lie through two seats, both committed to in one block: the lower seat's accuser.
    function test_D06_oneLieThroughTwoSeatsInOneBlock() public {
        _begin(_disputed());
        _playLies(6, 1);
        address second = _named("second");
        _post(second, 2, lieAt);
        _post(watcher, 1, lieAt);
        bytes memory evidence = _evidence(lieAt, _lie());
        _show(second, 2, lieAt, evidence);
        _show(watcher, 1, lieAt, evidence);
        _propose(0);
        _finalise();
        vm.assertEq(task.withdrawable(watcher), uint256(terms.minerDeposit) + terms.challengeBond, "bounty");
        vm.assertEq(task.withdrawable(second), terms.challengeBond, "its bond");
        _expectConserved(_only(second));
    }

    function _expectAlreadyClaimed(address who, bytes32 digest, bytes32 id) private {
        uint256 bond = _bond(who);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_AlreadyClaimed.selector, id));
        vm.prank(who);
        task.commitChallenge{value: bond}(1, digest);
        vm.assertEq(who.balance, bond, "money back");
    }

    // ------------------------------------------------------------------ D07

    /// @dev Refuting oneself through a second address burns half of the deposit.
    function test_D07_refutingOneself() public {
        _begin(_disputed());
        address sock = _named("sock puppet");
        _playOneLie(sock);
        _propose(0);
        _finalise();
        uint256 back = task.withdrawable(miners[1]) + task.withdrawable(sock);
        vm.assertEq(back, uint256(terms.minerDeposit) / 2 + terms.challengeBond, "half of it");
        _expectConserved(_only(sock));
    }

    /// @dev Losing to oneself burns half of the bond.
    function test_D07_losingToOneself() public {
        _begin(_disputed());
        _playLies(0, 1);
        address sock = _named("sock puppet");
        _post(sock, 1, lieAt);
        _finalise();
        uint256 gain = task.withdrawable(miners[1]) - task.withdrawable(miners[0]) - uint256(FEE) / 2;
        vm.assertEq(gain, uint256(terms.challengeBond) / 2, "half of it");
        vm.assertEq(task.withdrawable(sock), 0, "the other half");
        _expectConserved(_only(sock));
    }

    // ------------------------------------------------------------------ D09

    /// @dev Committed to in the last second, and shown in the last second of what that adds.
    function test_D09_lastSecond() public {
        _begin(_disputed());
        _playLies(6, 1);
        vm.warp(task.status().deadline - 1);
        _post(watcher, 1, lieAt);
        vm.warp(task.status().deadline - 1);
        _show(watcher, 1, lieAt, _evidence(lieAt, _lie()));
        _propose(0);
        _finalise();
        _expectHead(_sealed(0).root);
        _expectConserved();
    }

    /// @dev A committed proof is taken as long as nobody has settled the round, however full the chain was.
    function test_D09_lateProof() public {
        _begin(_disputed());
        _playLies(6, 1);
        _post(watcher, 1, lieAt);
        _toPhase(Phase.Finalise);
        _show(watcher, 1, lieAt, _evidence(lieAt, _lie()));
        _expectPhase(Phase.Mine);
        _propose(0);
        _finalise();
        _expectHead(_sealed(0).root);
        _expectConserved();
    }

    /// @dev A false block that comes as the last fork has a whole window, not what is left of the first one's.
    function test_D09_windowOfALaterFork() public {
        Terms memory t = _disputed();
        t.forkWindow = 150;
        _begin(t);
        _playToSeal();
        for (uint256 m; m < 3; ++m) _seal(m, m == 0 ? _honest(m) : _false(m));
        _propose(0);
        vm.warp(task.status().deadline - 1);
        _propose(1);
        uint256 proposed = block.timestamp;
        _openAll();
        _expectPhase(Phase.Challenge);
        vm.assertGe(task.status().deadline, proposed + t.challengeWindow, "a whole window");
    }

    /// @dev What is proven after the window, against a result that is not the truth, does not open the window again.
    function test_D10_lateProofGivesNoTime() public {
        _begin(_disputed());
        _playToSeal();
        for (uint256 m; m < 3; ++m) _seal(m, m == 1 ? _false(m) : _honest(m));
        _propose(0);
        _openAll();
        _post(watcher, 1, lieAt);
        _toPhase(Phase.Finalise);
        _show(watcher, 1, lieAt, _evidence(lieAt, _lie()));
        _expectPhase(Phase.Finalise);
        _finalise();
        _expectOut(1);
        _expectConserved();
    }

    function test_D09_afterTheWindowNothingIsPosted() public {
        _begin(_disputed());
        _playLies(6, 1);
        bytes32 digest = _digestOf(watcher, 1, lieAt);
        vm.warp(task.status().deadline);
        uint256 bond = _bond(watcher);
        _expectWrongPhase(Phase.Finalise, Phase.Challenge);
        vm.prank(watcher);
        task.commitChallenge{value: bond}(1, digest);
    }

    // ------------------------------------------------------------------ D10

    /// @dev One claim after the other, always in the last second: six response windows after the regular end, over.
    function test_D10_longestDelayOfOneBlock() public {
        _begin(_disputed());
        _playLies(0, 1);
        uint256 end = task.status().deadline;
        uint256 posted;
        for (; posted < 100 && task.phase() == Phase.Challenge; ++posted) {
            vm.warp(task.status().deadline - 1);
            _post(watcher, posted % 3, posted);
            vm.assertEq(task.status().deadline, end + 6 * uint256(terms.responseWindow), "the longest, whatever comes");
            if (posted > 1) vm.warp(block.timestamp + 1);
        }
        _expectPhase(Phase.Finalise);
        _expectConserved();
    }

    /// @dev Refuting again what is refuted gets the bond back and must not hold the second mining up without an end.
    function test_D10_longestDelayOfTheSecondMining() public {
        _begin(_disputed());
        _playLies(6, 1);
        uint256 n = 40;
        for (uint256 k; k < n; ++k) _post(_named(string.concat("challenger ", vm.toString(k))), 1, lieAt);
        bytes memory evidence = _evidence(lieAt, _lie());
        _refuteLie(1);
        uint256 since = block.timestamp;
        for (uint256 k; k < n && task.phase() == Phase.Mine; ++k) {
            vm.warp(task.status().deadline - 1);
            _show(_named(string.concat("challenger ", vm.toString(k))), 1, lieAt, evidence);
        }
        uint256 bound = terms.challengeWindow + 6 * uint256(terms.responseWindow) + terms.mineWindow;
        vm.assertLe(task.status().deadline, since + bound, "the longest");
    }

    // ------------------------------------------------------------------ helpers

    /// @dev Miner 1 alone lies, has the block, and is refuted by `who` while the others open.
    function _playOneLie(address who) private {
        _playToSeal();
        for (uint256 m; m < 3; ++m) _seal(m, m == 1 ? _false(m) : _honest(m));
        _propose(1);
        _toOpen();
        _refute(who, 1, lieAt, _lie());
        _openAll();
        _expectPhase(Phase.Mine);
    }

    function _only(address account) private pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = account;
    }
}
