// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Phase, Round, Terms, Update} from "../../../contracts/interfaces/TaskTypes.sol";
import {PhaseRules} from "../../../contracts/libraries/PhaseRules.sol";
import {UpdateWords} from "../../../contracts/task/UpdateWords.sol";
import {Test} from "../utils/Test.sol";

/// @notice The words beside the structs. Its code ends as that of a task does.
contract UpdateWordsHarness is UpdateWords {
    function setRound(Round calldata r) external {
        _round = r;
    }

    function setUpdate(address trainer, Update calldata u) external {
        _updates[trainer] = u;
    }

    function round() external view returns (Round memory) {
        return _round;
    }

    function update(address trainer) external view returns (Update memory) {
        return _updates[trainer];
    }

    function committing() external view returns (uint256) {
        return _committing();
    }

    function revealing() external view returns (uint256) {
        return _revealing();
    }

    function commit(address trainer, bytes32 digest) external returns (bool fits) {
        uint256 next = _commit(_word(), trainer, digest);
        if (next != 0) _store(next);
        return next != 0;
    }

    function reveal(address trainer, bytes32, bytes32, uint256, uint256, bytes32) external returns (bool fits) {
        uint256 next = _reveal(_word(), trainer, 36); // after the selector and the trainer
        if (next != 0) _store(next);
        return next != 0;
    }

    function _word() private view returns (uint256 r) {
        assembly ("memory-safe") {
            r := sload(_round.slot)
        }
    }
}

contract Code {
    constructor(bytes memory code) {
        assembly ("memory-safe") {
            return(add(code, 32), mload(code))
        }
    }
}

