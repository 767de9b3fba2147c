"""Downloads: bounded in time, and nothing half done is left behind."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bcfl_client.errors import DataError
from bcfl_client.learning.download import download_dataset


def test_gives_up_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a network that takes connections and never answers, the limit holds and the folder stays empty."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        proxy = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("https_proxy", proxy)
        started = time.monotonic()
        with pytest.raises(DataError, match="did not arrive within 1 s: set BCFL_DATA"):
            download_dataset("mnist", tmp_path, limit_seconds=1)
        assert time.monotonic() - started < 2
    assert list(tmp_path.iterdir()) == []


def test_notices_a_missing_network_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing to connect to, the error comes long before the limit."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    started = time.monotonic()
    with pytest.raises(DataError, match="no network"):
        download_dataset("mnist", tmp_path)
    assert time.monotonic() - started < 5


def test_refuses_what_torchvision_does_not_have(tmp_path: Path) -> None:
    """Only torchvision's own data sets can be fetched."""
    with pytest.raises(DataError, match="cannot be downloaded"):
        download_dataset("digits", tmp_path)
