// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

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
    Challenge, // wait
    Finalise // finalise
}

/// @notice Why a deposit was cut.
enum Fault {
    NotRevealed, // provable: committed and did not reveal
    NotSealed, // provable: a miner that sealed nothing
    NotOpened, // provable: sealed and did not open
    Rejected, // opinion: the miners' majority found the update unavailable, invalid or a copy
    LowScore, // opinion: scored below `payScore` of the round's median
    Outvoted // opinion: opened another result than the strict majority
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
    uint8 aggregationRule; // 0 = weighted mean
    uint8 scoringRule; // 0 = validation accuracy
    uint8 forkRule; // 0 = longest chain: the earliest valid proposal
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
    // Windows
    uint32 biddingWindow;
    uint32 commitWindow;
    uint32 revealWindow;
    uint32 checkWindow;
    uint32 sealWindow;
    uint32 mineWindow;
    uint32 forkWindow; // 0: the first valid proposal closes Mine
    uint32 openWindow;
    uint32 minWindow; // from the first proposal, when all miners agree
    uint32 challengeWindow; // from the first proposal, otherwise
    uint32 responseWindow;
    uint32 auditPeriod; // miners keep all bytes that long after the end
    // Work
    uint256 difficulty; // expected hashes per block, at the start
    uint32 blockTime; // wanted seconds per block; 0 = fixed difficulty
}

/// @notice A bid and, once selected, the seat. One slot.
struct Bid {
    uint80 deposit; // wei, as first paid; 0 = no bid
    uint80 price; // trainer: wei per sample and round; miner: wei per block
    uint32 samples; // trainer: offered
    uint32 trainingTime; // trainer: microseconds per sample
    uint8 seat; // 1 + seat once selected; 0 before
}

/// @notice A selected trainer.
struct Trainer {
    // slot 0: what it did
    address account;
    uint16 round; // the last round it acted in
    Stage stage; // how far it came there
    uint32 samples; // revealed in that round
    uint32 cap; // samples that count at most
    uint8 strikes;
    // slot 1: what it has
    uint80 earned; // wei, not yet withdrawn
    uint80 deposit; // wei, left
    uint64 price; // wei per sample and round
    uint16 quality; // of 65,535
    uint16 paidRounds;
    // slot 2
    bytes32 digest; // commitment, then the parameter root of the revealed update
}

/// @notice How far a trainer came in its last round.
enum Stage {
    None,
    Committed,
    Revealed
}

/// @notice A selected miner. Fields below `strikes` speak of the last round in which the round's bitmaps name it.
struct Miner {
    // slot 0
    address account;
    uint80 fee; // wei per block
    uint8 trainerSeat; // 1 + seat of the same account as a trainer; 0 = none
    // slot 1
    uint80 earned; // wei, not yet withdrawn
    uint80 deposit; // wei, left
    uint8 strikes;
    uint16 accuracy; // opened, basis points
    uint8 order; // of its proposal in the round, from 1
    // slots 2 to 7
    uint256 verdicts; // two bits per trainer seat
    bytes32 seal; // digest of its result and scores
    bytes32 result; // id of the opened result
    bytes32 blockHash; // of its proposal
    bytes32 root; // of its proposal
    bytes32 contentId; // of its proposal
    uint256[8] scores; // opened, 16 bits per trainer seat
}

/// @notice The running round.
struct Round {
    // slot 0: the trainers' side
    uint16 id; // from 1
    uint8 attempt; // of mining; rises with a proven fraud
    uint32 start; // Unix seconds
    uint32 commitClosed; // Unix seconds, when all had acted; 0 = not yet or by the clock
    uint32 revealClosed;
    uint8 activeTrainers;
    uint8 commits;
    uint8 reveals;
    // slot 1: the miners' side
    uint32 checkClosed;
    uint32 sealClosed;
    uint32 firstProposal;
    uint32 mineClosed;
    uint32 openClosed;
    uint16 activeMiners; // bitmaps by miner seat
    uint16 checkers;
    uint16 sealers;
    uint16 proposers;
    uint16 openers;
    // slot 2
    uint128 inputs; // bitmap by trainer seat, once frozen
    uint8 inputCount;
    bool frozen;
    // slot 3
    bytes32 sealsDigest; // running digest over the seals
}

/// @notice The newest accepted block of the model chain.
struct Head {
    bytes32 blockHash; // 0 = none yet
    bytes32 root; // parameter root of the global model
    bytes32 contentId;
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
    uint16 roundsLeft;
    uint8 voidRounds;
    uint256 difficulty;
    Round round;
    Head head;
}
