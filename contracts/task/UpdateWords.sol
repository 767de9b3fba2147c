// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskEvents} from "../interfaces/ITaskEvents.sol";
import {Digests} from "../libraries/Digests.sol";
import {TaskBase} from "./TaskBase.sol";

/// @title Commit and reveal on two words
/// @notice Every trainer pays for these in every round, so they are written for gas: they read and write the round's
/// first word and the trainer's own, with shifts instead of structs (which cost a tenth of the call). They never
/// refuse: what does not fit is explained by `Updates`. `tests/forge` compares the layout with the structs.
abstract contract UpdateWords is TaskBase {
    // How far before the end of the task's code two of the terms stand: `ARGS` - 32 x position in `Terms` (40, 41).
    uint256 private constant COMMIT_WINDOW = 576;
    uint256 private constant REVEAL_WINDOW = 544;

    // Bits of slot 0 of `Round`, `r` below; the bitmap of reveals is lowest.
    uint256 private constant ID = 128;
    uint256 private constant START = 144;
    uint256 private constant COMMIT_SPAN = 176;
    uint256 private constant REVEAL_SPAN = 200;
    uint256 private constant ACTIVE = 224;
    uint256 private constant COMMITS = 232;
    uint256 private constant REVEALS = 240;
    uint256 private constant RUNNING = 248;

    // Bits of `Update`, `u` below; the digest is lowest.
    uint256 private constant SAMPLES = 200;
    uint256 private constant LAST_ROUND = 232;
    uint256 private constant SEAT = 248;
    uint256 private constant CUT = 56; // bits of a digest that are not kept

    // ------------------------------------------------------------------ commit

    /// @dev The round's word while Commit is open, else 0.
    function _committing() internal view returns (uint256 r) {
        bool open;
        assembly ("memory-safe") {
            r := sload(_round.slot)
            extcodecopy(address(), 0, sub(extcodesize(address()), COMMIT_WINDOW), 32)
            // running, not closed by the last commitment, before the deadline
            open := lt(timestamp(), add(and(shr(START, r), 0xffffffff), mload(0)))
            open := and(open, and(shr(RUNNING, r), iszero(and(shr(COMMIT_SPAN, r), 0xffffff))))
        }
        if (!open) return 0;
    }

    /// @dev Takes a commitment; returns the round's word after it, 0 when it does not fit.
    function _commit(uint256 r, address trainer, bytes32 digest) internal returns (uint256 next) {
        bytes32 topic = Committed.selector;
        assembly ("memory-safe") {
            mstore(0, trainer)
            mstore(32, _updates.slot)
            let place := keccak256(0, 64)
            let u := sload(place)
            let id := and(shr(ID, r), 0xffff)
            // a trainer, whose last round (all ones once it is struck out) is an earlier one
            if and(lt(and(shr(LAST_ROUND, u), 0xffff), id), and(gt(u, sub(shl(SEAT, 1), 1)), gt(digest, 0))) {
                sstore(place, or(or(shl(SEAT, shr(SEAT, u)), shl(LAST_ROUND, id)), shr(CUT, digest)))
                mstore(0, digest)
                log3(0, 32, topic, id, sub(shr(SEAT, u), 1)) // emit Committed(id, seat, digest)
                next := add(r, shl(COMMITS, 1))
                if iszero(and(xor(shr(COMMITS, next), shr(ACTIVE, next)), 0xff)) {
                    next := or(next, shl(COMMIT_SPAN, add(sub(timestamp(), and(shr(START, r), 0xffffffff)), 1)))
                }
            }
        }
    }

    // ------------------------------------------------------------------ reveal

    /// @dev The round's word while Reveal is open, else 0.
    function _revealing() internal view returns (uint256 r) {
        bool open;
        assembly ("memory-safe") {
            r := sload(_round.slot)
            let span := and(shr(COMMIT_SPAN, r), 0xffffff)
            let end := add(and(shr(START, r), 0xffffffff), span)
            switch span
            case 0 {
                extcodecopy(address(), 0, sub(extcodesize(address()), COMMIT_WINDOW), 32)
                end := add(end, mload(0))
                open := iszero(lt(timestamp(), end))
            }
            default {
                end := sub(end, 1)
                open := 1
            }
            extcodecopy(address(), 0, sub(extcodesize(address()), REVEAL_WINDOW), 32)
            open := and(open, and(lt(timestamp(), add(end, mload(0))), shr(RUNNING, r)))
            open := and(open, and(iszero(and(shr(REVEAL_SPAN, r), 0xffffff)), gt(and(shr(COMMITS, r), 0xff), 0)))
        }
        if (!open) return 0;
    }

    /// @dev Opens the commitment of `trainer` with the five words at calldata `at` (root, content digest, samples,
    /// training time, salt); returns the round's word after it, 0 when they do not fit.
    function _reveal(uint256 r, address trainer, uint256 at) internal returns (uint256 next) {
        bytes32 topic = Revealed.selector;
        bytes32 kind = Digests.UPDATE;
        assembly ("memory-safe") {
            mstore(0, trainer)
            mstore(32, _updates.slot)
            let place := keccak256(0, 64)
            let u := sload(place)

            // `Digests.Place` and the five words: see `Digests.update`. Attempt 0: attempts count minings.
            let words := mload(0x40)
            mstore(words, kind)
            mstore(add(words, 32), chainid())
            mstore(add(words, 64), address())
            let id := and(shr(ID, r), 0xffff)
            mstore(add(words, 96), id)
            mstore(add(words, 128), 0)
            mstore(add(words, 160), trainer)
            calldatacopy(add(words, 192), at, 160)
            let digest := keccak256(words, 352)
            words := add(words, 192)
            let samples := mload(add(words, 64))
            let seat := sub(shr(SEAT, u), 1)

            // committed in this round, not open, the same digest, numbers of 32 bits
            let wrong := or(xor(and(shr(LAST_ROUND, u), 0xffff), id), and(shr(seat, r), 1))
            wrong := or(wrong, or(shl(CUT, xor(u, shr(CUT, digest))), iszero(samples)))
            if iszero(or(wrong, shr(32, or(samples, mload(add(words, 96)))))) {
                u := or(shl(LAST_ROUND, shr(LAST_ROUND, u)), shl(SAMPLES, samples))
                sstore(place, or(u, shr(CUT, mload(words))))
                log3(words, 160, topic, id, seat) // emit Revealed(id, seat, the five words)
                next := add(or(r, shl(seat, 1)), shl(REVEALS, 1))
                if iszero(and(xor(shr(REVEALS, next), shr(COMMITS, next)), 0xff)) {
                    next := or(next, shl(REVEAL_SPAN, add(sub(timestamp(), and(shr(START, r), 0xffffffff)), 1)))
                }
            }
        }
    }

    function _store(uint256 r) internal {
        assembly ("memory-safe") {
            sstore(_round.slot, r)
        }
    }
}
