"""The IPFS store against servers that lie, drip, flood, break off or are something else: real sockets, bad manners."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import tracemalloc

import pytest

from bcfl_client.errors import ConnectionFailed, ContentError, ContentMismatch, ContentMissing, ContentTooLarge
from bcfl_client.storage import Content, open_store

DATA = b"update" * 50_000
CONTENT = Content.of(DATA)
HEAD = b"HTTP/1.1 200 OK\r\n"
LENGTH = HEAD + b"Content-Length: %d\r\n\r\n" % len(DATA)
NOT_FOUND = b'{"Message":"not here\\u001b[2J","Code":0,"Type":"error"}'
FLOOD = bytes(2**20)


class BadServer:
    """Answers each request by calling `behave(send)`; `sent` counts what clients took."""

    def __init__(self, behave):
        self._behave = behave
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._end = threading.Event()
        self.requests = []
        self.sent = 0
        self.store = open_store(f"ipfs:http://127.0.0.1:{self._listener.getsockname()[1]}")
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with connection, contextlib.suppress(OSError):
            request = b""
            # An upload is chunked and ends with an empty chunk; other requests end with their headers.
            while not request.endswith(b"\r\n0\r\n\r\n" if b"chunked" in request else b"\r\n\r\n"):
                request += connection.recv(65536)
            self.requests.append(request.split(b"\r\n")[0])

            def send(data):
                connection.sendall(data)
                self.sent += len(data)

            self._behave(send, self._end.wait)

    def close(self):
        self._end.set()
        self._listener.close()


@pytest.fixture
def serve():
    with contextlib.ExitStack() as stack:

        def start(behave):
            server = BadServer(behave)
            stack.callback(server.close)
            return server

        yield start


def drip(prefix, data):
    """Send `prefix`, then one byte of `data` per 0.1 s."""

    def behave(send, pause):
        send(prefix)
        for byte in data:
            send(bytes((byte,)))
            if pause(0.1):
                return

    return behave


def flood(head, piece=FLOOD):
    def behave(send, _pause):
        send(head)
        for _ in range(10 * 1024):
            send(piece)

    return behave


def say(answer):
    return lambda send, _pause: send(answer)


@pytest.mark.parametrize(
    "behave",
    [
        drip(LENGTH, DATA),
        drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 1000),
        drip(b"HTTP/1.1 200 OK\r\nX: ", DATA),
        lambda _send, pause: pause(60),
    ],
    ids=["body", "chunks", "header", "silence"],
)
def test_E03_slow_server_meets_the_deadline(serve, behave):
    """Bytes that drip, in body, tiny chunks or an endless header, do not prolong the wait; nor does silence."""
    started = time.monotonic()
    with pytest.raises(ContentMissing, match=CONTENT.cid):
        serve(behave).store.get(CONTENT, timeout_seconds=1)
    assert 1 <= time.monotonic() - started < 2


@pytest.mark.parametrize(
    "behave",
    [
        flood(HEAD + b"Content-Length: %d\r\n\r\n" % (10 * 2**30)),
        flood(HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % (10 * 2**30)),
        flood(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"100000\r\n" + FLOOD + b"\r\n"),
        flood(HEAD + b"\r\n"),
    ],
    ids=["announced", "one chunk", "many chunks", "until the end"],
)
def test_E03_10_GB_stream_is_cut(serve, behave):
    """Of 10 GB at most the promised length and one byte are read, and memory stays near that."""
    server = serve(behave)
    tracemalloc.start()
    try:
        with pytest.raises(ContentTooLarge, match="more than 300000 bytes"):
            server.store.get(CONTENT, timeout_seconds=20)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert server.sent < 50 * 2**20  # what the buffers of the kernel took


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (LENGTH + DATA[:-1] + b"!", ContentMismatch),
        (HEAD + b"Content-Length: 3\r\n\r\nupd", ContentMismatch),
        (HEAD + b"Content-Encoding: gzip\r\n" + LENGTH[len(HEAD) :] + DATA[:-1] + b"!", ContentMismatch),
        (LENGTH + DATA[:1000], ContentMissing),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1000\r\nupdate", ContentMissing),
        (b"HTTP/1.1 500 Error\r\nContent-Length: %d\r\n\r\n" % len(NOT_FOUND) + NOT_FOUND, ContentMissing),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\n<html>", ConnectionFailed),
        (b"HTTP/1.1 500 Error\r\n\r\n" + FLOOD, ConnectionFailed),
        (b"HTTP/1.1 500 Error\r\n\r\n" + b"[" * 4000, ConnectionFailed),
        (b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", ConnectionFailed),
        (b"SSH-2.0-OpenSSH_9.2\r\n", ConnectionFailed),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n", ConnectionFailed),
        (b"", ConnectionFailed),
    ],
    ids=[
        "other byte",
        "short",
        "encoded",
        "broken off",
        "chunk broken off",
        "not found",
        "no daemon",
        "endless error",
        "deep error",
        "redirect",
        "other protocol",
        "too many headers",
        "hang-up",
    ],
)
def test_E03_wrong_answers(serve, answer, error):
    """Each wrong answer ends in the error that says whose fault it is, in printable text and in time."""
    started = time.monotonic()
    with pytest.raises(error) as caught:
        serve(say(answer)).store.get(CONTENT, timeout_seconds=1)
    assert str(caught.value).isprintable()
    assert time.monotonic() - started < 2


def test_a_refusal_is_asked_again(serve):
    """A daemon that has nothing yet is asked until the deadline, and the answer that comes then is taken."""

    def behave(send, _pause):
        if len(server.requests) < 3:
            send(b"HTTP/1.1 500 Error\r\nContent-Length: %d\r\n\r\n" % len(NOT_FOUND) + NOT_FOUND)
        else:
            send(LENGTH + DATA)

    server = serve(behave)
    assert server.store.get(CONTENT, timeout_seconds=20) == DATA
    assert len(server.requests) == 3
    assert b"length=300001&timeout=" in server.requests[0]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (json.dumps({"Hash": Content.of(b"other").cid}), ContentMismatch),
        (json.dumps({"Hash": "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH"}), ContentError),
        (json.dumps({"Hash": "bafkqaaa"}), ContentError),  # an identity "hash"
        (json.dumps({"Hash": None}), ContentError),
        (json.dumps({"Name": "x"}), ConnectionFailed),
        (json.dumps(["x"]), ConnectionFailed),
        ("1 2", ConnectionFailed),
        ("", ConnectionFailed),
        ("[" * 60_000, ConnectionFailed),
        ("x" * 2**20, ConnectionFailed),
    ],
    ids=["other id", "version 0", "identity", "null", "no id", "list", "numbers", "nothing", "deep", "endless"],
)
def test_what_a_daemon_claims_to_have_stored(serve, answer, error):
    """Only the content id computed here counts; any other reply to `put` is an error in printable text."""
    head = HEAD + b"Content-Length: %d\r\n\r\n" % len(answer)
    with pytest.raises(error) as caught:
        serve(say(head + answer.encode())).store.put(DATA)
    assert str(caught.value).isprintable()


def test_put_has_a_deadline(serve, monkeypatch):
    """A daemon that takes the bytes and never answers does not hold the client."""
    monkeypatch.setattr("bcfl_client.storage.ipfs.PUT_SECONDS", 0.5)
    with pytest.raises(ConnectionFailed, match=r"did not answer within 0\.5 s"):
        serve(lambda _send, pause: pause(60)).store.put(DATA)


def test_nothing_listens():
    """No daemon: one line that names the address and what to do, from every call."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    store = open_store(f"ipfs:http://127.0.0.1:{port}")
    for call in (store.check, lambda: store.put(DATA), lambda: store.get(CONTENT, timeout_seconds=5)):
        with pytest.raises(ConnectionFailed, match=f"127.0.0.1:{port} cannot be reached .*is the daemon running"):
            call()
