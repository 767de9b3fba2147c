"""The paper's figures and what it only proposes, each by one command: `bcfl experiment NAME`.

Training, aggregation, verdicts, scores and fork choice are those of the real clients; only the transport is replaced.
"""
