"""The enums of `contracts/interfaces/TaskTypes.sol`, in its order."""

from __future__ import annotations

from enum import IntEnum

Role = IntEnum("Role", "TRAINER MINER", start=0)
State = IntEnum("State", "NONE BIDDING RUNNING COMPLETED ABORTED", start=0)
Phase = IntEnum("Phase", "CLOSED BIDDING SELECT COMMIT REVEAL CHECK SEAL MINE OPEN CHALLENGE FINALISE", start=0)
Fault = IntEnum("Fault", "NOT_REVEALED NOT_SEALED NOT_OPENED REJECTED LOW_SCORE OUTVOTED PROVEN_WRONG", start=0)
Stage = IntEnum("Stage", "NONE COMMITTED REVEALED", start=0)
Verdict = IntEnum("Verdict", "NONE OK UNAVAILABLE COPY", start=0)
Rule = IntEnum("Rule", "WEIGHTED_MEAN MEDIAN TRIMMED_MEAN", start=0)
Fork = IntEnum("Fork", "LONGEST REPUTATION DISTANCE", start=0)
