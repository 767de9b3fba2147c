"""What a fraud proof consists of: where models differ, evidence for one coordinate, questions for withheld bytes.

Pure: knows trees and rules, neither chain nor store. `roles/watchdog.py` brings it to the contract.
"""

from __future__ import annotations

from bcfl_client.disputes.differences import first_difference
from bcfl_client.disputes.evidence import LeafProof, ProofInput, build_evidence
from bcfl_client.disputes.questions import Descent, NodeQuestion, answer_parts, questions_needed

__all__ = [
    "Descent",
    "LeafProof",
    "NodeQuestion",
    "ProofInput",
    "answer_parts",
    "build_evidence",
    "first_difference",
    "questions_needed",
]
