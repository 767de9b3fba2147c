"""The auditor: a task replayed by somebody who took no part in it, from the chain and the content store alone.

`auditor` reads and compares; `replay` with `acts` (`block_acts`, `dispute_acts`), `selection`, `votes`, `phases`,
`settlement`, `bonds`, `closing` and `state` is a second implementation of the contracts' rules, written from their
description; `content`, `rounds` and `rescoring` look into the bytes; `report` is what comes out.
"""

from bcfl_client.audit.auditor import audit_task
from bcfl_client.audit.report import (
    AuditReport,
    Difference,
    DisputantAudit,
    ParticipantAudit,
    RoundAudit,
    Totals,
    Unavailable,
)

__all__ = [
    "AuditReport",
    "Difference",
    "DisputantAudit",
    "ParticipantAudit",
    "RoundAudit",
    "Totals",
    "Unavailable",
    "audit_task",
]
