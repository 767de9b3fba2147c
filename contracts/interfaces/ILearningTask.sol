// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IUpdates} from "./IUpdates.sol";
import {
    Bid,
    Head,
    Miner,
    Opening,
    Phase,
    Question,
    Role,
    Stake,
    Status,
    Terms,
    Trainer
} from "./TaskTypes.sol";

/// @title One federated learning task: escrow, bids, rounds, model chain, payout
/// @notice Money in wei, times in Unix seconds, shares in basis points, scores and qualities of 65,535. A seat is
/// the rank of a selected participant in its role, from 0. The miners' verdicts and scores are opinions of a
/// strict majority; that the bytes behind a content id stay available is assumed until the round is final.
interface ILearningTask is IUpdates {
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

    /// @notice Proposes a block of a trusted miner without seals and votes (paper, section IV-B). It is final after
    /// `minWindow` unless it is challenged; one in eight, drawn by the hash of the chain's block that holds it, gives
    /// way to an ordinary vote. Scores and salt of `opening` are ignored.
    /// @dev Requirements: phase Seal (`WrongPhase`), own seat, not struck out, trusted by the terms `fastBlocks` and
    /// `fastRewards` (`NotTrusted`), no fast block in this round yet (`AlreadyProposed`), `Digests.work` of
    /// `Digests.fastHeader` and `nonce` at most 2^256 / difficulty (`TooLittleWork`). Emits {FastProposed}, and
    /// {InputsFrozen} when Check was closed by the clock.
    function proposeFast(uint8 seat, Opening calldata opening, uint256 nonce) external;

    /// @notice Proposes a block on the head: proves work over all seals and opens the proposer's own. Where the truth
    /// has no block, or its block was refuted, those who opened it propose again, with the next attempt in the header.
    /// @dev Requirements: phase Mine (`WrongPhase`), own seat, not struck out, sealed (`NotSealed`), first proposal
    /// of the round (`AlreadyProposed`), the opening matches the seal (`WrongOpening`), one score word per sixteen
    /// trainers (`WrongScores`), `Digests.work` of the header and `nonce` at most 2^256 / difficulty
    /// (`TooLittleWork`); again: it opened the truth (`WrongResult`). Emits {Proposed} and, the first time, {Opened}.
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
    /// sixteen to a word; empty for a void round and for a fast block
    /// @param middle lower median of `medians` over the inputs
    /// @dev Requirements: phase Finalise (`WrongPhase`); right medians (`WrongScores`, `WrongMedian`).
    /// Emits {RoundFinalised} or {RoundVoided}; {Paid}, {QualityChanged}, {Slashed}, {Forfeited}, {Struck},
    /// {StruckOut}, {DifficultyChanged} as they apply; then {RoundStarted}, {TaskCompleted} or {TaskAborted}.
    function finalise(uint256[] calldata medians, uint16 middle) external;

    // ------------------------------------------------------------------ disputes

    /// @notice Commits the caller to a proof that the result of miner `seat` is false: `digest` is
    /// `Digests.challenge` over the coordinate and a salt. The earliest commitment gets the bounty.
    /// @dev Requirements: a block of the round is proposed and its window open (`WrongPhase`), the miner's result is
    /// known (`NotOpened`), a fast block is older than this block of the chain (`TooEarly`), the value is
    /// `challengeBond` (`WrongBond`), a new claim (`AlreadyClaimed`). Emits {ChallengeCommitted}.
    function commitChallenge(uint8 seat, bytes32 digest) external payable;

    /// @notice Shows that `coordinate` of the result of miner `seat`, with the bytes `contentId`, is not what the
    /// task's rule makes of the round's inputs. `evidence`: per input, in the rule's order (by seat for the weighted
    /// mean, by value and seat otherwise), the trainer's address (20 bytes), the leaf that holds the coordinate (128
    /// bytes) and the leaf's path (32 bytes each); then leaf and path of the result. A coordinate after the last
    /// parameter, in its leaf, is refuted by the result's leaf alone, unless it is zero.
    /// @dev Requirements: the caller's own commitment, in a round that is not settled yet (`NoClaim`); the miner's
    /// result (`WrongResult`), evidence of the right length, inputs and order (`WrongProof`), a wrong value
    /// (`NotProven`; the commitment and its bond stay as they are). Emits {Refuted}.
    function challenge(
        uint8 seat,
        uint256 coordinate,
        bytes32 salt,
        bytes32 contentId,
        bytes calldata evidence
    ) external;

    /// @notice Gives a bond back that was posted against a result which somebody else proved false. The first one
    /// against a result that was refuted through another seat comes back when the round is settled, without a call.
    /// @dev Requirements: the claim has a bond (`NoClaim`), its round is settled and the miner's result of that round
    /// was refuted (`NotProven`). Anybody may call; the bond is owed to its owner. Emits {BondReturned}.
    function reclaim(bytes32 claim) external;

    /// @notice Asks miner `seat` for what is below `node`, number `index` of `height` in its result's tree; for a
    /// result whose bytes nobody can get. Costs a bond, as a challenge does.
    /// @param path siblings of the node up to the top
    /// @dev Requirements: as {commitChallenge}; the miner's result (`WrongResult`), a node of its tree (`WrongProof`).
    /// Emits {Questioned}.
    function question(
        uint8 seat,
        bytes32 root,
        bytes32 contentId,
        uint8 height,
        uint32 index,
        bytes32 node,
        bytes32[] calldata path
    ) external payable;

    /// @notice Answers a question: the nodes six levels below (32 bytes each), or all leaves below (128 bytes each)
    /// when these are at most six levels down. Whoever has the bytes may answer.
    /// @dev Requirements: an open question of this round (`NoClaim`), before its deadline (`TooLate`), parts of the
    /// right length (`WrongProof`) that make up the node (`WrongResult`). Emits {Answered}.
    function answer(bytes32 claim, bytes calldata parts) external;

    /// @notice Refutes a result whose miner left a question without an answer.
    /// @dev Requirements: as {commitChallenge}; an open question (`NoClaim`) past its deadline (`TooEarly`).
    /// Emits {Refuted}.
    function expire(bytes32 claim) external;

    // ------------------------------------------------------------------ payout

    /// @notice Sends `account` what it has earned and is owed and, once the task is closed, its deposits. Anybody
    /// may call; the money goes to `account` only.
    /// @dev Requirements: something to send (`NothingOwed`, or `NotFinal` while only a deposit at stake is left),
    /// the receiver takes it (`TransferFailed`). Emits {Withdrawn}.
    /// @return amount wei sent
    function withdraw(address account) external returns (uint256 amount);

    // ------------------------------------------------------------------ views

    /// @notice The code that runs `initialise`, bids, `select` and `cancel` on this task's storage.
    function bidding() external view returns (address);
    /// @notice The code that runs `check` to `open` and all disputes on this task's storage.
    function blocks() external view returns (address);
    /// @notice The code that runs `finalise` on this task's storage.
    function settlement() external view returns (address);
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
    /// @notice The bond behind a claim; no challenger = none, or settled.
    function stakeOf(bytes32 claim) external view returns (Stake memory);
    /// @notice The question behind a claim; no node = none, or answered.
    function questionOf(bytes32 claim) external view returns (Question memory);
    /// @notice Domain of the messages that trainers sign (EIP-712: name BC-FL, version 1).
    function domainSeparator() external view returns (bytes32);
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