/// @notice `UpdateWords` reads and writes with shifts what the others read and write as structs.
contract UpdateWordsTest is Test {
    address private constant TRAINER = address(0xabcdef);

    Terms private _t;

    function _made() private returns (UpdateWordsHarness) {
        address any = address(0xffff);
        bytes memory args = abi.encode(_t, any, any, any, any, any);
        vm.assertEq(args.length, 1856, "what a task's code ends with");
        return UpdateWordsHarness(address(new Code(bytes.concat(type(UpdateWordsHarness).runtimeCode, args))));
    }

    /// @dev Like a round of a task: the clock of this test stands at its start, or later.
    function _shaped(Round memory r, uint256 seed) private view {
        r.running = seed % 8 != 0;
        r.id = uint16(_within(r.id, 1, type(uint16).max - 1));
        r.start = uint32(_within(r.start, 1, block.timestamp));
        if (seed & 8 != 0) r.commitSpan = 0;
        else r.commitSpan = uint24(_within(r.commitSpan, 0, block.timestamp - r.start + 1));
        if (r.commitSpan == 0) (r.commits, r.reveals) = (seed & 16 != 0 ? 0 : r.commits, 0);
        if (seed & 32 != 0) r.revealSpan = 0;
    }

    /// @dev Where the words say open, the rules say so, too; and nowhere else.
    function test_openAsTheRulesSay(Round memory r, uint32 commitWindow, uint32 revealWindow, uint256 seed) public {
        vm.warp(1_700_000_000);
        _t.commitWindow = uint32(_within(commitWindow, 1, 30 days));
        _t.revealWindow = uint32(_within(revealWindow, 1, 30 days));
        _t.minUpdates = 1;
        UpdateWordsHarness words = _made();
        _shaped(r, seed);
        if (seed & 64 != 0) r.start = uint32(block.timestamp - _within(r.start, 0, 60 days));
        if (r.commitSpan > block.timestamp - r.start + 1) r.commitSpan = 0;
        words.setRound(r);
        Phase phase = r.running ? PhaseRules.early(r, _t, block.timestamp).phase : Phase.Closed;
        vm.assertTrue((words.committing() != 0) == (phase == Phase.Commit), "Commit");
        vm.assertTrue((words.revealing() != 0) == (phase == Phase.Reveal), "Reveal");
    }

    /// @dev A commitment changes two counters and the trainer's digest and round, and nothing else.
    function test_commit(Round memory r, Update memory u, bytes32 digest, uint256 seed) public {
        vm.warp(1_700_000_000);
        UpdateWordsHarness words = _made();
        _shaped(r, seed);
        r.commits = uint8(_within(r.commits, 0, 127));
        r.activeTrainers = uint8(_within(r.activeTrainers, r.commits + (seed >> 8) % 2, 128));
        r.commitSpan = 0;
        if (seed >> 16 & 1 != 0) r.activeTrainers = r.commits + 1;
        if (r.start + type(uint24).max < block.timestamp) r.start = uint32(block.timestamp - 1000);
        u.seat = uint8(_within(u.seat, seed >> 24 & 7 == 0 ? 0 : 1, 128));
        if (seed >> 32 & 1 != 0) u.round = uint16(_within(u.round, 0, r.id));
        words.setRound(r);
        words.setUpdate(TRAINER, u);

        bool fits = u.seat != 0 && u.round < r.id && digest != 0;
        vm.assertTrue(words.commit(TRAINER, digest) == fits, "fits");
        if (fits) {
            ++r.commits;
            if (r.commits == r.activeTrainers) r.commitSpan = uint24(1 + block.timestamp - r.start);
            u = Update(bytes25(digest), 0, r.id, u.seat);
        }
        _expectSame(words, r, u);
    }

    /// @notice What a reveal brings.
    struct Words {
        bytes32 root;
        bytes32 contentId;
        uint256 samples;
        uint256 time;
        bytes32 salt;
    }

    /// @dev A reveal changes two counters, the bitmap, and the trainer's digest and samples.
    function test_reveal(Round memory r, Update memory u, Words memory w, uint256 seed) public {
        vm.warp(1_700_000_000);
        UpdateWordsHarness words = _made();
        _shaped(r, seed);
        r.commits = uint8(_within(r.commits, 1, 128));
        r.reveals = uint8(_within(r.reveals, 0, r.commits - 1));
        r.revealSpan = 0;
        if (r.start + type(uint24).max < block.timestamp) r.start = uint32(block.timestamp - 1000);
        u.seat = uint8(_within(u.seat, 1, 128));
        if (seed >> 8 & 7 != 0) w.samples = uint32(w.samples);
        if (seed >> 16 & 7 != 0) w.time = uint32(w.time);
        if (seed >> 24 & 7 != 0) r.revealed &= ~(uint128(1) << (u.seat - 1));
        if (seed >> 32 & 7 != 0) u.round = r.id;
        bytes25 digest = bytes25(_digest(address(words), r.id, w));
        if (seed >> 40 & 7 != 0) u.digest = digest;
        words.setRound(r);
        words.setUpdate(TRAINER, u);

        bool fits = u.round == r.id && r.revealed >> (u.seat - 1) & 1 == 0 && u.digest == digest;
        fits = fits && w.samples != 0 && w.samples < 2 ** 32 && w.time < 2 ** 32;
        vm.assertTrue(words.reveal(TRAINER, w.root, w.contentId, w.samples, w.time, w.salt) == fits, "fits");
        if (fits) {
            ++r.reveals;
            r.revealed |= uint128(1) << (u.seat - 1);
            if (r.reveals == r.commits) r.revealSpan = uint24(1 + block.timestamp - r.start);
            u = Update(bytes25(w.root), uint32(w.samples), r.id, u.seat);
        }
        _expectSame(words, r, u);
    }

    function _digest(address words, uint16 round, Words memory w) private view returns (bytes32) {
        bytes memory place = abi.encode(keccak256("BC-FL update"), block.chainid, words, round, uint256(0), TRAINER);
        return keccak256(bytes.concat(place, abi.encode(w.root, w.contentId, w.samples, w.time, w.salt)));
    }

    function _expectSame(UpdateWordsHarness words, Round memory r, Update memory u) private view {
        vm.assertEq(keccak256(abi.encode(words.round())), keccak256(abi.encode(r)), "round");
        vm.assertEq(keccak256(abi.encode(words.update(TRAINER))), keccak256(abi.encode(u)), "update");
    }
}
