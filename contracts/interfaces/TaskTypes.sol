// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @dev A whole in basis points.
uint256 constant BASIS = 10_000;

/// @notice Who somebody is in a task. One account may be both.
enum Role {
    Trainer,
    Miner
}

/// @notice What a task is at, for good or until its next heavy transition.
enum State {
    None, // not a task: the implementation itself
    Bidding, // bids are taken; left by `select` or `cancel`
    Running, // rounds follow each other; left by `finalise`
    Completed, // every round played or the target reached; only withdrawals are left
    Aborted // cancelled, too few bids, or stalled; only withdrawals are left
}

/// @notice What may happen now. Derived from stored marks and the clock; time alone can end every phase but
/// `Select`, `Finalise` and `Closed`, in which anybody may act.
enum Phase {
    Closed, // withdrawals only
    Bidding, // bid
    Select, // select
    Commit, // commit
    Reveal, // reveal
    Check, // check
    Seal, // seal
    Mine, // propose
    Open, // open
    Challenge, // challenge, question, answer; all three already from the first proposal on
    Finalise // finalise
}

/// @notice Why a deposit was cut.
enum Fault {
    NotRevealed, // provable: committed and did not reveal
    NotSealed, // provable: a miner that sealed nothing
    NotOpened, // provable: sealed and did not open
    Rejected, // opinion: the miners' majority found the update unavailable, invalid or a copy
    LowScore, // opinion: scored below `payScore` of the round's median
    Outvoted, // opinion: opened another result than the strict majority
    ProvenWrong // provable: opened a result that a fraud proof, or silence on a question, showed to be false
}

/// @notice All terms of a task. They live in the code of the task's proxy, so nobody can change them.
/// Shares are in basis points (1/10,000), windows in whole seconds, money in wei. `docs/terms.md` explains
/// each with its default and range; `TermsRules` enforces the ranges.
struct Terms {
    // What is learnt
    bytes32 initialRoot; // parameter root of the initial model
    bytes32 initialContent; // content digest of its bytes (4 x parameterCount of them)
    bytes32 manifestContent; // content digest of the manifest
    bytes32 manifestHash; // keccak256 of the manifest's bytes
    uint32 manifestSize; // bytes
    bytes32 validationContent; // content digest of the public validation set
    bytes32 validationHash; // keccak256 of its bytes
    uint32 validationSize; // bytes
    uint32 parameterCount;
    uint8 aggregationRule; // 0 = weighted mean, 1 = median, 2 = weighted trimmed mean
    uint16 trimShare; // of the inputs, dropped at each end by the trimmed mean
    uint8 scoringRule; // the miners': 0 = validation accuracy, 1 to 5 see docs/protocol.md
    uint8 forkRule; // 0 = longest chain, 1 = highest reputation, 2 = smallest distance; see `ForkChoice`
    // How long, how many
    uint16 rounds;
    uint8 trainerSlots;
    uint8 minerSlots;
    uint8 minTrainers;
    uint8 minMiners;
    uint8 minUpdates; // inputs that a round needs
    uint8 maxVoidRounds; // one more aborts the task
    uint8 maxStrikes; // that many end a participant's part
    uint32 minSamples; // of a bid
    uint32 maxTrainingTime; // seconds for all samples of a bid
    bool closeWhenFull; // bidding ends as soon as all slots are taken
    // Money
    uint256 reward; // wei in escrow
    uint64 maxPrice; // wei per sample and round
    uint80 maxFee; // wei per block
    uint64 trainerDeposit; // wei per offered sample
    uint80 minerDeposit; // wei
    uint80 challengeBond; // wei
    uint64 penalty; // wei burnt for an unpaid round
    uint16 minerShare; // of the reward, at most, for block fees
    uint16 slashShare; // of the original deposit, per provable fault
    uint16 earlyBonus; // of what is left, when the target is reached early
    // Quality
    uint16 targetAccuracy; // basis points of the validation set; 0 = none
    uint16 payScore; // share of the round's median score that a paid update reaches
    uint16 startQuality; // of 65,535
    // Trust
    uint16 fastBlocks; // share of a miner's even part of all blocks that opens the fast path; 0 = no fast path
    uint16 fastRewards; // share of the offered fees that it must have received
    // Windows
    uint32 biddingWindow;
    uint32 commitWindow;
    uint32 revealWindow;
    uint32 checkWindow;
    uint32 sealWindow;
    uint32 mineWindow;
    uint32 forkWindow; // 0: the first valid proposal closes Mine
    uint32 openWindow;
    uint32 minWindow; // from the newest proposal, when all miners agree
    uint32 challengeWindow; // from the newest proposal, otherwise
    uint32 responseWindow;
    uint32 auditPeriod; // miners keep all bytes that long after the end
    // Work
    uint256 difficulty; // expected hashes per block, at the start
    uint32 blockTime; // wanted seconds per block; 0 = fixed difficulty
}

