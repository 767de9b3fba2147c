// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Opening, Phase, Round, Stake, Status} from "../../../contracts/interfaces/TaskTypes.sol";
import {Preimages} from "../utils/Preimages.sol";
import {SmallTrees} from "./SmallTrees.sol";
import {Steps} from "./Steps.sol";

/// @notice What can be done in certain states only: disputes, fast blocks, second minings. Each is done if it can be
/// done now, and what must be refused on the way is seen to be refused.
abstract contract Deeds is Steps {
    /// @notice The fuzzer's calls; first those that need a state of their own.
    enum Deed {
        Accuse,
        Show,
        Ask,
        Reply,
        TakeBack,
        Vouch,
        MineAgain,
        Act,
        ActAll,
        Jump,
        Pay,
        Probe
    }

    struct Posted {
        address who;
        uint8 seat;
        uint8 height; // question: of the node
        uint32 index;
        bool isQuestion;
        uint256 coordinate;
    }

    mapping(bytes32 claim => Posted) private _posted;
    bytes32 private _spent; // a claim whose bond went some way

    function _do(Deed deed, Status memory s, uint256 seed) internal scratch returns (bool) {
        if (deed == Deed.TakeBack) return _takeBack(s.round, seed);
        if (!s.round.running) return false;
        if (deed == Deed.Show) return _showAny(s, seed);
        if (deed == Deed.Vouch) return s.phase == Phase.Seal && s.round.windowFrom == 0 && _vouch(s, seed);
        if (deed == Deed.MineAgain) return _isAgain(s) && _actMiner(s, seed);
        if (deed == Deed.Reply) return _replyAny(s, seed);
        return _isDisputable(s) && _postAny(s, seed, deed == Deed.Ask);
    }

    /// @dev Whether it is likely to be possible within this round.
    function _isNear(Deed deed, Status memory s) internal view returns (bool) {
        if (!s.round.running || s.phase == Phase.Finalise) return false;
        if (deed == Deed.MineAgain) return miners.length > 1 && s.phase <= Phase.Seal && s.round.sealers == 0;
        if (deed != Deed.Vouch) return true;
        if (s.phase > Phase.Check) return false;
        for (uint256 m; m < miners.length; ++m) if (_isTrusted(miners[m])) return true;
        return false;
    }

    /// @dev Whether the newest claim is a right one that nobody has shown.
    function _isProvable(Status memory s) internal view returns (bool) {
        if (claims.length == 0) return false;
        bytes32 claim = claims[claims.length - 1];
        Stake memory stake = task.stakeOf(claim);
        return stake.challenger != address(0) && stake.round == s.round.id && _isRight(_posted[claim]);
    }

    function _isRight(Posted memory p) private view returns (bool) {
        return !p.isQuestion && p.coordinate == lieAt && stands[p.seat].lies;
    }

    function _isDisputable(Status memory s) private pure returns (bool) {
        if (s.phase == Phase.Mine) return s.round.firstProposal != 0 && !_isAgain(s);
        return s.phase == Phase.Challenge || s.phase == Phase.Open;
    }

    // ------------------------------------------------------------------ claims

    /// @dev Against a miner whose result is known: of two places a wrong one, where there is one.
    function _postAny(Status memory s, uint256 seed, bool isQuestion) private returns (bool) {
        Round memory r = s.round;
        if (r.fast != 0 && block.number <= r.fastBlock) return false;
        uint256 known = r.openers;
        // One that was drawn gives way to the seals, even where all came before it.
        if (r.fast != 0 && r.firstProposal == 0 && s.phase == Phase.Challenge) known |= 1 << (r.fast - 1);
        for (uint256 k; k < miners.length; ++k) {
            uint8 m = uint8(((seed >> 8) + k) % miners.length);
            if (known >> m & 1 == 0) continue;
            // Who lies is asked and accused first, half of the time.
            if (k + 1 < miners.length && seed >> 60 & 1 == 0 && !stands[m].lies) continue;
            address who = people[(seed >> 16) % people.length];
            return isQuestion ? _askOn(s, who, m, seed) : _accuse(s, who, m, seed);
        }
        return false;
    }

    function _accuse(Status memory s, address who, uint8 m, uint256 seed) private returns (bool) {
        uint256 coordinate = seed >> 24 & 3 == 0 ? _within(seed >> 32, 0, 31) : lieAt;
        Preimages.At memory at = Preimages.At(address(task), s.round.id, 0, who);
        bytes32 digest = Preimages.challenge(at, m, coordinate, _saltOf(who));
        bytes32 claim = Preimages.claim(m, digest, who);
        if (_posted[claim].who != address(0)) {
            // Shown before, or held already.
            if (task.stakeOf(claim).challenger == address(0)) return false;
            _refused(who, abi.encodeCall(task.commitChallenge, (m, digest)), terms.challengeBond);
            return false;
        }
        _postDigest(who, m, digest);
        _posted[claim] = Posted(who, m, 0, 0, false, coordinate);
        return true;
    }

    /// @dev The first claim of the round from a random one that is not shown: refuted, or refused as no proof.
    function _showAny(Status memory s, uint256 seed) private returns (bool) {
        for (uint256 k; k < claims.length; ++k) {
            bytes32 claim = claims[((seed >> 8) + k) % claims.length];
            Posted memory p = _posted[claim];
            if (p.isQuestion) continue;
            bool right = _isRight(p);
            if (!right && (k != 0 || seed & 3 != 0)) continue;
            Stake memory stake = task.stakeOf(claim);
            if (stake.challenger == address(0) || stake.round != s.round.id) continue;
            bytes memory call = _proof(s, p);
            if (!right) {
                _refused(p.who, call, 0);
                continue;
            }
            _refused(stranger, call, 0); // another sender
            vm.prank(p.who);
            (bool ok,) = address(task).call(call);
            require(ok, "a right proof is taken");
            _noteRefuted(s, p.seat);
            _refused(p.who, call, 0); // once
            return true;
        }
        return false;
    }

    function _proof(Status memory s, Posted memory p) private view returns (bytes memory) {
        Opening memory o = _sealed(p.seat);
        bytes memory evidence = _evidenceOf(s, p.coordinate, _aggregateOf(s, stands[p.seat].lies));
        return abi.encodeCall(
            task.challenge, (p.seat, p.coordinate, _saltOf(p.who), o.contentId, evidence)
        );
    }

    function _noteRefuted(Status memory s, uint256 m) private {
        Opening memory o = _sealed(m);
        ++seen.refuted;
        refutedOnce[keccak256(abi.encode(address(task), s.round.id, o.root, o.contentId))] = true;
    }

    // ------------------------------------------------------------------ questions

    /// @dev The top, by the root; a leaf, where the bytes are known.
    function _askOn(Status memory s, address who, uint8 m, uint256 seed) private returns (bool) {
        Opening memory o = _sealed(m);
        Posted memory p = Posted(who, m, 0, 0, true, 0);
        bytes32 node = o.root;
        bytes32[] memory path;
        if (terms.parameterCount > 32) {
            p.height = 1;
            if (seed >> 24 & 1 == 0 && !stands[m].withheld) {
                (p.height, p.index) = (0, uint32(seed >> 25 & 1));
                int32[] memory model = _aggregateOf(s, stands[m].lies);
                node = SmallTrees.leafHash(model, p.index);
                path = new bytes32[](1);
                path[0] = SmallTrees.leafHash(model, 1 - p.index);
            }
        }
        Preimages.At memory at = Preimages.At(address(task), s.round.id, 0, who);
        bytes32 claim = Preimages.question(at, m, p.height, p.index);
        if (_posted[claim].who != address(0)) return false;
        uint256 bond = _bond(who);
        vm.prank(who);
        task.question{value: bond}(m, o.root, o.contentId, p.height, p.index, node, path);
        paidIn += bond;
        claims.push(claim);
        _posted[claim] = p;
        return true;
    }

    /// @dev The first open question from a random one: answered where the bytes are known, else it expires.
    function _replyAny(Status memory s, uint256 seed) private returns (bool) {
        for (uint256 k; k < claims.length; ++k) {
            bytes32 claim = claims[((seed >> 8) + k) % claims.length];
            Posted memory p = _posted[claim];
            if (!p.isQuestion || task.stakeOf(claim).round != s.round.id) continue;
            uint256 deadline = task.questionOf(claim).deadline;
            if (deadline == 0) continue;
            bytes memory parts = SmallTrees.parts(_aggregateOf(s, stands[p.seat].lies), p.height, p.index);
            bytes memory call = abi.encodeCall(task.answer, (claim, parts));
            if (stands[p.seat].withheld || block.timestamp >= deadline) {
                _refused(stranger, call, 0);
            } else if (seed >> 40 & 3 != 0) {
                vm.prank(stranger);
                task.answer(claim, parts);
                return true;
            }
            if (block.timestamp < deadline) {
                _refused(stranger, abi.encodeCall(task.expire, (claim)), 0);
                continue;
            }
            // A fast block that was refuted by something else is no result of the round any more.
            bool known = s.round.openers >> p.seat & 1 != 0 || s.round.fast == p.seat + 1;
            if (!known || !_isDisputable(s)) {
                _refused(stranger, abi.encodeCall(task.expire, (claim)), 0);
                continue;
            }
            vm.prank(stranger);
            task.expire(claim);
            _noteRefuted(s, p.seat);
            return true;
        }
        return false;
    }

    // ------------------------------------------------------------------ bonds

    function _takeBack(Round memory r, uint256 seed) internal returns (bool) {
        if (seed & 7 == 0 && _spent != 0) _refused(stranger, abi.encodeCall(task.reclaim, (_spent)), 0);
        for (uint256 k; k < claims.length; ++k) {
            uint256 i = ((seed >> 8) + k) % claims.length;
            bytes32 claim = claims[i];
            Stake memory stake = task.stakeOf(claim);
            bytes memory call = abi.encodeCall(task.reclaim, (claim));
            if (!_isHeld(r, stake) || (r.running && stake.round == r.id)) {
                if (k == 0) _refused(stranger, call, 0);
                continue;
            }
            vm.prank(stake.challenger);
            task.reclaim(claim);
            _refused(stranger, call, 0); // once
            _spent = claim;
            claims[i] = claims[claims.length - 1];
            claims.pop();
            return true;
        }
        return false;
    }

    /// @dev Forgets claims whose bonds went with the rounds that are over, so that nobody asks for them every time.
    function _drop(Round memory r) internal {
        for (uint256 i = claims.length; i > 0; --i) {
            bytes32 claim = claims[i - 1];
            Stake memory stake = task.stakeOf(claim);
            if (_isHeld(r, stake)) continue;
            _spent = claim;
            claims[i - 1] = claims[claims.length - 1];
            claims.pop();
        }
    }

    function _isHeld(Round memory r, Stake memory stake) private view returns (bool) {
        if (stake.challenger == address(0)) return false;
        if (r.running && stake.round == r.id) return true;
        return task.miner(stake.seat).provenRound == stake.round;
    }
}
