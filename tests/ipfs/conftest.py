"""A real IPFS daemon (js-ipfs), cut off from the network, on free ports, gone at the end."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LOCAL_JSIPFS = HERE.parents[1] / "node_modules" / ".bin" / "jsipfs"
START_SECONDS = 60
CONFIG = {
    "Addresses": {
        "Swarm": [],
        "Delegates": [],
        "API": "/ip4/127.0.0.1/tcp/0",
        "RPC": "/ip4/127.0.0.1/tcp/0",
        "Gateway": "/ip4/127.0.0.1/tcp/0",
    },
    "Bootstrap": [],
    "Discovery": {"MDNS": {"Enabled": False}, "webRTCStar": {"Enabled": False}},
    "Pubsub": {"Enabled": False},
}


@pytest.fixture(scope="session")
def ipfs_api(tmp_path_factory):
    """Start the daemon; yield the address of its RPC API, http://127.0.0.1:PORT."""
    jsipfs = LOCAL_JSIPFS if LOCAL_JSIPFS.exists() else shutil.which("jsipfs")
    if not jsipfs or not shutil.which("node"):
        pytest.skip(f"needs Node and a js-ipfs at {LOCAL_JSIPFS} or on PATH: npm install ipfs@0.66.1")
    folder = tmp_path_factory.mktemp("ipfs")
    log, config = folder / "log", folder / "config.json"
    config.write_text(json.dumps(CONFIG))
    command = ["node", "--require", str(HERE / "with_resolvers.cjs"), str(Path(jsipfs).resolve())]
    options = ["--offline", "--enable-preload=false", "--init-config", str(config)]
    with log.open("w") as output:
        daemon = subprocess.Popen(
            [*command, "daemon", *options],
            env={**os.environ, "IPFS_PATH": str(folder / "repo")},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield f"http://127.0.0.1:{_api_port(daemon, log)}"
    finally:
        _end(daemon)


def _api_port(daemon, log):
    """Wait until the daemon says that it is ready."""
    deadline = time.monotonic() + START_SECONDS
    while "Daemon is ready" not in (text := log.read_text()):
        if daemon.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"js-ipfs did not start: {text[-2000:]}")
        time.sleep(0.1)
    return re.search(r"HTTP API listening on /ip4/127\.0\.0\.1/tcp/(\d+)", text)[1]


def _end(daemon):
    """End the whole process group: a launcher may have started others."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(daemon.pid, number)
            daemon.wait(10)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
