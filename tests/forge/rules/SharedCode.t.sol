// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskEvents} from "../../../contracts/interfaces/ITaskEvents.sol";
import {Disputing} from "../disputes/Disputing.sol";

/// @notice `LearningTask` is a whole task by itself; what `TaskProxy` takes over for gas is the same.
contract SharedCodeTest is Disputing {
    /// @dev Two of three miners lie, and are refuted: behind the proxy, and behind one that knows no short way.
    function test_theProxyIsAShortWayOnly() public {
        bytes32[2] memory ends;
        for (uint256 i; i < 2; ++i) {
            _deploy(0); // an empty registry for each
            _begin(_disputed());
            if (i == 1) _delegateAll();
            _playLies(6, 1);
            vm.assertEq(task.status().round.commits, 4, "commits");
            vm.assertEq(task.status().round.revealed, 15, "reveals");
            _refuteLie(1);
            _expectRefuted(2);
            _propose(0);
            _finalise();
            _expectHead(_sealed(0).root);
            ends[i] = _end();
            _expectConserved();
        }
        vm.assertEq(ends[0], ends[1], "the same");
    }

    /// @dev The shared code refuses what comes twice by itself, too.
    function test_twiceIsRefusedWithoutTheProxy() public {
        _begin(_disputed());
        _delegateAll();
        Update memory u = _updateOf(2);
        bytes32 digest = _commitment(trainers[2], u);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_EmptyDigest.selector));
        vm.prank(trainers[2]);
        task.commit(0);
        _commitAllBut(3);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_AlreadyCommitted.selector, 2));
        vm.prank(trainers[2]);
        task.commit(digest);
        _commit(3);
        _reveal(2, u);
        vm.expectRevert(abi.encodeWithSelector(ITaskEvents.LearningTask_AlreadyRevealed.selector, 2));
        _reveal(2, u);
        vm.assertEq(task.status().round.revealed, 4, "once");
    }

    function _commitAllBut(uint256 seat) private {
        for (uint256 i; i < 4; ++i) if (i != seat) _commit(i);
    }

    /// @dev What everybody has, and what the registry knows.
    function _end() private view returns (bytes32 digest) {
        for (uint8 i; i < 4; ++i) {
            address account = trainers[i];
            digest = keccak256(
                abi.encode(digest, task.withdrawable(account), task.trainer(i).quality, registry.trainerQuality(account))
            );
        }
        for (uint8 m; m < 3; ++m) {
            digest = keccak256(abi.encode(digest, task.withdrawable(miners[m]), task.miner(m).strikes));
        }
        return keccak256(abi.encode(digest, task.withdrawable(watcher), task.withdrawable(publisher)));
    }

    /// @dev A proxy without code of its own (EIP-1167) in the task's place, with the same terms at its end.
    function _delegateAll() private {
        bytes memory code = address(task).code;
        bytes memory args = new bytes(1856);
        for (uint256 i; i < args.length; ++i) args[i] = code[code.length - args.length + i];
        bytes20 target = bytes20(factory.implementation());
        vm.etch(
            address(task),
            bytes.concat(hex"363d3d373d3d3d363d73", target, hex"5af43d82803e903d91602b57fd5bf3", args)
        );
    }
}
