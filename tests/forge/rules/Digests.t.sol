// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskEvents} from "../../../contracts/interfaces/ITaskEvents.sol";
import {Opening} from "../../../contracts/interfaces/TaskTypes.sol";
import {Digests} from "../../../contracts/libraries/Digests.sol";
import {Preimages} from "../utils/Preimages.sol";
import {Scenario} from "../utils/Scenario.sol";
import {Vm} from "../utils/Test.sol";

/// @notice Stands for a task: the library binds what it hashes to its caller.
contract DigestsHarness {
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

    function fastHeader(
        Digests.Place calldata place,
        bytes32 parent,
        uint128 inputs,
        Opening calldata o,
        uint256 difficulty
    ) external view returns (bytes32) {
        return Digests.fastHeader(place, parent, inputs, o, difficulty);
    }

    function challenge(
        Digests.Place calldata place,
        uint8 seat,
        uint256 coordinate,
        bytes32 salt
    ) external view returns (bytes32) {
        return Digests.challenge(place, seat, coordinate, salt);
    }

    function question(
        Digests.Place calldata place,
        uint8 seat,
        uint8 height,
        uint32 index
    ) external view returns (bytes32) {
        return Digests.question(place, seat, height, index);
    }

    function signedCommit(uint16 round, bytes32 digest) external view returns (bytes32) {
        return Digests.signedCommit(Digests.domain(), round, digest);
    }

    function work(bytes32 header_, uint256 nonce) external pure returns (bytes32) {
        return Digests.work(header_, nonce);
    }

    function result(bytes32 root, bytes32 contentId) external pure returns (bytes32) {
        return Digests.result(root, contentId);
    }
}

contract DigestsTest is Scenario {
    DigestsHarness private _harness;

    function setUp() public {
        _harness = new DigestsHarness();
    }

    /// @dev The contract puts this digest together where its words lie; whatever they are, it is the specified one, and
    /// the event holds what was hashed.
    function test_updateAsSpecified(Update memory u, uint64 chain) public {
        vm.chainId(chain | 1);
        if (u.samples == 0) u.samples = 1;
        _start(_defaultTerms());
        for (uint256 i; i < 3; ++i) _commit(i);
        _commit(3, u);
        vm.recordLogs();
        _reveal(3, u);
        Vm.Log memory log = vm.getRecordedLogs()[0];
        vm.assertEq(log.topics[0], ITaskEvents.Revealed.selector, "event");
        vm.assertEq(uint256(log.topics[1]) << 8 | uint256(log.topics[2]), 1 << 8 | 3, "round and seat");
        bytes memory values = abi.encode(u.root, u.contentId, u.samples, u.trainingTime, u.salt);
        vm.assertEq(keccak256(log.data), keccak256(values), "values");
        vm.assertEq(task.trainer(3).digest, bytes25(u.root), "root");
        vm.assertEq(task.trainer(3).samples, u.samples, "samples");
    }

    function test_sealAndHeaderAsSpecified(
        Digests.Place calldata place,
        bytes32 parent,
        bytes32 sealsDigest,
        Opening calldata o,
        uint256 difficulty
    ) public {
        vm.chainId(uint64(uint256(o.salt)) | 1);
        vm.assertEq(_harness.seal(place, o), Preimages.seal(_at(place), o), "seal");
        vm.assertEq(
            _harness.header(place, parent, sealsDigest, o, difficulty),
            Preimages.header(_at(place), parent, sealsDigest, o, difficulty),
            "header"
        );
        uint128 inputs = uint128(uint256(sealsDigest));
        vm.assertEq(
            _harness.fastHeader(place, parent, inputs, o, difficulty),
            Preimages.fastHeader(_at(place), parent, inputs, o, difficulty),
            "fast header"
        );
        vm.assertEq(_harness.work(parent, difficulty), Preimages.work(parent, difficulty), "work");
        vm.assertEq(_harness.result(o.root, o.contentId), Preimages.result(o), "result");
    }

    function test_claimsAsSpecified(
        Digests.Place calldata place,
        uint8 seat,
        uint256 coordinate,
        uint32 index,
        bytes32 salt
    ) public {
        vm.chainId(uint64(uint256(salt)) | 1);
        vm.assertEq(
            _harness.challenge(place, seat, coordinate, salt),
            Preimages.challenge(_at(place), seat, coordinate, salt),
            "challenge"
        );
        uint8 height = uint8(coordinate);
        vm.assertEq(
            _harness.question(place, seat, height, index),
            Preimages.question(_at(place), seat, height, index),
            "question"
        );
    }

    /// @dev Each task has a domain of its own, on each chain.
    function test_domainAsSpecified(uint64 chain) public {
        vm.chainId(chain == 0 ? 1 : chain);
        _start(_defaultTerms());
        bytes32 first = task.domainSeparator();
        vm.assertEq(first, Preimages.domain(address(task)), "domain");
        _publish(_defaultTerms());
        vm.assertEq(task.domainSeparator(), Preimages.domain(address(task)), "domain of another");
        vm.assertNotEq(task.domainSeparator(), first, "its own");
    }

    function test_signedCommitAsSpecified(uint64 chain, uint16 round, bytes32 digest) public {
        vm.chainId(chain | 1);
        vm.assertEq(
            _harness.signedCommit(round, digest), Preimages.signedCommit(address(_harness), round, digest), "commit"
        );
    }

    function _at(Digests.Place calldata place) private view returns (Preimages.At memory) {
        return Preimages.At(address(_harness), place.round, place.attempt, place.sender);
    }
}
