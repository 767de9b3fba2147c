// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LearningTask} from "../../contracts/LearningTask.sol";
import {Round, State, Terms} from "../../contracts/interfaces/TaskTypes.sol";
import {STANDING_WORDS, Standings} from "../../contracts/libraries/Standings.sol";
import {Settlement} from "../../contracts/task/Settlement.sol";
import {Proof} from "./Proof.sol";

/// @notice Takes what a task writes into the registry.
contract Registry {
    fallback() external {}
}

/// @notice Settlement's own code on a state that the proofs choose.
contract SettlementHarness is Settlement {
    using Standings for uint256[STANDING_WORDS];

    address internal constant WINNER = address(0xA0);
    address internal constant ACCUSER = address(0xA1);

    function _total() private view returns (uint256 total) {
        total = _pool + _burnt + _owed[WINNER] + _owed[ACCUSER];
        for (uint256 i; i < 3; ++i) {
            total += uint256(_trainers[i].earned) + _trainers[i].deposit + _miners[i].earned + _miners[i].deposit;
        }
    }

    /// @dev The fee of a block of miner 0, in a round of three miners of whom `openers` opened its result.
    function payMiners(Terms memory t, uint80 pool, uint80 fee, uint8 openers)
        external
        returns (uint256 before, uint256 afterwards, uint256 spent, uint256 winner)
    {
        Outcome memory o;
        (o.truth, o.majority) = (bytes32(uint256(1)), bytes32(uint256(1)));
        Round memory r;
        (r.activeMiners, r.openers) = (7, openers);
        _round = r;
        _minerCount = 3;
        for (uint256 m; m < 3; ++m) _miners[m].result = o.truth;
        _pool = pool;
        before = _total();
        _settleMiners(t, o, r, fee);
        (afterwards, spent, winner) = (_total(), pool - _pool, _miners[0].earned);
    }

    /// @dev The end of a round in which miner 1 was refuted, and bonds were lost against miner 0.
    function settleDisputes(Terms memory t, bool isVoid, uint80 deposit, uint8 lost)
        external
        returns (uint256 before, uint256 afterwards, uint256 burnt, uint256 accuser)
    {
        Outcome memory o;
        if (!isVoid) o.truth = bytes32(uint256(1));
        o.guilty = 2;
        Round memory r;
        r.refuted = 2;
        _minerCount = 2;
        _miners[0].account = WINNER;
        (_miners[0].stakes, _miners[0].result) = (lost, bytes32(uint256(1)));
        (_miners[1].deposit, _miners[1].accuser, _miners[1].accusedAt) = (deposit, ACCUSER, 5);
        _miners[1].result = bytes32(uint256(2));
        before = _total();
        _settleDisputes(t, o, r);
        (afterwards, burnt, accuser) = (_total(), _burnt, _owed[ACCUSER]);
    }

    function learn(uint16 quality, uint16 score) external returns (uint16 next) {
        _standings.write(0, 1, quality);
        _learn(0, 1, quality, score);
        (, next) = _standings.read(0);
    }
}

/// @notice Code that ends with terms, as `TaskBase` reads them.
contract SettlementHarnessCreation {
    constructor(bytes memory args) {
        bytes memory code = bytes.concat(type(SettlementHarness).runtimeCode, args);
        assembly ("memory-safe") {
            return(add(code, 32), mload(code))
        }
    }
}

contract SettlementProof is Proof {
    SettlementHarness private _task;

    function setUp() public {
        Terms memory t;
        bytes memory args = abi.encode(t, address(0), address(0), address(new Registry()), address(0), address(0));
        _task = SettlementHarness(address(new SettlementHarnessCreation(args)));
    }

    /// @dev One opener or three: parts of the fee are never more than it, and the block's miner has half at least.
    function check_feesAreWithinTheFee(uint80 pool, uint80 fee, uint8 openers) public {
        vm.assume(fee <= pool && openers < 8 && openers & 1 != 0);
        Terms memory t;
        t.minUpdates = 1;
        (uint256 before, uint256 afterwards, uint256 spent, uint256 winner) = _task.payMiners(t, pool, fee, openers);
        assert(before == afterwards);
        assert(spent <= fee);
        assert(winner >= fee / 2);
        if (openers == 1) assert(winner == fee);
    }

    /// @dev The accuser's own bond and the lost ones, already in the contract, are what comes in besides.
    function check_halfOfWhatIsTakenIsBurnt(bool isVoid, uint80 deposit, uint8 lost, uint80 bond) public {
        vm.assume(bond <= 2 ** 76);
        Terms memory t;
        (t.challengeBond, t.maxStrikes) = (bond, 9);
        (uint256 before, uint256 afterwards, uint256 burnt, uint256 accuser) =
            _task.settleDisputes(t, isVoid, deposit, lost);
        uint256 bonds = uint256(lost) * bond;
        assert(afterwards == before + bonds + bond);
        assert(2 * burnt >= uint256(deposit) + bonds && 2 * burnt <= uint256(deposit) + bonds + 2);
        assert(accuser == uint256(deposit) / 2 + bond);
    }

    function check_qualityMovesTowardsTheScore(uint16 quality, uint16 score) public {
        uint16 next = _task.learn(quality, score);
        if (score >= quality) assert(next >= quality && next <= score);
        else assert(next <= quality && next >= score);
    }
}

contract PayoutHarness is LearningTask {
    constructor() payable LearningTask(address(0), address(0), address(0)) {}

    function set(address account, State state, uint80 owed, uint80[4] calldata money) external {
        _state = state;
        _owed[account] = owed;
        _updates[account].seat = 1;
        (_trainers[0].earned, _trainers[0].deposit) = (money[0], money[1]);
        (_bids[0][account].deposit, _bids[1][account].deposit) = (money[1], money[3]);
        _bids[1][account].seat = 1;
        (_miners[0].earned, _miners[0].deposit) = (money[2], money[3]);
    }
}

contract PayoutProof is Proof {
    address private constant ACCOUNT = address(0xC0FFEE);

    /// @dev An account that is trainer and miner: all that is owed and earned, deposits when the task is closed only,
    /// and nothing twice.
    function check_withdrawPaysOnceWhatIsDue(uint8 state, uint80 owed, uint80[4] calldata money) public {
        vm.assume(state >= uint8(State.Running) && state <= uint8(State.Aborted));
        uint256 due = uint256(owed) + money[0] + money[2];
        if (state != uint8(State.Running)) due += uint256(money[1]) + money[3];
        vm.assume(due != 0);
        PayoutHarness task = new PayoutHarness{value: 2 ** 90}();
        task.set(ACCOUNT, State(state), owed, money);
        uint256 before = address(task).balance;
        assert(task.withdrawable(ACCOUNT) == due);
        assert(task.withdraw(ACCOUNT) == due);
        assert(before - address(task).balance == due);
        assert(task.withdrawable(ACCOUNT) == 0);
    }
}
