"""HTTP for ipfshttpclient with two limits that its own transport lacks: bytes of an answer, seconds of a request.

Its own reads an answer of known length into memory at once, however long, and starts its clock anew with every byte
that arrives: a server that sends 10 GB, or one byte per second, would win.
"""

from __future__ import annotations

import http.client
import io
import json
import socket
import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from bcfl_client.errors import ConnectionFailed

__all__ = ["AnswerTooLong", "BoundedTransport", "Refused"]

PIECE_BYTES = 64 * 1024
REFUSAL_BYTES = 4 * 1024  # what is read of an error's text


class Refused(Exception):
    """The daemon understood the request and answered with an error, whose text this carries."""


class AnswerTooLong(Exception):
    """The answer is longer than the limit; reading stopped there."""


class BoundedTransport:
    """Takes the place of `ipfshttpclient.http.ClientSync` in one client.

    `base_url` is http or https and ends in "/"; `limit_bytes` bounds each answer, `deadline` (of time.monotonic) all
    requests together. Nothing is decompressed, no redirect followed, no proxy used, no connection kept.
    """

    workarounds: frozenset[str] = frozenset()  # asked for by ipfshttpclient.Client

    def __init__(self, base_url: str, limit_bytes: int, deadline: float) -> None:
        self._url = urlsplit(base_url)
        self._limit_bytes = limit_bytes
        self._deadline = deadline

    def request(
        self,
        path: str,
        args: Sequence[str] = (),
        *,
        opts: Mapping[str, str] | None = None,
        decoder: str = "none",
        data: Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes | list[Any]:
        """Return the daemon's answer: bytes, or with the decoder "json" the list of its lines.

        Raises Refused, AnswerTooLong, TimeoutError when the deadline has passed, another OSError if the connection
        breaks while the answer arrives, and ConnectionFailed if nothing answers or not as an IPFS daemon does.
        """
        query = urlencode([*(opts or {}).items(), *(("arg", arg) for arg in args)])
        target = f"{self._url.path}{path.lstrip('/')}?{query}"
        with self._connect() as sock:
            try:
                response = self._exchange(sock, target, data, headers or {})
            except TimeoutError:
                raise
            except (OSError, http.client.HTTPException) as error:
                raise self._failed(f"does not answer as an IPFS daemon ({_brief(error)})") from error
            if response.status != http.HTTPStatus.OK:
                raise self._refusal(response)
            answer = _read(response, self._limit_bytes)
        if decoder != "json":
            return answer
        try:
            return [json.loads(line) for line in answer.splitlines() if line.strip()]
        except (ValueError, RecursionError) as error:
            raise self._failed(f"does not answer as an IPFS daemon ({_brief(error)})") from error

    def _connect(self) -> socket.socket:
        """Try each address of the host, none longer than its share of the time that is left."""
        host = self._url.hostname or ""
        error: OSError | None = None
        try:
            addresses = socket.getaddrinfo(host, self._url.port, type=socket.SOCK_STREAM)
            for number, (*_, address) in enumerate(addresses):
                share = _left(self._deadline) / (len(addresses) - number)
                try:
                    sock = socket.create_connection((str(address[0]), int(address[1])), timeout=share)
                    if self._url.scheme == "https":
                        sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
                    return sock
                except OSError as failure:
                    error = failure
        except OSError as failure:
            error = failure
        raise self._failed(f"cannot be reached ({_brief(error)}): is the daemon running?") from error

    def _exchange(
        self, sock: socket.socket, target: str, data: Iterable[bytes] | None, headers: Mapping[str, str]
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self._url.netloc)
        connection.sock = _TimedSocket(sock, self._deadline)
        connection.request("POST", target, body=data, headers={**headers, "Connection": "close"})
        return connection.getresponse()

    def _refusal(self, response: http.client.HTTPResponse) -> Exception:
        try:
            message = json.loads(_read(response, REFUSAL_BYTES))["Message"]
        except (ValueError, RecursionError, TypeError, KeyError, AnswerTooLong, OSError):
            return self._failed(f"answers HTTP {response.status}, not as an IPFS daemon's RPC API does")
        return Refused(_brief(message))

    def _failed(self, fault: str) -> ConnectionFailed:
        address = f"{self._url.scheme}://{self._url.netloc}"
        return ConnectionFailed(f"the IPFS daemon at {address} {fault}; check the address or name another store")


class _TimedSocket(io.RawIOBase):
    """What http.client uses of a socket, where each call gets only the time that is left."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(_left(self._deadline))
        self._sock.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self, PIECE_BYTES)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_left(self._deadline))
        return self._sock.recv_into(buffer)

    def close(self) -> None:
        """Do nothing: http.client lets go of its socket before the answer is read. Whoever connected closes it."""


def _read(response: http.client.HTTPResponse, limit_bytes: int) -> bytes:
    """Return the whole body. Raises AnswerTooLong as soon as it is announced or found to exceed the limit."""
    if response.length is not None and response.length > limit_bytes:
        raise AnswerTooLong
    body = bytearray()
    try:
        while piece := response.read(min(PIECE_BYTES, limit_bytes + 1 - len(body))):
            body += piece
            if len(body) > limit_bytes:
                raise AnswerTooLong
    except http.client.HTTPException as error:
        raise ConnectionError(_brief(error)) from error
    if response.length:
        raise ConnectionError(f"the connection ended {response.length} bytes early")
    return bytes(body)


def _left(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("time is over")
    return seconds


def _brief(text: object) -> str:
    """Return foreign text as one short line of printable ASCII, fit for a message and a terminal."""
    return ascii(str(text))[1:-1][:200]
