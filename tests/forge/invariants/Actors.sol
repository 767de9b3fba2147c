// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {TaskBidding} from "../../../contracts/TaskBidding.sol";
import {TaskBlocks} from "../../../contracts/TaskBlocks.sol";
import {TaskFactory} from "../../../contracts/TaskFactory.sol";
import {TaskSettlement} from "../../../contracts/TaskSettlement.sol";
import {IReputation} from "../../../contracts/interfaces/IReputation.sol";
import {Role, Terms} from "../../../contracts/interfaces/TaskTypes.sol";
import {Vm} from "../utils/Test.sol";
import {GasBurner, ReEnterer, Refuser} from "../utils/Receivers.sol";
import {Disputing} from "../disputes/Disputing.sol";
import {MAX_MINERS, MAX_TRAINERS, OpenTask} from "./OpenTask.sol";

/// @notice Forge's cheatcode that only the campaign needs.
interface Etcher {
    function etch(address account, bytes calldata code) external;
}

/// @notice Twelve accounts that may all train and mine, three of them hostile receivers, and the books about every
/// task they take part in, kept from outside of the contracts.
abstract contract Actors is Disputing {
    uint256 internal constant TASK_FEE = 7 wei;

    address[] internal people; // bidders
    address internal refuser;
    address internal burner;
    address internal stranger;
    address[] internal paid; // people and the publisher

    uint256 internal withdrawn;
    uint256 internal forced; // ether that nobody asked for
    uint256 internal burntBefore; // by earlier tasks, with all fees
    uint256 internal tasksClosed;

    /// @notice What somebody bid.
    struct Offer {
        uint128 deposit; // 0 = nothing
        uint128 samples;
    }

    mapping(address task => mapping(Role => mapping(address account => Offer))) internal offers;

    function _gather() internal {
        stranger = _named("stranger");
        refuser = address(new Refuser());
        burner = address(new GasBurner());
        people.push(refuser);
        people.push(burner);
        people.push(address(new ReEnterer()));
        for (uint256 i; i < 9; ++i) people.push(_named(string.concat("person ", vm.toString(i))));
        publisher = _named("publisher");
        paid = people;
        paid.push(publisher);
        OpenTask code =
            new OpenTask(address(new TaskBidding()), address(new TaskBlocks()), address(new TaskSettlement()));
        factory = new TaskFactory(TASK_FEE, address(code));
        registry = IReputation(factory.reputation());
    }

    /// @dev A task with small, arbitrary terms: windows of seconds, odd sums, every threshold somewhere in its range.
    function _publishAny(uint256 seed) internal {
        delete trainers;
        delete miners;
        delete claims;
        Terms memory t = _defaultTerms();
        // One leaf most of the time, two sometimes: real trees, and cheap ones.
        t.parameterCount = uint32(_pick(seed, "parameterCount", 1, 8) == 1 ? 34 : 2);
        t.aggregationRule = uint8(_pick(seed, "aggregationRule", 0, 2));
        t.trimShare = uint16(_pick(seed, "trimShare", 0, 4999));
        t.forkRule = uint8(_pick(seed, "forkRule", 0, 2));
        t.fastBlocks = uint16(_pick(seed, "fastBlocks", 0, 4000));
        if (t.fastBlocks < 500) t.fastBlocks = 0;
        t.fastRewards = uint16(_pick(seed, "fastRewards", 0, 3000));
        t.challengeBond = uint80(_pick(seed, "challengeBond", 1, t.minerDeposit / 4));
        t.responseWindow = uint32(_pick(seed, "responseWindow", 1, 5));
        t.rounds = uint16(_pick(seed, "rounds", 1, 5));
        t.trainerSlots = uint8(_pick(seed, "trainerSlots", 2, MAX_TRAINERS));
        t.minerSlots = uint8(_pick(seed, "minerSlots", 1, MAX_MINERS));
        t.minTrainers = uint8(_pick(seed, "minTrainers", 1, 2));
        t.minUpdates = uint8(_pick(seed, "minUpdates", 1, t.minTrainers));
        t.maxVoidRounds = uint8(_pick(seed, "maxVoidRounds", 0, 4));
        t.maxStrikes = uint8(_pick(seed, "maxStrikes", 1, 4));
        t.closeWhenFull = seed & 1 == 0;
        t.reward = _pick(seed, "reward", 1e6, 1e18);
        t.maxPrice = uint64(_pick(seed, "maxPrice", 1, 1e12));
        t.maxFee = uint80(_pick(seed, "maxFee", 0, 1e17));
        t.penalty = uint64(_pick(seed, "penalty", 0, 1e14));
        t.minerShare = uint16(_pick(seed, "minerShare", 1, 9999));
        t.slashShare = uint16(_pick(seed, "slashShare", 1000, 10_000));
        t.earlyBonus = uint16(_pick(seed, "earlyBonus", 0, 10_000));
        t.targetAccuracy = seed & 6 == 0 ? 0 : 9000;
        t.payScore = uint16(_pick(seed, "payScore", 0, 10_000));
        t.startQuality = uint16(_pick(seed, "startQuality", 1, 65_535));
        t.biddingWindow = 8;
        t.maxTrainingTime = 8;
        t.commitWindow = 8;
        t.revealWindow = 4;
        t.checkWindow = 4;
        t.sealWindow = 4;
        t.mineWindow = 4;
        t.openWindow = 4;
        t.forkWindow = uint32(_pick(seed, "forkWindow", 0, 3));
        t.challengeWindow = uint32(_pick(seed, "challengeWindow", 1, 20));
        t.minWindow = uint32(_pick(seed, "minWindow", t.fastBlocks == 0 ? 0 : 1, t.challengeWindow));
        t.difficulty = _pick(seed, "difficulty", 1, 4);
        t.blockTime = uint32(_pick(seed, "blockTime", 0, 2));
        // Shares must not floor to zero, which few draws would do.
        uint256 least = uint256(t.rounds) * 8 * 10_000;
        if (t.reward * t.minerShare < least || t.reward * (10_000 - t.minerShare) < least) t.minerShare = 5000;
        _publish(t);
        (paidIn, withdrawn, forced) = (t.reward, 0, 0);
        burntBefore += TASK_FEE;
    }

    function _pick(uint256 seed, bytes32 what, uint256 low, uint256 high) internal pure returns (uint256) {
        uint256 drawn;
        assembly ("memory-safe") {
            mstore(0, seed)
            mstore(32, what)
            drawn := keccak256(0, 64)
        }
        return _within(drawn, low, high);
    }

    /// @dev Whether nothing keeps `account` from being paid but itself.
    function _isHostile(address account) internal view returns (bool) {
        return account == refuser || account == burner;
    }

    /// @dev What only its hostile owner keeps from leaving.
    function _stuck() internal view returns (uint256) {
        return task.withdrawable(refuser) + task.withdrawable(burner);
    }

    /// @dev The hostile receivers take what comes, or are themselves again.
    function _soften(bool soft) internal {
        Etcher(address(vm)).etch(refuser, soft ? bytes("") : type(Refuser).runtimeCode);
        Etcher(address(vm)).etch(burner, soft ? bytes("") : type(GasBurner).runtimeCode);
    }
}
