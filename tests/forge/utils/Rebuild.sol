// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskEvents} from "../../../contracts/interfaces/ITaskEvents.sol";
import {ITaskFactory} from "../../../contracts/interfaces/ITaskFactory.sol";
import {Fault, Head, Opening, Role, State, Terms} from "../../../contracts/interfaces/TaskTypes.sol";
import {Test, Vm} from "./Test.sol";

/// @notice A task rebuilt from its logs and nothing else, their place in the chain included: it takes them in the
/// block in which they were written. An event that it does not know fails loudly.
abstract contract Rebuild is Test {
    struct Seat {
        address account;
        uint256 price;
        uint32 cap;
        uint256 deposit;
        uint256 earned;
        uint256 strikes;
        bool out;
        uint256 quality;
        bytes32 root; // trainer: revealed last
        bytes32 seal; // miner: sealed last
        bytes32 openingRoot; // miner: opened last
        uint256 verdicts; // miner: posted last
        bool disputed; // miner: its verdicts gave way to a claim
        bytes32 blockHash; // miner: proposed last
        uint256 bonds; // miner: wei posted against its result in this round
        bytes32 accusation; // miner: the claim that is to be paid for its refutation
    }

    /// @notice A bond on the claim that a miner's result is false.
    struct Claim {
        address challenger;
        uint256 postedAt; // block number
        bool open; // question: to be answered
    }

    struct Book {
        address task;
        address publisher;
        Terms terms;
        State state;
        uint256 round;
        uint256 roundsLeft;
        uint256 voidRounds;
        uint256 difficulty;
        uint256 pool;
        uint256 burnt;
        uint256 paidIn;
        uint256 withdrawn;
        uint256 bonds; // held
        uint256 bounties; // taken from deposits, not yet paid
        uint128 inputs;
        Head head;
        uint256 winner; // 1 + seat of the miner of the round's block; 0 = none
        bool burnSent;
    }

    Book internal book;
    mapping(Role => Seat[]) internal seats;
    mapping(Role => mapping(address => uint256)) internal bids; // deposits
    mapping(address => uint256) internal owed;
    mapping(bytes32 => Claim) internal claims;

    function _replay(Vm.Log[] memory logs) internal {
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] == ITaskFactory.TaskPublished.selector) _published(logs[i]);
            else if (logs[i].emitter == book.task) _apply(logs[i].topics, logs[i].data);
        }
    }

    function _published(Vm.Log memory log) private {
        book.task = address(uint160(uint256(log.topics[1])));
        book.publisher = address(uint160(uint256(log.topics[2])));
        Terms memory t = abi.decode(log.data, (Terms));
        book.terms = t;
        book.state = State.Bidding;
        book.pool = t.reward;
        book.paidIn = t.reward;
        book.roundsLeft = t.rounds;
        book.difficulty = t.difficulty;
        book.head = Head(0, t.initialRoot, t.initialContent);
    }

    function _apply(bytes32[] memory topics, bytes memory data) private {
        if (_bidding(topics, data)) return;
        if (_working(topics, data)) return;
        if (_disputing(topics, data)) return;
        if (_settling(topics, data)) return;
        if (_closing(topics, data)) return;
        revert("unknown event");
    }

    function _bidding(bytes32[] memory topics, bytes memory data) private returns (bool) {
        Role role = topics.length > 1 ? Role(uint256(topics[1]) & 1) : Role.Trainer;
        if (topics[0] == ITaskEvents.BidPlaced.selector) {
            (,,, uint256 deposit) = abi.decode(data, (uint256, uint32, uint32, uint256));
            bids[role][_account(topics[2])] = deposit;
            book.paidIn += deposit;
        } else if (topics[0] == ITaskEvents.BidDisplaced.selector || topics[0] == ITaskEvents.NotSelected.selector) {
            owed[_account(topics[2])] += abi.decode(data, (uint256));
            delete bids[role][_account(topics[2])];
        } else if (topics[0] == ITaskEvents.Selected.selector) {
            Seat storage seat = seats[role].push();
            vm.assertEq(uint256(topics[2]), seats[role].length - 1, "seats come in order");
            seat.account = _account(topics[3]);
            (seat.price, seat.cap) = abi.decode(data, (uint256, uint32));
            seat.deposit = bids[role][seat.account];
            if (role == Role.Trainer) seat.quality = book.terms.startQuality;
        } else {
            return topics[0] == ITaskEvents.Cancelled.selector;
        }
        return true;
    }

    function _working(bytes32[] memory topics, bytes memory data) private returns (bool) {
        bytes32 kind = topics[0];
        uint256 at = topics.length > 2 ? uint256(topics[2]) : 0;
        if (kind == ITaskEvents.RoundStarted.selector) {
            book.state = State.Running;
            book.round = uint256(topics[1]);
            book.winner = 0;
            for (uint256 m; m < seats[Role.Miner].length; ++m) {
                (seats[Role.Miner][m].bonds, seats[Role.Miner][m].accusation) = (0, 0);
            }
            (bytes32 parent, uint256 difficulty) = abi.decode(data, (bytes32, uint256));
            vm.assertEq(parent, book.head.blockHash, "parent");
            vm.assertEq(difficulty, book.difficulty, "difficulty");
        } else if (kind == ITaskEvents.Revealed.selector) {
            seats[Role.Trainer][at].root = abi.decode(data, (bytes32));
        } else if (kind == ITaskEvents.Checked.selector) {
            (seats[Role.Miner][at].verdicts, seats[Role.Miner][at].disputed) = (abi.decode(data, (uint256)), false);
        } else if (kind == ITaskEvents.InputsFrozen.selector) {
            book.inputs = abi.decode(data, (uint128));
        } else if (kind == ITaskEvents.Sealed.selector) {
            seats[Role.Miner][at].seal = abi.decode(data, (bytes32));
        } else if (kind == ITaskEvents.Proposed.selector || kind == ITaskEvents.FastProposed.selector) {
            seats[Role.Miner][at].blockHash = topics[3];
        } else if (kind == ITaskEvents.Opened.selector) {
            seats[Role.Miner][at].openingRoot = abi.decode(data, (Opening)).root;
        } else {
            return kind == ITaskEvents.Committed.selector || kind == ITaskEvents.FastVoted.selector;
        }
        return true;
    }

    function _disputing(bytes32[] memory topics, bytes memory data) private returns (bool) {
        bytes32 kind = topics[0];
        if (kind == ITaskEvents.ChallengeCommitted.selector || kind == ITaskEvents.Questioned.selector) {
            bool asks = kind == ITaskEvents.Questioned.selector;
            seats[Role.Miner][uint256(topics[2])].disputed = true;
            claims[abi.decode(data, (bytes32))] = Claim(_account(topics[3]), block.number, asks);
            seats[Role.Miner][uint256(topics[2])].bonds += book.terms.challengeBond;
            book.bonds += book.terms.challengeBond;
            book.paidIn += book.terms.challengeBond;
        } else if (kind == ITaskEvents.Answered.selector) {
            claims[topics[3]].open = false;
        } else if (kind == ITaskEvents.Refuted.selector) {
            _refuted(seats[Role.Miner][uint256(topics[2])], abi.decode(data, (bytes32)));
        } else if (kind == ITaskEvents.BountyPaid.selector) {
            (uint256 bounty, uint256 bond) = abi.decode(data, (uint256, uint256));
            bytes32 claim = seats[Role.Miner][uint256(topics[2])].accusation;
            vm.assertEq(claims[claim].challenger, _account(topics[3]), "the earliest commitment is paid");
            owed[_account(topics[3])] += bounty + bond;
            book.bonds -= bond;
            book.bounties -= bounty;
        } else if (kind == ITaskEvents.BondsLost.selector) {
            uint256 amount = abi.decode(data, (uint256));
            vm.assertEq(amount, seats[Role.Miner][uint256(topics[2])].bonds, "bonds of the round");
            book.bonds -= amount;
            book.burnt += amount - amount / 2;
            if (book.winner == 0) book.pool += amount / 2;
            else owed[seats[Role.Miner][book.winner - 1].account] += amount / 2;
        } else if (kind == ITaskEvents.BondReturned.selector) {
            bytes32 claim = abi.decode(data, (bytes32));
            vm.assertEq(claims[claim].challenger, _account(topics[3]), "the bond's owner");
            _returnBond(claim);
        } else {
            return false;
        }
        return true;
    }

    /// @dev The earlier commitment is to be paid, by its block and then by who showed it first; the other one has its
    /// bond back.
    function _refuted(Seat storage seat, bytes32 claim) private {
        bytes32 before = seat.accusation;
        bool first = before == 0 || claims[claim].postedAt < claims[before].postedAt;
        if (first) seat.accusation = claim;
        if (before != 0) _returnBond(first ? before : claim);
    }

    function _returnBond(bytes32 claim) private {
        owed[claims[claim].challenger] += book.terms.challengeBond;
        book.bonds -= book.terms.challengeBond;
        delete claims[claim];
    }

    function _settling(bytes32[] memory topics, bytes memory data) private returns (bool) {
        bytes32 kind = topics[0];
        if (kind == ITaskEvents.RoundFinalised.selector) {
            (bytes32 root, bytes32 contentId) = abi.decode(data, (bytes32, bytes32));
            book.head = Head(topics[3], root, contentId);
            book.winner = 1 + uint256(topics[2]);
            --book.roundsLeft;
        } else if (kind == ITaskEvents.RoundVoided.selector) {
            (bool counted, uint128 inputs) = abi.decode(data, (bool, uint128));
            book.inputs = inputs;
            ++book.voidRounds;
            if (counted) --book.roundsLeft;
        } else if (kind == ITaskEvents.QualityChanged.selector) {
            seats[Role.Trainer][uint256(topics[2])].quality = abi.decode(data, (uint256));
        } else if (kind == ITaskEvents.Forfeited.selector) {
            book.pool -= abi.decode(data, (uint256));
            book.burnt += abi.decode(data, (uint256));
        } else if (kind == ITaskEvents.DifficultyChanged.selector) {
            book.difficulty = abi.decode(data, (uint256));
        } else {
            return topics.length == 4 && _ofSeat(kind, seats[Role(uint256(topics[2]))][uint256(topics[3])], data);
        }
        return true;
    }

    function _ofSeat(bytes32 kind, Seat storage seat, bytes memory data) private returns (bool) {
        if (kind == ITaskEvents.Paid.selector) {
            book.pool -= abi.decode(data, (uint256));
            seat.earned += abi.decode(data, (uint256));
        } else if (kind == ITaskEvents.Slashed.selector) {
            (Fault fault, uint256 amount) = abi.decode(data, (Fault, uint256));
            uint256 bounty = fault == Fault.ProvenWrong ? amount / 2 : 0;
            seat.deposit -= amount;
            book.burnt += amount - bounty;
            book.bounties += bounty;
        } else if (kind == ITaskEvents.Struck.selector) {
            seat.strikes = abi.decode(data, (uint256));
        } else if (kind == ITaskEvents.StruckOut.selector) {
            seat.out = true;
        } else {
            return false;
        }
        return true;
    }

    function _closing(bytes32[] memory topics, bytes memory data) private returns (bool) {
        bytes32 kind = topics[0];
        if (kind == ITaskEvents.TaskCompleted.selector || kind == ITaskEvents.TaskAborted.selector) {
            bool completed = kind == ITaskEvents.TaskCompleted.selector;
            book.state = completed ? State.Completed : State.Aborted;
            uint256 back;
            if (completed) (, back) = abi.decode(data, (bool, uint256));
            else back = abi.decode(data, (uint256));
            vm.assertEq(back, book.pool, "what is left returns to the publisher");
            owed[book.publisher] += back;
            book.pool = 0;
        } else if (kind == ITaskEvents.Burnt.selector) {
            vm.assertEq(abi.decode(data, (uint256)), book.burnt, "burnt at the end");
            book.burnSent = true;
        } else if (kind == ITaskEvents.Withdrawn.selector) {
            address account = _account(topics[1]);
            vm.assertEq(abi.decode(data, (uint256)), _withdrawable(account), "withdrawn");
            book.withdrawn += _withdrawable(account);
            _clear(account);
        } else {
            return false;
        }
        return true;
    }

    // ------------------------------------------------------------------ accounts

    function _withdrawable(address account) internal view returns (uint256 amount) {
        amount = owed[account];
        for (uint256 role; role < 2; ++role) {
            Seat[] storage of_ = seats[Role(role)];
            for (uint256 i; i < of_.length; ++i) {
                if (of_[i].account != account) continue;
                amount += of_[i].earned;
                if (_isClosed()) amount += of_[i].deposit;
            }
        }
    }

    function _clear(address account) private {
        owed[account] = 0;
        for (uint256 role; role < 2; ++role) {
            Seat[] storage of_ = seats[Role(role)];
            for (uint256 i; i < of_.length; ++i) {
                if (of_[i].account != account) continue;
                of_[i].earned = 0;
                if (_isClosed()) of_[i].deposit = 0;
            }
        }
    }

    function _isClosed() internal view returns (bool) {
        return book.state == State.Completed || book.state == State.Aborted;
    }

    function _account(bytes32 topic) private pure returns (address) {
        return address(uint160(uint256(topic)));
    }
}
