// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskEvents} from "../../../contracts/interfaces/ITaskEvents.sol";
import {Opening, Phase, Terms} from "../../../contracts/interfaces/TaskTypes.sol";
import {Preimages} from "../utils/Preimages.sol";
import {Disputing} from "./Disputing.sol";
import {Trees} from "./Trees.sol";

/// @notice Results whose bytes nobody can get: D19. 4,100 parameters make 129 leaves: eight levels and two questions.
contract QuestionsTest is Disputing {
    uint32 private constant PARAMETERS = 4100;
    uint8 private constant TOP = 8;

    address private helper; // of the miner: has the bytes

    function _ready(uint256 liars) private {
        Terms memory t = _withTrainers(_disputed(), 2);
        t.parameterCount = PARAMETERS;
        lieAt = 2345;
        helper = _named("helper");
        _begin(t);
        _playLies(liars, 1);
    }

    // ------------------------------------------------------------------ asking

    function _claimOn(address who, uint8 seat, uint8 height, uint32 index) private view returns (bytes32) {
        return Preimages.question(Preimages.At(address(task), _round(), 0, who), seat, height, index);
    }

    function _ask(
        address who,
        uint8 seat,
        uint8 height,
        uint32 index,
        bytes32 node,
        bytes32[] memory path
    ) private returns (bytes32 claim) {
        claim = _claimOn(who, seat, height, index);
        uint256 bond = _bond(who);
        Opening memory o = _sealed(seat);
        vm.prank(who);
        task.question{value: bond}(seat, o.root, o.contentId, height, index, node, path);
        paidIn += bond;
        claims.push(claim);
    }

    function _askTop(address who, uint8 seat) private returns (bytes32) {
        return _ask(who, seat, TOP, 0, _sealed(seat).root, new bytes32[](0));
    }

    /// @dev The node of `model` above leaf `leaf` at `height`, with its path.
    function _askAbove(
        int32[] memory model,
        uint8 seat,
        uint8 height,
        uint256 leaf
    ) private returns (bytes32 claim) {
        bytes32[][] memory all = Trees.levels(model);
        uint256 index = leaf >> height;
        return _ask(watcher, seat, height, uint32(index), all[height][index], Trees.path(all, height, index));
    }

    function _answer(bytes32 claim, bytes memory parts) private {
        vm.prank(helper);
        task.answer(claim, parts);
    }

    // ------------------------------------------------------------------ D19

    /// @dev From the top to the leaf with answers, and then a proof: all bonds come back.
    function test_D19_descentToTheLie() public {
        _ready(6);
        int32[] memory lie = _lie();
        bytes32 first = _askTop(watcher, 1);
        bytes memory below = Trees.parts(lie, TOP, 0);
        vm.assertEq(below.length, 33 * 32, "the nodes of height two");
        _answer(first, below);
        bytes32 second = _askAbove(lie, 1, 2, lieAt / 32);
        _answer(second, Trees.parts(lie, 2, lieAt / 32 / 4));
        _refuteLie(1);
        _propose(0);
        _finalise();
        _expectHead(_sealed(0).root);
        task.reclaim(first);
        task.reclaim(second);
        vm.assertEq(task.withdrawable(watcher), uint256(terms.minerDeposit) + 3 * uint256(terms.challengeBond), "all back");
        _expectConserved();
    }

    /// @dev Every node of every height can be asked for and answered; the node is bound to its place.
    function test_D19_everyHeight() public {
        _ready(0);
        int32[] memory model = _aggregate();
        uint256[3] memory leaves = [uint256(0), 77, 128];
        bytes32[][] memory all = Trees.levels(model);
        for (uint8 height; height < TOP; ++height) {
            for (uint256 k; k < 3; ++k) {
                uint256 index = leaves[k] >> height;
                if (k != 0 && index == leaves[k - 1] >> height) continue;
                bytes32 claim = _askAbove(model, 0, height, leaves[k]);
                _answer(claim, Trees.parts(model, height, index));
                vm.assertEq(task.questionOf(claim).node, bytes32(0), "answered");
            }
            if (height == TOP - 1) continue;
            _expectNoSuchNode(all, height, 1, all[height][0], Trees.path(all, height, 0));
            _expectNoSuchNode(all, height, 0, all[height][1], Trees.path(all, height, 0));
        }
        _expectConserved();
    }

    function _expectNoSuchNode(
        bytes32[][] memory all,
        uint8 height,
        uint32 index,
        bytes32 node,
        bytes32[] memory path
    ) private {
        uint256 length = Trees.path(all, height, index).length;
        if (length != path.length) return;
        uint256 bond = _bond(watcher);
        Opening memory o = _sealed(0);
        vm.prank(watcher);
        (bool ok, bytes memory why) = address(task).call{value: bond}(
            abi.encodeCall(task.question, (0, o.root, o.contentId, height, index, node, path))
        );
        vm.assertTrue(!ok && bytes4(why) == ITaskEvents.LearningTask_WrongProof.selector, "no such node");
    }

    function test_D19_nodesThatAreNot() public {
        _ready(0);
        bytes32[][] memory all = Trees.levels(_aggregate());
        Opening memory o = _sealed(0);
        _expectRefusedNode(TOP + 1, 0, o.root, new bytes32[](0), TOP + 1, TOP);
        _expectRefusedNode(255, 0, o.root, new bytes32[](0), 255, TOP);
        _expectRefusedNode(TOP, 1, o.root, new bytes32[](0), 1, 0);
        _expectRefusedNode(0, 129, all[0][0], new bytes32[](8), 129, 128);
        _expectRefusedNode(0, 0, all[0][0], new bytes32[](7), 7, 8);
        _expectRefusedNode(0, 0, all[0][0], new bytes32[](9), 9, 8);
        _expectRefusedNode(TOP, 0, o.root, new bytes32[](1), 1, 0);
        bytes32 top = all[TOP][0]; // the top is named by the root
        _expectRefusedNode(TOP, 0, top, new bytes32[](0), uint256(top), uint256(o.root));
        _expectConserved();
    }

    /// @dev What the miner did not open it need not answer for: another root, or other bytes.
    function test_D19_resultsThatAreNot() public {
        _ready(0);
        Opening memory o = _sealed(0);
        _expectRefusedResult(keccak256("another root"), o.contentId);
        _expectRefusedResult(o.root, keccak256("other bytes"));
        vm.assertEq(task.miner(0).stakes, 0, "bonds");
        _expectConserved();
    }

    function _expectRefusedResult(bytes32 root, bytes32 contentId) private {
        uint256 bond = _bond(watcher);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_WrongResult.selector, uint8(0)));
        vm.prank(watcher);
        task.question{value: bond}(0, root, contentId, TOP, 0, root, new bytes32[](0));
    }

    function _expectRefusedNode(
        uint8 height,
        uint32 index,
        bytes32 node,
        bytes32[] memory path,
        uint256 actual,
        uint256 required
    ) private {
        uint256 bond = _bond(watcher);
        Opening memory o = _sealed(0);
        _expectWrongProof(actual, required);
        vm.prank(watcher);
        task.question{value: bond}(0, o.root, o.contentId, height, index, node, path);
    }

    /// @dev A root of nothing at all: nobody can answer; the round goes on without it.
    function test_D19_withheldBytes() public {
        Terms memory t = _withTrainers(_disputed(), 2);
        _begin(t);
        _playToSeal();
        for (uint256 m; m < 3; ++m) {
            Opening memory o = _honest(m);
            if (m != 0) o.root = keccak256("root of nothing");
            _seal(m, o);
        }
        _propose(1);
        _openAll();
        bytes32 claim = _ask(watcher, 1, 2, 0, _sealed(1).root, new bytes32[](0));
        uint256 deadline = block.timestamp + terms.responseWindow;
        vm.expectRevert(
            abi.encodeWithSelector(ITaskEvents.LearningTask_TooEarly.selector, deadline - 1, deadline)
        );
        vm.warp(deadline - 1);
        task.expire(claim);
        bytes memory made = Trees.parts(_aggregate(), 2, 0);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_WrongResult.selector, uint8(1)));
        _answer(claim, made);
        vm.warp(deadline);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_TooLate.selector, deadline, deadline));
        _answer(claim, made);
        task.expire(claim);
        vm.assertEq(task.questionOf(claim).node, bytes32(0), "no longer asked");
        vm.assertEq(task.stakeOf(claim).challenger, address(0), "no longer at stake");
        _expectRefuted(2);
        _expectPhase(Phase.Mine);
        _propose(0);
        _finalise();
        _expectHead(_sealed(0).root);
        _expectOut(1);
        _expectOut(2);
        vm.assertEq(task.withdrawable(watcher), uint256(terms.minerDeposit) + terms.challengeBond, "bounty");
        _expectNoClaim(claim);
        task.reclaim(claim);
        _expectConserved();
    }

    function test_D19_answers() public {
        _ready(0);
        int32[] memory model = _aggregate();
        bytes32 claim = _askTop(watcher, 1);
        bytes memory right = Trees.parts(model, TOP, 0);
        bytes memory short = new bytes(32 * 32);
        _expectWrongProof(32 * 32, 33 * 32);
        _answer(claim, short);
        _expectWrongProof(33 * 32 + 1, 33 * 32);
        _answer(claim, bytes.concat(right, hex"00"));
        bytes memory wrong = bytes.concat(right);
        wrong[33 * 32 - 1] ^= 0x01;
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_WrongResult.selector, uint8(1)));
        _answer(claim, wrong);
        _expectNoClaim(keccak256("no question"));
        _answer(keccak256("no question"), right);
        vm.warp(block.timestamp + terms.responseWindow - 1);
        _answer(claim, right); // in the last second
        _expectNoClaim(claim);
        _answer(claim, right); // once
        vm.warp(block.timestamp + 1);
        _expectNoClaim(claim);
        task.expire(claim);
        _finalise();
        _expectNotProven(claim);
        task.reclaim(claim);
        // The bond of a question that was answered is lost: half to the block's miner.
        vm.assertEq(task.withdrawable(watcher), 0, "bond");
        _expectConserved();
    }

    /// @dev A challenge is no question: it cannot be answered, nor expire.
    function test_D19_aChallengeDoesNotExpire() public {
        _ready(0);
        bytes32 claim = _post(watcher, 1, 3);
        vm.warp(block.timestamp + terms.responseWindow);
        _expectNoClaim(claim);
        task.expire(claim);
        _expectNoClaim(claim);
        _answer(claim, "");
        _expectConserved();
    }

    /// @dev Asked in the last second, there is still time to answer, and to refute who did not.
    function test_D19_lastSecond() public {
        for (uint256 k; k < 2; ++k) {
            _ready(6);
            vm.warp(task.status().deadline - 1);
            bytes32 claim = _askTop(watcher, 1);
            vm.warp(task.questionOf(claim).deadline - 1);
            if (k == 0) {
                _answer(claim, Trees.parts(_lie(), TOP, 0));
                _expectPhase(Phase.Challenge);
                _refuteLie(1);
            } else {
                vm.warp(block.timestamp + 1);
                task.expire(claim);
            }
            _expectRefuted(2);
            _propose(0);
            _finalise();
            _expectHead(_sealed(0).root);
            _expectConserved();
        }
    }

    /// @dev Silence counts while the result can still be refuted; when the window is over, it is too late.
    function test_D19_silenceAfterTheWindow() public {
        _ready(6);
        bytes32 claim = _askTop(watcher, 1);
        vm.warp(task.status().deadline);
        _expectPhase(Phase.Finalise);
        _expectWrongPhase(Phase.Finalise, Phase.Challenge);
        task.expire(claim);
        _expectRefuted(0);
        _expectConserved();
    }

    /// @dev A question of one round says nothing in the next.
    function test_D19_onlyInItsRound() public {
        Terms memory t = _withTrainers(_disputed(), 2);
        t.rounds = 2;
        helper = _named("helper");
        _begin(t);
        _playLies(0, 1);
        bytes32 claim = _ask(watcher, 1, 2, 0, _sealed(1).root, new bytes32[](0));
        _toPhase(Phase.Finalise);
        bytes memory parts = Trees.parts(_aggregate(), 2, 0);
        _finalise();
        _expectNoClaim(claim);
        task.expire(claim);
        _expectNoClaim(claim);
        _answer(claim, parts);
        _expectNotProven(claim);
        task.reclaim(claim);
        _playLies(0, 1);
        _expectNoClaim(claim);
        task.expire(claim);
        _expectConserved();
    }
}
