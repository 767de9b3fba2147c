// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {
    Opening,
    Phase,
    Reveal,
    Role,
    Round,
    SignedCommit,
    Stage,
    Stake,
    State,
    Status,
    Trainer
} from "../../../contracts/interfaces/TaskTypes.sol";
import {IReputation} from "../../../contracts/interfaces/IReputation.sol";
import {Trees} from "../disputes/Trees.sol";
import {Medians} from "../utils/Medians.sol";
import {Preimages} from "../utils/Preimages.sol";
import {Actors} from "./Actors.sol";

/// @notice What the fuzzer may do, over one task after the other. Calls do not revert: each finds somebody who can do
/// something in the present phase, honest or not, and what must be refused is tried and seen to be refused.
contract Handler is Actors {
    using Medians for uint256[];

    /// @notice How often what has happened.
    struct Seen {
        uint256 accepted;
        uint256 voided;
        uint256 completed;
        uint256 early;
        uint256 aborted;
        uint256 struckOut;
        uint256 burnt;
        uint256 refuted;
        uint256 again; // second minings that brought a block
        uint256 fast; // fast blocks that became final
        uint256 fastVoted;
        uint256 stood; // fork choices between several blocks
        uint256 relayed;
    }

    /// @notice How often a call was made, and did what it is for.
    struct Tally {
        uint256 calls;
        uint256 done;
    }

    /// @notice The calls that need a state of their own.
    enum Deed {
        Accuse,
        Show,
        Ask,
        Reply,
        TakeBack,
        Vouch,
        MineAgain
    }

    uint256 private constant DEEDS = 7;

    Seen internal seen;
    Tally[DEEDS] internal tallies;
    bool private _urged; // to lie
    mapping(bytes32 result => bool) private _refutedOnce; // by task, round, root and content
    mapping(bytes32 claim => Posted) private _posted;
    mapping(bytes32 inputs => bytes32[2]) private _roots; // of the lie and of the truth

    struct Posted {
        address who;
        uint8 seat;
        uint8 height; // question: of the node
        uint32 index;
        bool isQuestion;
        uint256 coordinate;
    }

    constructor() {
        _gather();
        lieAt = 0;
        _publishAny(0);
    }

    /// @dev Time and rounds only go forward, whatever the call was.
    modifier watched() {
        Status memory before = task.status();
        address watchedTask = address(task);
        _;
        if (address(task) == watchedTask) _expectForward(before, task.status());
    }

    // ------------------------------------------------------------------ calls

    /// @notice Somebody takes the next step.
    function act(uint256 seed) external watched {
        _act(task.status(), seed);
    }

    /// @notice Everybody takes the step of the present phase, or nearly.
    function actAll(uint256 seed) external watched {
        Status memory s = task.status();
        Phase phase = s.phase;
        for (uint256 i; i < 12 && s.phase == phase; ++i) {
            if (!_act(s, _pick(seed, bytes32(i), 0, type(uint128).max))) break;
            s = task.status();
        }
    }

    /// @notice Time passes: a little, to the end of the phase, or far beyond it.
    function jump(uint256 seed) external watched {
        Status memory s = task.status();
        uint256 left = s.deadline == 0 ? 3 : s.deadline - block.timestamp;
        if (seed % 8 == 0) _elapse(block.timestamp + left + seed / 8 % 40);
        else if (seed % 8 == 1) _elapse(block.timestamp + left);
        else _elapse(block.timestamp + seed / 8 % (left / 4 + 1));
        if (seed % 64 == 2) vm.roll(block.number + 256); // no draw can be looked up any more
    }

    /// @dev The clock goes on, and so does the chain: the draw of a fast block is known.
    function _elapse(uint256 to) private {
        vm.warp(to);
        vm.roll(block.number + 1);
    }

    /// @notice Somebody is paid, at any time; now and then ether arrives that nobody asked for.
    function pay(uint256 seed) external watched {
        if (seed % 16 == 0) {
            uint256 amount = seed >> 8 & 0xffff;
            forced += amount;
            vm.deal(address(task), address(task).balance + amount);
        }
        _pay(people[seed % people.length]);
        if (seed % 5 == 0) _pay(publisher);
    }

    /// @notice What must be refused now is refused: half of all calls, by chance.
    function probe(uint256 seed) external watched {
        Phase phase = task.phase();
        uint8 seat = uint8(seed % 8);
        address sender = people[(seed >> 8) % people.length];
        if (trainers.length > seat && seed & 16 == 0) sender = trainers[seat];
        (bytes[] memory calls, Phase[] memory phases) = _calls(seat, seed);
        for (uint256 i; i < calls.length; ++i) {
            if (seed >> (16 + i) & 1 == 0 || phase == phases[i]) continue;
            _refused(sender, calls[i], phases[i] == Phase.Bidding ? _bidValue(i) : 0);
        }
        _refused(stranger, abi.encodeCall(task.initialise, ()), 0);
        if (phase != Phase.Bidding && phase != Phase.Select) _refused(publisher, abi.encodeCall(task.cancel, ()), 0);
    }

    /// @dev Calls with the only phase in which each may succeed.
    function _calls(uint8 seat, uint256 seed) private view returns (bytes[] memory calls, Phase[] memory phases) {
        calls = new bytes[](10);
        phases = new Phase[](10);
        Opening memory o;
        bytes32 digest = bytes32(seed | 1);
        (calls[0], phases[0]) = (abi.encodeCall(task.bidAsTrainer, (SAMPLES, 0, 1)), Phase.Bidding);
        (calls[1], phases[1]) = (abi.encodeCall(task.bidAsMiner, (0)), Phase.Bidding);
        (calls[2], phases[2]) = (abi.encodeCall(task.select, ()), Phase.Select);
        (calls[3], phases[3]) = (abi.encodeCall(task.commit, (digest)), Phase.Commit);
        (calls[4], phases[4]) = (abi.encodeCall(task.reveal, (digest, digest, 1, 1, digest)), Phase.Reveal);
        (calls[5], phases[5]) = (abi.encodeCall(task.check, (seat, seed)), Phase.Check);
        (calls[6], phases[6]) = (abi.encodeCall(task.seal, (seat, digest)), Phase.Seal);
        (calls[7], phases[7]) = (abi.encodeCall(task.propose, (seat, o, seed)), Phase.Mine);
        (calls[8], phases[8]) = (abi.encodeCall(task.open, (seat, o, new uint256[](0), 0)), Phase.Open);
        (calls[9], phases[9]) = (abi.encodeCall(task.finalise, (new uint256[](1), 0)), Phase.Finalise);
    }

    function _bidValue(uint256 call) private view returns (uint256) {
        return call == 0 ? uint256(SAMPLES) * terms.trainerDeposit : terms.minerDeposit;
    }

    // ------------------------------------------------------------------ deeds

    /// @notice Somebody posts a bond on the claim that a result is false, right or not.
    function accuse(uint256 seed) external watched {
        _try(Deed.Accuse, seed);
    }

    /// @notice Somebody shows what it committed to; what is no proof is refused.
    function show(uint256 seed) external watched {
        _try(Deed.Show, seed);
    }

    /// @notice Somebody asks for a node of a result's tree.
    function ask(uint256 seed) external watched {
        _try(Deed.Ask, seed);
    }

    /// @notice A question is answered by who has the bytes, or expires.
    function reply(uint256 seed) external watched {
        _try(Deed.Reply, seed);
    }

    /// @notice A bond against a refuted result is taken back.
    function takeBack(uint256 seed) external watched {
        _try(Deed.TakeBack, seed);
    }

    /// @notice A trusted miner proposes a block without a vote.
    function vouch(uint256 seed) external watched {
        _try(Deed.Vouch, seed);
    }

    /// @notice Who opened the truth mines again.
    function mineAgain(uint256 seed) external watched {
        _try(Deed.MineAgain, seed);
    }

    /// @dev Does it if it can be done now; else, where that happened too seldom, plays on until it can.
    function _try(Deed deed, uint256 seed) private {
        Tally storage tally = tallies[uint256(deed)];
        ++tally.calls;
        bool done = _do(deed, seed);
        // One of 18 is enough for the statement, and playing on is slow.
        uint256 steps = done || tally.calls < 12 || 18 * tally.done >= tally.calls ? 0 : 80;
        _urged = deed == Deed.Show || deed == Deed.TakeBack || deed == Deed.MineAgain;
        for (uint256 i; i < steps && !done; ++i) {
            _step(deed, _pick(seed, bytes32(i), 0, type(uint128).max));
            done = _do(deed, _pick(seed, bytes32(~i), 0, type(uint128).max));
        }
        _urged = false;
        if (done) ++tally.done;
    }

    function _step(Deed deed, uint256 seed) private scratch {
        if (_urged) _do(Deed.Accuse, seed);
        if (_urged && deed != Deed.Show) _do(Deed.Show, seed);
        if (deed == Deed.Reply) _do(Deed.Ask, seed);
        if (deed == Deed.Show && _isProvable()) return;
        Status memory s = task.status();
        if (deed == Deed.MineAgain && s.phase == Phase.Mine && s.attempt == s.round.attempt) {
            // The lie alone has a block.
            bool first = s.round.firstProposal == 0 && s.round.sealers & ~s.round.refuted & 1 != 0;
            return first ? _propose(0) : _elapse(s.deadline);
        }
        if (!_act(s, seed) && s.deadline != 0) _elapse(s.deadline);
    }

    /// @dev Whether the newest claim is a right one that nobody has shown.
    function _isProvable() private view returns (bool) {
        if (claims.length == 0) return false;
        bytes32 claim = claims[claims.length - 1];
        Stake memory stake = task.stakeOf(claim);
        if (stake.challenger == address(0) || stake.round != _round()) return false;
        return _isRight(_posted[claim]);
    }

    function _isRight(Posted memory p) private view returns (bool) {
        return !p.isQuestion && p.coordinate == lieAt && _isLie(_sealed(p.seat));
    }

    function _do(Deed deed, uint256 seed) private scratch returns (bool) {
        Status memory s = task.status();
        if (deed == Deed.TakeBack) return _takeBack(s.round, seed);
        if (!s.round.running) return false;
        if (deed == Deed.Show) return _showAny(s, seed);
        if (deed == Deed.Vouch) return s.phase == Phase.Seal && s.round.windowFrom == 0 && _vouch(s, seed);
        if (deed == Deed.MineAgain) return s.attempt > s.round.attempt && _actMiner(s, seed);
        if (deed == Deed.Reply) return _replyAny(s, seed);
        if (s.phase != Phase.Challenge && s.phase != Phase.Open && s.phase != Phase.Mine) return false;
        if (s.attempt > s.round.attempt) return false;
        return _postAny(s, seed, deed == Deed.Ask);
    }

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
            if (k + 1 < miners.length && seed >> 60 & 1 == 0 && !_isLie(_sealed(m))) continue;
            address who = people[(seed >> 16) % people.length];
            return isQuestion ? _askOn(who, m, seed) : _accuse(who, m, seed);
        }
        return false;
    }

    function _accuse(address who, uint8 m, uint256 seed) private returns (bool) {
        uint256 coordinate = seed >> 24 & 3 == 0 ? _within(seed >> 32, 0, 31) : lieAt;
        bytes32 claim = _claimOf(who, m, coordinate);
        uint256 bond = terms.challengeBond;
        if (task.stakeOf(claim).challenger != address(0)) {
            _refused(who, abi.encodeCall(task.commitChallenge, (m, claim)), bond);
            return false;
        }
        if (_posted[claim].who != address(0)) return false; // shown before
        _postClaim(who, m, claim);
        _posted[claim] = Posted(who, m, 0, 0, false, coordinate);
        return true;
    }

    /// @dev The first claim of the round from a random one that is not shown: refuted, or refused as no proof.
    function _showAny(Status memory s, uint256 seed) private returns (bool) {
        for (uint256 k; k < claims.length; ++k) {
            bytes32 claim = claims[((seed >> 8) + k) % claims.length];
            Posted memory p = _posted[claim];
            if (p.isQuestion || task.stakeOf(claim).challenger == address(0)) continue;
            if (task.stakeOf(claim).round != s.round.id) continue;
            bool right = _isRight(p);
            if (!right && (k != 0 || seed & 3 != 0)) continue;
            bytes memory call = _proof(p);
            _refused(stranger, call, 0); // another sender
            if (!right) {
                _refused(p.who, call, 0);
                continue;
            }
            vm.prank(p.who);
            (bool ok,) = address(task).call(call);
            vm.assertTrue(ok, "a right proof is taken");
            _noteRefuted(s, p.seat);
            _refused(p.who, call, 0); // once
            return true;
        }
        return false;
    }

    function _proof(Posted memory p) private view returns (bytes memory) {
        Opening memory o = _sealed(p.seat);
        bytes memory evidence = _evidence(p.coordinate, _isLie(o) ? _lie() : _aggregate());
        return abi.encodeCall(
            task.challenge, (p.seat, p.coordinate, _saltOf(p.who), o.root, o.contentId, evidence)
        );
    }

    function _isLie(Opening memory o) private view returns (bool) {
        return o.root == _resultRoot(false);
    }

    function _noteRefuted(Status memory s, uint256 m) private {
        Opening memory o = _sealed(m);
        ++seen.refuted;
        _refutedOnce[keccak256(abi.encode(address(task), s.round.id, o.root, o.contentId))] = true;
    }

    /// @dev The top, by the root; a leaf, where the bytes are known.
    function _askOn(address who, uint8 m, uint256 seed) private returns (bool) {
        Opening memory o = _sealed(m);
        Posted memory p = Posted(who, m, 0, 0, true, 0);
        bytes32 node = o.root;
        bytes32[] memory path;
        if (terms.parameterCount > 32) {
            p.height = 1;
            if (seed >> 24 & 1 == 0 && !_isWithheld(o)) {
                (p.height, p.index) = (0, uint32(seed >> 25 & 1));
                bytes32[][] memory all = Trees.levels(_isLie(o) ? _lie() : _aggregate());
                (node, path) = (all[0][p.index], Trees.path(all, 0, p.index));
            }
        }
        Preimages.At memory at = Preimages.At(address(task), _round(), 0, who);
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

    function _isWithheld(Opening memory o) private view returns (bool) {
        return !_isLie(o) && o.root != _resultRoot(true);
    }

    /// @dev The first open question from a random one: answered where the bytes are known, else it expires.
    function _replyAny(Status memory s, uint256 seed) private returns (bool) {
        for (uint256 k; k < claims.length; ++k) {
            bytes32 claim = claims[((seed >> 8) + k) % claims.length];
            Posted memory p = _posted[claim];
            if (!p.isQuestion || task.stakeOf(claim).round != s.round.id) continue;
            uint256 deadline = task.questionOf(claim).deadline;
            if (deadline == 0) continue;
            Opening memory o = _sealed(p.seat);
            bool withheld = _isWithheld(o);
            bytes memory parts = Trees.parts(_isLie(o) ? _lie() : _aggregate(), p.height, p.index);
            bytes memory call = abi.encodeCall(task.answer, (claim, parts));
            if (withheld || block.timestamp >= deadline) _refused(stranger, call, 0);
            else if (seed >> 40 & 3 != 0) {
                vm.prank(stranger);
                task.answer(claim, parts);
                return true;
            }
            if (block.timestamp < deadline) {
                _refused(stranger, abi.encodeCall(task.expire, (claim)), 0);
                continue;
            }
            if (!_isDisputable(s)) continue;
            vm.prank(stranger);
            task.expire(claim);
            _noteRefuted(s, p.seat);
            return true;
        }
        return false;
    }

    function _isDisputable(Status memory s) private pure returns (bool) {
        if (s.phase == Phase.Mine) return s.round.firstProposal != 0 && s.attempt == s.round.attempt;
        return s.phase == Phase.Challenge || s.phase == Phase.Open;
    }

    function _takeBack(Round memory r, uint256 seed) private scratch returns (bool) {
        for (uint256 k; k < claims.length; ++k) {
            bytes32 claim = claims[((seed >> 8) + k) % claims.length];
            Stake memory stake = task.stakeOf(claim);
            bytes memory call = abi.encodeCall(task.reclaim, (claim));
            if (!_isHeld(r, stake) || (r.running && stake.round == r.id)) {
                if (k == 0) _refused(stranger, call, 0);
                continue;
            }
            vm.prank(stranger);
            task.reclaim(claim);
            _refused(stranger, call, 0); // once
            return true;
        }
        return false;
    }

    /// @dev A miner that the registry trusts, lying now and then.
    function _vouch(Status memory s, uint256 seed) private returns (bool) {
        _keepRoots();
        for (uint256 k; k < miners.length; ++k) {
            uint256 m = ((seed >> 8) + k) % miners.length;
            uint256 able = s.round.activeMiners & ~s.round.sealers;
            if (able >> m & 1 == 0 || !_isTrusted(miners[m])) continue;
            _proposeFast(m, _result(m, seed));
            if (seed >> 70 & 1 == 0) {
                // Drawn, which one in eight is by itself.
                vm.roll(block.number + 1);
                vm.setBlockhash(block.number - 1, bytes32(uint256(8)));
            }
            return true;
        }
        return false;
    }

    function _isTrusted(address miner) private view returns (bool) {
        IReputation.MinerRecord memory record = registry.minerRecord(miner);
        if (terms.fastBlocks == 0 || record.served == 0) return false;
        if (uint256(record.accepted) * miners.length * 10_000 / record.served < terms.fastBlocks) return false;
        uint256 part = record.offered == 0 ? 0 : uint256(record.received) * 10_000 / record.offered;
        return part >= terms.fastRewards;
    }

    // ------------------------------------------------------------------ steps

    function _act(Status memory s, uint256 seed) private returns (bool acted) {
        if (s.phase == Phase.Bidding) return _bid(seed);
        if (s.phase == Phase.Select) return _endBidding(seed);
        if (s.phase == Phase.Seal) _keepRoots();
        if (s.phase == Phase.Commit) return _actTrainer(s.round, seed, false);
        if (s.phase == Phase.Reveal) return _actTrainer(s.round, seed, true);
        if (s.phase == Phase.Closed) return _afterwards(seed);
        if (s.phase == Phase.Challenge) _elapse(s.deadline);
        else if (s.phase == Phase.Seal && seed % 8 == 5 && s.round.windowFrom == 0 && _vouch(s, seed)) return true;
        else if (s.phase == Phase.Finalise) _finaliseBy(stranger);
        else return _actMiner(s, seed);
        return true;
    }

    function _bid(uint256 seed) private returns (bool) {
        Role role = seed >> 16 & 3 == 0 ? Role.Miner : Role.Trainer;
        address account = people[seed % people.length];
        for (uint256 k; k < people.length && _depositOf(role, account) != 0; ++k) account = people[k];
        if (_depositOf(role, account) != 0) {
            _elapse(task.status().deadline);
            return true;
        }
        uint256 deposit = terms.minerDeposit;
        bytes memory call = abi.encodeCall(task.bidAsMiner, (uint80(_pick(seed, "fee", 0, _fairFee()))));
        if (role == Role.Trainer) {
            uint32 samples = uint32(_pick(seed, "samples", 100, 2000));
            deposit = samples * uint256(terms.trainerDeposit);
            uint64 price = uint64(_pick(seed, "price", 0, terms.maxPrice));
            call = abi.encodeCall(task.bidAsTrainer, (samples, price, 1));
        }
        vm.deal(account, account.balance + deposit);
        vm.prank(account);
        (bool ok,) = address(task).call{value: deposit}(call); // refused only when all slots hold better bids
        if (ok) paidIn += deposit;
        else _elapse(task.status().deadline); // or nobody would ever get further
        return true;
    }

    function _endBidding(uint256 seed) private returns (bool) {
        if (seed % 16 == 0) {
            vm.prank(publisher);
            task.cancel();
            return true;
        }
        vm.prank(stranger);
        task.select();
        _readSeats();
        return true;
    }

    /// @dev The first trainer from a random seat that can still commit, or reveal; a second time is refused.
    function _actTrainer(Round memory r, uint256 seed, bool reveal) private returns (bool) {
        for (uint256 k; k < trainers.length; ++k) {
            uint256 i = ((seed >> 8) + k) % trainers.length;
            Trainer memory tr = task.trainer(uint8(i));
            bool acted = tr.round == r.id && (!reveal || tr.stage == Stage.Revealed);
            bool can = reveal ? tr.round == r.id : tr.strikes < terms.maxStrikes;
            if (acted && k == 0) _expectNoSecondTime(i, reveal);
            if (acted || !can) continue;
            if (seed & 3 == 0) _relay(i, reveal);
            else if (reveal) _reveal(i);
            else _commit(i);
            return true;
        }
        return false;
    }

    /// @dev Through somebody else, together with what is open already; contracts cannot sign.
    function _relay(uint256 i, bool reveal) private {
        if (reveal) {
            Reveal[] memory reveals = new Reveal[](1);
            reveals[0] = _relayed(i, _updateOf(i));
            vm.prank(stranger);
            task.revealBatch(reveals);
        } else if (keyOf[trainers[i]] == 0) {
            return _commit(i);
        } else {
            SignedCommit[] memory commits = new SignedCommit[](1);
            commits[0] = _signed(i, _updateOf(i));
            vm.prank(stranger);
            task.commitBatch(commits);
        }
        ++seen.relayed;
    }

    function _expectNoSecondTime(uint256 i, bool reveal) private {
        Update memory u = _updateOf(i);
        bytes memory call = abi.encodeCall(task.commit, (keccak256("second")));
        if (reveal) {
            call = abi.encodeCall(task.reveal, (u.root, u.contentId, u.samples, u.trainingTime, u.salt));
        }
        _refused(trainers[i], call, 0);
    }

    /// @dev The first miner from a random seat that can still do what the phase asks.
    function _actMiner(Status memory s, uint256 seed) private returns (bool) {
        uint256 able = s.round.activeMiners;
        if (s.phase == Phase.Seal) able &= ~uint256(s.round.sealers);
        if (s.phase == Phase.Mine) able &= uint256(s.round.sealers) & ~uint256(s.round.proposers);
        if (s.phase == Phase.Open) able &= uint256(s.round.sealers) & ~uint256(s.round.openers);
        bool again = s.phase == Phase.Mine && s.attempt > s.round.attempt;
        if (again) able = _ofTheTruth(s.round.openers);
        able &= ~uint256(s.round.refuted);
        for (uint256 k; k < miners.length; ++k) {
            uint256 m = ((seed >> 8) + k) % miners.length;
            if (able >> m & 1 == 0) continue;
            if (again) ++seen.again;
            if (s.phase == Phase.Check) _check(m, _verdict(seed));
            else if (s.phase == Phase.Seal) _seal(m, _result(m, seed));
            else if (s.phase == Phase.Mine) _propose(m);
            else _openWith(m, seed);
            return true;
        }
        return false;
    }

    /// @dev Bitmap of the openers of what has no block yet.
    function _ofTheTruth(uint256 openers) private view returns (uint256 able) {
        bytes32 truth = _truth();
        for (uint256 m; m < miners.length; ++m) {
            if (openers >> m & 1 != 0 && task.miner(uint8(m)).result == truth) able |= 1 << m;
        }
    }

    /// @dev Mostly ok for all, sometimes any bits.
    function _verdict(uint256 seed) private view returns (uint256) {
        return seed % 8 == 0 ? uint256(keccak256(abi.encode(seed))) : _verdicts(0, OK);
    }

    /// @dev Mostly the truth, with scores that differ a little; in every third round a common lie of some, or a root
    /// of nothing; sometimes nonsense.
    function _result(uint256 m, uint256 seed) private view returns (Opening memory o) {
        uint256 mood = uint256(keccak256(abi.encode(address(task), _round()))) % 6;
        bool lies = mood < 2 && seed >> 4 & 1 == 0;
        if (_urged && m == 0) (lies, mood) = (true, 0);
        o = lies && mood == 0 ? _false(m) : _honest(m);
        if (lies && mood == 1) o.root = keccak256(abi.encode("nothing", _round()));
        if (seed % 16 == 1) o.contentId = bytes32(seed);
        o.accuracy = seed % 8 == 2 ? 8000 : 9500;
        for (uint256 i; i < trainers.length; ++i) {
            uint256 score = uint256(keccak256(abi.encode(_round(), i))) % 60_000 + seed % 100;
            if (seed >> 16 & 7 == 0) score = uint16(uint256(keccak256(abi.encode(seed, i))));
            o.scores.setLane(i, score);
        }
    }

    /// @dev Sometimes with medians, right or wrong: they must not spoil the opening.
    function _openWith(uint256 m, uint256 seed) private {
        uint256[] memory medians;
        uint16 middle;
        if (seed % 3 == 0) (medians, middle) = _medians();
        Opening memory o = _sealed(m);
        vm.prank(miners[m]);
        task.open(uint8(m), o, medians, middle);
    }

    function _finaliseBy(address anybody) private {
        (uint256[] memory medians, uint16 middle) = _medians();
        vm.prank(anybody);
        task.finalise(medians, middle);
    }

    /// @dev The task is closed: somebody takes what is theirs; when all have, the next task starts.
    function _afterwards(uint256 seed) private returns (bool) {
        if (seed % 4 != 0 && address(task).balance > _stuck() + forced) {
            _takeBack(task.status().round, seed >> 8);
            for (uint256 k; k < people.length; ++k) _pay(people[((seed >> 8) + k) % people.length]);
            _pay(publisher);
            return true;
        }
        exit();
        burntBefore += task.burnt();
        ++tasksClosed;
        _publishAny(seed);
        return true;
    }

    /// @notice Everything that can happen has happened.
    function expectSeen() public view {
        vm.assertGt(tasksClosed, 0, "tasks closed");
        vm.assertGt(seen.accepted, 0, "rounds accepted");
        vm.assertGt(seen.voided, 0, "rounds void");
        vm.assertGt(seen.completed, 0, "tasks completed");
        vm.assertGt(seen.early, 0, "... early");
        vm.assertGt(seen.burnt, 0, "... with burns");
        vm.assertGt(seen.aborted, 0, "tasks aborted");
        vm.assertGt(seen.struckOut, 0, "rounds that struck a miner out");
        vm.assertGt(seen.refuted, 0, "results refuted");
        vm.assertGt(seen.again, 0, "second minings");
        vm.assertGt(seen.fast, 0, "fast blocks final");
        vm.assertGt(seen.fastVoted, 0, "fast blocks voted on");
        vm.assertGt(seen.stood, 0, "forks to choose from");
        vm.assertGt(seen.relayed, 0, "updates relayed");
    }

    /// @notice Whatever is called does what it is for in one of twenty calls at least.
    function expectDeeds() public view {
        for (uint256 i; i < DEEDS; ++i) {
            if (tallies[i].calls < 40) continue; // a short run may miss one by chance
            vm.assertGe(20 * tallies[i].done, tallies[i].calls, string.concat("deed ", vm.toString(i)));
        }
    }

    // ------------------------------------------------------------------ exit

    /// @notice From wherever the task is, calls that anybody may make and the clock bring everybody out.
    function exit() public {
        Status memory s = task.status();
        for (uint256 i; i < 100 && s.phase != Phase.Closed; ++i) {
            if (s.deadline != 0) _elapse(s.deadline);
            else if (s.phase == Phase.Select) _endBidding(1);
            else _finaliseBy(stranger);
            s = task.status();
        }
        vm.assertEq(uint256(s.phase), uint256(Phase.Closed), "never closes");
        while (_takeBack(s.round, 0)) {}
        for (uint256 i; i < people.length; ++i) _pay(people[i]);
        _pay(publisher);
        vm.assertEq(address(task).balance, _stuck() + forced, "left in a closed task");
    }

    // ------------------------------------------------------------------ helpers

    function _pay(address account) private {
        uint256 amount = task.withdrawable(account);
        uint256 before = account.balance;
        vm.prank(stranger);
        uint256 gas = account == burner ? 100_000 : 1e6;
        (bool ok,) = address(task).call{gas: gas}(abi.encodeCall(task.withdraw, (account)));
        vm.assertTrue(ok == (amount != 0 && !_isHostile(account)), "who can be paid is paid, once");
        vm.assertEq(account.balance - before, ok ? amount : 0, "exactly");
        if (ok) withdrawn += amount;
    }

    function _refused(address sender, bytes memory call, uint256 value) private {
        vm.deal(sender, sender.balance + value);
        vm.prank(sender);
        (bool ok,) = address(task).call{value: value}(call);
        vm.assertTrue(!ok, "not refused");
        vm.deal(sender, sender.balance - value);
    }

    /// @dev A fee that the miners' share can cover, most of the time.
    function _fairFee() private view returns (uint256) {
        uint256 share = terms.reward * terms.minerShare / 10_000 / terms.rounds;
        return share < terms.maxFee ? share : terms.maxFee;
    }

    /// @dev Trees once a round: most calls ask for their roots.
    function _resultRoot(bool honest) internal view override returns (bytes32 root) {
        root = _roots[_inputsKey()][honest ? 1 : 0];
        return root == 0 ? super._resultRoot(honest) : root;
    }

    function _inputsKey() private view returns (bytes32) {
        return keccak256(abi.encode(address(task), _round(), task.inputs()));
    }

    function _keepRoots() private {
        bytes32[2] storage roots = _roots[_inputsKey()];
        if (roots[0] == 0) (roots[0], roots[1]) = (super._resultRoot(false), super._resultRoot(true));
    }

    function _updateOf(uint256 i) internal view override returns (Update memory u) {
        u = super._updateOf(i);
        // Claims below, at and above the bid.
        uint256 kind = uint256(u.root) % 4;
        if (kind == 0) u.samples = 1;
        if (kind == 1) u.samples = type(uint32).max;
    }

    function _expectForward(Status memory a, Status memory b) private {
        vm.assertGe(uint256(b.state), uint256(a.state), "state");
        vm.assertGe(b.round.id, a.round.id, "round");
        vm.assertLe(b.roundsLeft, a.roundsLeft, "rounds left");
        vm.assertGe(b.voidRounds, a.voidRounds, "void rounds");
        bool sameRound = b.round.id == a.round.id && b.state == a.state;
        // Back to Mine or Seal only for another block: where the truth has none, or a fast one fell or was drawn.
        bool again = b.phase == Phase.Mine && b.attempt > a.attempt;
        bool voted = b.phase >= Phase.Seal && a.round.fast != 0;
        bool other = b.round.refuted != a.round.refuted; // a truth that has a block and its window already
        if (sameRound && !again && !voted && !other) {
            bool next = a.phase == Phase.Mine && a.attempt > a.round.attempt; // a second block, or a third mining
            if (!next) vm.assertGe(uint256(b.phase), uint256(a.phase), "phase");
        }
        if (a.deadline != 0 && block.timestamp >= a.deadline && sameRound) {
            bool longer = b.round.lastDispute != a.round.lastDispute || b.phase != a.phase;
            longer = longer || a.round.fast != 0 || b.attempt != a.attempt;
            vm.assertTrue(longer, "ends by its deadline");
        }
        if (b.head.blockHash != a.head.blockHash) {
            bytes32 id = keccak256(abi.encode(address(task), a.round.id, b.head.root, b.head.contentId));
            vm.assertTrue(!_refutedOnce[id], "a refuted result is the head");
            if (a.round.fast != 0) ++seen.fast;
            if (_ones(a.round.proposers) > 1) ++seen.stood;
        }
        if (a.round.fast != 0 && b.round.sealers != 0) ++seen.fastVoted;
        _note(a, b);
    }

    function _note(Status memory a, Status memory b) private {
        if (b.head.blockHash != a.head.blockHash) ++seen.accepted;
        if (b.voidRounds != a.voidRounds) ++seen.voided;
        if (b.round.activeMiners < a.round.activeMiners) ++seen.struckOut;
        if (b.state == a.state) return;
        if (b.state == State.Aborted) ++seen.aborted;
        if (b.state != State.Completed) return;
        ++seen.completed;
        if (b.roundsLeft != 0) ++seen.early;
        if (task.burnt() != 0) ++seen.burnt;
    }
}
