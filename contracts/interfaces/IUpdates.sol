// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITaskEvents} from "./ITaskEvents.sol";
import {Reveal, SignedCommit} from "./TaskTypes.sol";

/// @title What trainers do in every round
interface IUpdates is ITaskEvents {
    /// @notice Commits the caller, a trainer, to an update: `digest` is `Digests.update` over it.
    /// @dev Requirements: phase Commit (`WrongPhase`), a trainer of this task (`NotTrainer`), not struck out
    /// (`StruckOut`), first commitment of the round (`AlreadyCommitted`), not zero (`EmptyDigest`).
    /// Emits {Committed}.
    function commit(bytes32 digest) external;

    /// @notice Relays commitments that their trainers signed (EIP-712, `Commit(uint16 round,bytes32 digest)` under
    /// {domainSeparator}). Who has committed already is passed over, so that nobody can spoil a batch.
    /// @dev Requirements: as {commit} for each signer; some (`EmptyBatch`), at least one new (`AlreadyCommitted`);
    /// signatures are of 64 bytes (EIP-2098) with the low s (`ECDSAInvalidSignature`, `ECDSAInvalidSignatureS`). Emits
    /// {Committed} each.
    function commitBatch(SignedCommit[] calldata commits) external;

    /// @notice Opens the caller's commitment. `trainingTime` in milliseconds; it and `samples` are below 2^32.
    /// @dev Requirements: phase Reveal (`WrongPhase`), a trainer (`NotTrainer`), a commitment of this round
    /// (`NoCommit`), not yet opened (`AlreadyRevealed`), at least one sample (`TooFewSamples`), the same values
    /// (`WrongOpening`). Emits {Revealed}.
    function reveal(
        bytes32 root,
        bytes32 contentId,
        uint256 samples,
        uint256 trainingTime,
        bytes32 salt
    ) external;

    /// @notice Opens the commitments of others: whoever knows the 32-byte salt may. What is open already is passed
    /// over.
    /// @dev Requirements: as {reveal} for each; some (`EmptyBatch`), at least one new (`AlreadyRevealed`). Emits
    /// {Revealed} each.
    function revealBatch(Reveal[] calldata reveals) external;
}
