// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Opening} from "../../../contracts/interfaces/TaskTypes.sol";
import {Digests} from "../../../contracts/libraries/Digests.sol";
import {Preimages} from "../utils/Preimages.sol";
import {Test} from "../utils/Test.sol";

/// @notice Stands for a task: the library binds what it hashes to its caller.
contract DigestsHarness {
    function update(
        Digests.Place calldata place,
        bytes32 root,
        bytes32 contentId,
        uint32 samples,
        uint32 trainingTime,
        bytes32 salt
    ) external view returns (bytes32) {
        return Digests.update(place, root, contentId, samples, trainingTime, salt);
    }

    function seal(Digests.Place calldata place, Opening calldata o) external view returns (bytes32) {
        return Digests.seal(place, o);
    }

    function header(
        Digests.Place calldata place,
        bytes32 parent,
        bytes32 sealsDigest,
        Opening calldata o,
        uint256 difficulty
    ) external view returns (bytes32) {
        return Digests.header(place, parent, sealsDigest, o, difficulty);
    }

    function work(bytes32 header_, uint256 nonce) external pure returns (bytes32) {
        return Digests.work(header_, nonce);
    }

    function result(bytes32 root, bytes32 contentId) external pure returns (bytes32) {
        return Digests.result(root, contentId);
    }
}

contract DigestsTest is Test {
    DigestsHarness private _task;

    function setUp() public {
        _task = new DigestsHarness();
    }

    function test_updateAsSpecified(
        Digests.Place calldata place,
        bytes32 root,
        bytes32 contentId,
        uint32 samples,
        uint32 trainingTime,
        bytes32 salt
    ) public {
        vm.chainId(uint64(uint256(salt)) | 1);
        vm.assertEq(
            _task.update(place, root, contentId, samples, trainingTime, salt),
            Preimages.update(_at(place), root, contentId, samples, trainingTime, salt),
            "update"
        );
    }

    function test_sealAndHeaderAsSpecified(
        Digests.Place calldata place,
        bytes32 parent,
        bytes32 sealsDigest,
        Opening calldata o,
        uint256 difficulty
    ) public {
        vm.chainId(uint64(uint256(o.salt)) | 1);
        vm.assertEq(_task.seal(place, o), Preimages.seal(_at(place), o), "seal");
        vm.assertEq(
            _task.header(place, parent, sealsDigest, o, difficulty),
            Preimages.header(_at(place), parent, sealsDigest, o, difficulty),
            "header"
        );
        vm.assertEq(_task.work(parent, difficulty), Preimages.work(parent, difficulty), "work");
        vm.assertEq(_task.result(o.root, o.contentId), Preimages.result(o), "result");
    }

    function _at(Digests.Place calldata place) private view returns (Preimages.At memory) {
        return Preimages.At(address(_task), place.round, place.attempt, place.sender);
    }
}
