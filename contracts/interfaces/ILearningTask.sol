// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskEvents} from "./ITaskEvents.sol";
import {Bid, Head, Miner, Opening, Phase, Role, Status, Terms, Trainer} from "./TaskTypes.sol";

/// @title One federated learning task: escrow, bids, rounds, model chain, payout
/// @notice Money in wei, times in Unix seconds, shares in basis points, scores and qualities of 65,535. A seat is
/// the rank of a selected participant in its role, from 0. The miners' verdicts and scores are opinions of a
/// strict majority; that the bytes behind a content id stay available is assumed until the round is final.
interface ILearningTask is ITaskEvents {
    // ------------------------------------------------------------------ bidding

    /// @notice Takes the reward into escrow and opens bidding. Called once by the factory, while it publishes.
    /// @dev Requirements: the caller is the factory (`NotFactory`), the task is new (`WrongPhase`).
    function initialise() external payable;

    /// @notice Offers `samples` samples at `price` wei per sample and round, `trainingTime` microseconds per sample.
    /// @dev Requirements:
    /// - phase Bidding (`WrongPhase`), no bid of the caller as a trainer (`AlreadyBid`)
    /// - samples >= `minSamples` (`TooFewSamples`), price <= `maxPrice` (`PriceTooHigh`)
    /// - samples x trainingTime within `maxTrainingTime` seconds (`TooSlow`)
    /// - value is samples x `trainerDeposit` (`WrongDeposit`)
    /// - a slot is free or the bid ranks before the last one (`Outbid`)
    /// Emits {BidPlaced} and, when a slot was taken from somebody, {BidDisplaced}.
    function bidAsTrainer(uint32 samples, uint64 price, uint32 trainingTime) external payable;

    /// @notice Offers to mine for `fee` wei per block.
    /// @dev Requirements: as {bidAsTrainer}, with `maxFee` (`PriceTooHigh`) and `minerDeposit` (`WrongDeposit`).
    function bidAsMiner(uint80 fee) external payable;

    /// @notice Ends the task before selection; all deposits and the reward are owed back.
    /// @dev Requirements: the caller is the publisher (`NotPublisher`); phase Bidding or Select (`WrongPhase`).
    /// Emits {Cancelled} and {TaskAborted}.
    function cancel() external;

    /// @notice Selects the participants by rank within the budget and starts the first round, or aborts with
    /// refunds when too few are left. Anybody may call.
    /// @dev Requirements: phase Select (`WrongPhase`). Emits {Selected} or {NotSelected} per bid, then
    /// {RoundStarted} or {TaskAborted}.
    function select() external;

    // ------------------------------------------------------------------ updates

    /// @notice Commits the trainer on `seat` to an update: `digest` is `Digests.update` over it.
    /// @dev Requirements: phase Commit (`WrongPhase`), the caller's own seat (`NotYourSeat`), not struck out
    /// (`StruckOut`), first commitment of the round (`AlreadyCommitted`), not zero (`EmptyDigest`).
    /// Emits {Committed}.
    function commit(uint8 seat, bytes32 digest) external;

    /// @notice Opens the commitment of `seat`. Whoever knows the 32-byte salt may relay it.
    /// @dev Requirements: phase Reveal (`WrongPhase`), a commitment of this round (`NoCommit`), not yet opened
    /// (`AlreadyRevealed`), at least one sample (`TooFewSamples`), the same values (`WrongOpening`). Emits {Revealed}.
    /// `trainingTime` in milliseconds.
    function reveal(
        uint8 seat,
        bytes32 root,
        bytes32 contentId,
        uint32 samples,
        uint32 trainingTime,
        bytes32 salt
    ) external;

    // ------------------------------------------------------------------ model chain

    /// @notice Posts the miner's verdict on every revealed update: two bits per trainer seat from the low end,
    /// 1 = ok, 2 = unavailable or invalid, 3 = copy or zero, 0 = none. May be repeated while Check is open.
    /// @dev Requirements: phase Check (`WrongPhase`), the caller's own seat (`NotYourSeat`), not struck out
    /// (`StruckOut`). Emits {Checked}, and {InputsFrozen} when it closes the phase.
    function check(uint8 seat, uint256 verdicts) external;

