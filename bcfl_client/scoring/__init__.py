"""Scoring rules, one per file: what an update is worth, and whether it is an update at all."""