/// @notice A bid and, once selected, the miner's seat. One slot.
struct Bid {
    uint80 deposit; // wei, as first paid; 0 = no bid
    uint80 price; // trainer: wei per sample and round; miner: wei per block
    uint32 samples; // trainer: offered
    uint32 trainingTime; // trainer: microseconds per sample
    uint8 seat; // 1 + seat once selected; 0 before
}

/// @notice A trainer's newest update, by account: the only slot of its own that `commit` and `reveal`
/// touch; see `UpdateWord`.
struct Update {
    bytes25 digest; // the first 25 bytes of the commitment, then of the parameter root
    uint32 samples; // revealed
    uint16 round; // the last round in which it committed; all ones once it is struck out
    uint8 seat; // 1 + seat; 0 = not a trainer of this task
}

/// @notice A trainer's money and conduct, by seat.
struct TrainerSeat {
    // slot 0
    address account;
    uint64 price; // wei per sample and round
    uint16 paidRounds;
    uint8 strikes;
    // slot 1
    uint80 earned; // wei, not yet withdrawn
    uint80 deposit; // wei, left
}

/// @notice A selected trainer, put together for whoever asks. Memory only.
struct Trainer {
    address account;
    uint16 round; // the last round it committed in
    Stage stage; // how far it came there
    uint32 samples; // revealed in that round
    uint32 cap; // samples that count at most
    uint8 strikes;
    uint80 earned; // wei, not yet withdrawn
    uint80 deposit; // wei, left
    uint64 price; // wei per sample and round
    uint16 quality; // of 65,535
    uint16 paidRounds;
    bytes25 digest; // first bytes of the commitment, then of the parameter root
}

/// @notice How far a trainer came in its last round.
enum Stage {
    None,
    Committed,
    Revealed
}

/// @notice A selected miner. Fields from slot 2 on speak of the last round in which the round's bitmaps name it.
struct Miner {
    // slot 0
    address account;
    uint80 fee; // wei per block
    uint8 trainerSeat; // 1 + seat of the same account as a trainer; 0 = none
    // slot 1
    uint80 earned; // wei, not yet withdrawn
    uint80 deposit; // wei, left
    uint8 strikes;
    uint16 provenRound; // in which a result it stood for was refuted; 0 = none
    // slot 2: its result, and what is said against it
    address accuser; // who posted the first bond on a proof; once refuted, who proved it with the earliest; 0 = nobody
    uint40 accusedAt; // block number of that bond
    uint32 stakes; // bonds posted against its result
    uint16 accuracy; // opened, basis points
    uint8 order; // of its proposal in the round, from 1
    // slots 3 to 8
    uint256 verdicts; // two bits per trainer seat; with an accuser, the claim of its bond until it is shown
    bytes32 seal; // digest of its result and scores
    bytes32 result; // id of the opened result
    bytes32 blockHash; // of its proposal
    bytes32 root; // of its proposal
    bytes32 contentId; // of its proposal
    uint256[8] scores; // opened, 16 bits per trainer seat
}