    /// @notice Seals the miner's own aggregate and scores: `digest` is `Digests.seal` over its {Opening}.
    /// @dev Requirements: phase Seal (`WrongPhase`), own seat, not struck out, first seal of the round
    /// (`AlreadySealed`), not zero (`EmptyDigest`). Emits {Sealed}, and {InputsFrozen} when it is the first after a
    /// Check that the clock closed.
    function seal(uint8 seat, bytes32 digest) external;

    /// @notice Proposes a block on the head: proves work over all seals and opens the proposer's own.
    /// @dev Requirements: phase Mine (`WrongPhase`), own seat, not struck out, sealed (`NotSealed`), first proposal
    /// of the round (`AlreadyProposed`), the opening matches the seal (`WrongOpening`), one score word per sixteen
    /// trainers (`WrongScores`), `Digests.work` of the header and `nonce` at most 2^256 / difficulty
    /// (`TooLittleWork`). Emits {Proposed} and {Opened}.
    function propose(uint8 seat, Opening calldata opening, uint256 nonce) external;

    /// @notice Opens the miner's seal: its vote. With right `medians` and `middle` of what is then open, it also
    /// finalises a round that it makes ready; leave `medians` empty not to.
    /// @dev Requirements: phase Open (`WrongPhase`), own seat, not struck out, sealed (`NotSealed`), not yet opened
    /// (`AlreadyOpened`), the opening matches the seal (`WrongOpening`), scores as in {propose}.
    /// Emits {Opened}, and what {finalise} emits.
    function open(uint8 seat, Opening calldata opening, uint256[] calldata medians, uint16 middle) external;

    /// @notice Ends the round: fork choice, head, fees, pay, strikes, reputation, difficulty; then starts the next
    /// round or closes the task. Anybody may call.
    /// @param medians lower median score per trainer seat over the openers of the truth, own score excluded;
    /// sixteen to a word; empty for a void round
    /// @param middle lower median of `medians` over the inputs
    /// @dev Requirements: phase Finalise (`WrongPhase`); right medians (`WrongScores`, `WrongMedian`).
    /// Emits {RoundFinalised} or {RoundVoided}; {Paid}, {QualityChanged}, {Slashed}, {Forfeited}, {Struck},
    /// {StruckOut}, {DifficultyChanged} as they apply; then {RoundStarted}, {TaskCompleted} or {TaskAborted}.
    function finalise(uint256[] calldata medians, uint16 middle) external;

    // ------------------------------------------------------------------ payout

    /// @notice Sends `account` what it has earned and is owed and, once the task is closed, its deposits. Anybody
    /// may call; the money goes to `account` only.
    /// @dev Requirements: something to send (`NothingOwed`, or `NotFinal` while only a deposit at stake is left),
    /// the receiver takes it (`TransferFailed`). Emits {Withdrawn}.
    /// @return amount wei sent
    function withdraw(address account) external returns (uint256 amount);

    // ------------------------------------------------------------------ views

    /// @notice The code that runs `select`, `cancel` and `finalise` on this task's storage.
    function transitions() external view returns (address);
    function factory() external view returns (address);
    function reputation() external view returns (address);
    function publisher() external view returns (address);
    function terms() external view returns (Terms memory);
    function status() external view returns (Status memory);
    function phase() external view returns (Phase);
    function trainerCount() external view returns (uint256);
    function minerCount() external view returns (uint256);
    function trainer(uint8 seat) external view returns (Trainer memory);
    function miner(uint8 seat) external view returns (Miner memory);
    /// @notice The bid of `account`; its `seat` is 1 + the seat once selected.
    function bidOf(Role role, address account) external view returns (Bid memory);
    /// @notice Bids now held by rank of the heap, not by rank of the bids.
    function bidCount(Role role) external view returns (uint256);
    /// @notice Bitmap of the updates that are or would be the round's inputs.
    function inputs() external view returns (uint128);
    function head() external view returns (Head memory);
    /// @notice Wei of the reward still in escrow.
    function pool() external view returns (uint256);
    /// @notice Wei burnt so far, sent to the zero address when the task closes.
    function burnt() external view returns (uint256);
    /// @notice Wei that {withdraw} would send now.
    function withdrawable(address account) external view returns (uint256);
}