/// @notice The running round. `commit` and `reveal` touch slot 0 only; see `RoundWord`.
struct Round {
    // slot 0: the trainers' side
    uint128 revealed; // bitmap by trainer seat
    uint16 id; // from 1
    uint32 start; // Unix seconds
    uint24 commitSpan; // 1 + seconds from the start until all had committed; 0 = not yet or by the clock
    uint24 revealSpan; // 1 + seconds from the start until all commitments were open; 0 likewise
    uint8 activeTrainers;
    uint8 commits;
    uint8 reveals;
    bool running; // false once the task is closed
    // slot 1: the miners' side
    uint32 checkClosed; // Unix seconds, when all had acted; 0 = not yet or by the clock
    uint32 sealClosed;
    uint32 firstProposal;
    uint32 mineClosed;
    uint32 openClosed;
    uint16 activeMiners; // bitmaps by miner seat
    uint16 checkers;
    uint16 sealers;
    uint16 proposers;
    uint16 openers;
    uint8 attempt; // of mining; rises with every block after a result was refuted or no block carried the truth
    uint8 accord; // once all have opened, while no result is refuted: see `TaskBase`; 0 = not known
    // slot 2: inputs and disputes
    uint128 inputs; // bitmap by trainer seat, once frozen
    uint8 inputCount; // 0 = not frozen, or none
    uint8 fast; // 1 + seat of the miner whose fast block stands; 0 = none
    uint16 refuted; // bitmap by miner seat: results proven false
    uint32 windowFrom; // Unix seconds: newest proposal, or newest refutation after it
    uint32 lastDispute; // Unix seconds: newest challenge, question or answer
    uint32 fastBlock; // number of the chain's block that holds the fast block; 0 = disputed, so not drawn any more
}

/// @notice A bond posted on the claim that a miner's result is false, by the id of the claim. A miner's first one is
/// kept with the miner, in slots that are in use already.
struct Stake {
    address challenger;
    uint40 postedAt; // block number
    uint16 round;
    uint8 seat; // of the miner
    uint8 height; // question: of the node above the leaves, plus 1; challenge: 0
}

/// @notice The open part of a question, by the id of the claim.
struct Question {
    bytes32 node; // the node to be expanded; 0 = answered
    uint32 index; // of the node among those of its height
    uint32 deadline; // Unix seconds
}

/// @notice The newest accepted block of the model chain.
struct Head {
    bytes32 blockHash; // 0 = none yet
    bytes32 root; // parameter root of the global model
    bytes32 contentId;
}

/// @notice A revealed update, as its trainer or a relay brings it.
struct Reveal {
    address trainer;
    bytes32 root; // parameter root
    bytes32 contentId; // content digest of the bytes
    uint32 samples;
    uint32 trainingTime; // milliseconds
    bytes32 salt;
}

/// @notice A commitment signed by its trainer (EIP-712), with the compact signature of EIP-2098.
struct SignedCommit {
    bytes32 digest;
    bytes32 r;
    bytes32 vs;
}

/// @notice What a miner sealed, opened.
struct Opening {
    bytes32 root; // parameter root of its aggregate
    bytes32 contentId; // content digest of the aggregate's bytes
    uint16 accuracy; // of the aggregate on the validation set, basis points
    uint256[] scores; // 16 bits per trainer seat, sixteen to a word from the low end
    bytes32 salt;
}

/// @notice Everything a client polls, in one call.
struct Status {
    State state;
    Phase phase;
    uint64 deadline; // Unix seconds at which time ends the phase; 0 = it does not
    uint8 attempt; // that a block proposed now belongs to
    uint16 roundsLeft;
    uint8 voidRounds;
    uint256 difficulty;
    bytes32 sealsDigest; // running digest over the round's seals
    Round round;
    Head head;
}
