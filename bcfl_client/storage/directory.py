"""A content store in a folder: one file per content, named by its content id. For one machine or a shared mount."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from pathlib import Path

from bcfl_client.errors import ConnectionFailed, ContentError, ContentMismatch, ContentMissing, ContentTooLarge
from bcfl_client.storage.base import Content

__all__ = ["DirectoryStore"]

POLL_SECONDS = 0.02  # a look costs some 10 microseconds, a round's budget is 1.5 s


class DirectoryStore:
    """The store in the folder `path`, which the first `put` creates.

    File names are content ids computed here, so no name from outside becomes a path. Anybody who can write to the
    folder can put anything under such a name: files are read as untrusted, symbolic links and pipes are not opened.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path).expanduser().absolute()

    @property
    def url(self) -> str:
        return f"dir:{self._path}"

    def check(self) -> str:
        try:
            os.scandir(self._path).close()
        except OSError as error:
            raise self._failed("read", error) from error
        return f"folder {self._path}" + ("" if os.access(self._path, os.W_OK) else ", read-only")

    def put(self, data: bytes) -> Content:
        content = Content.of(data)
        if self._holds(content, data):
            return content
        # Readers see a whole file or none, after a crash too. Two writers of one content write the same bytes.
        unfinished = self._path / f".unfinished-{secrets.token_hex(8)}"
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            try:
                with open(unfinished, "xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(unfinished, self._path / content.cid)
            except BaseException:
                unfinished.unlink(missing_ok=True)
                raise
            self._sync_folder()
        except OSError as error:
            raise self._failed("write to", error) from error
        return content

    def get(self, content: Content, timeout_seconds: float = 0) -> bytes:
        deadline = time.monotonic() + timeout_seconds
        while (data := self._read(content)) is None:
            left = deadline - time.monotonic()
            if left <= 0:
                self.check()  # a folder that is gone is not the fault of who should have served
                raise ContentMissing(content.cid, f"not in {self._path} after {timeout_seconds:g} s")
            time.sleep(min(left, POLL_SECONDS))
        content.verify(data, str(self._path / content.cid))
        return data

    def _read(self, content: Content) -> bytes | None:
        """Return what lies under the content's name, unchecked and up to one byte too many; None if nothing does."""
        path = self._path / content.cid
        try:
            # Non-blocking: opening a pipe must not wait for its writer.
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise ContentMismatch(content.cid, f"{path} is a symbolic link, not a file") from error
            self.check()
            raise ContentMissing(content.cid, f"{path} cannot be read: {error.strerror}") from error
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ContentMismatch(content.cid, f"{path} is not a file")
            if status.st_size > content.size:
                reason = f"{path} holds {status.st_size} bytes, {content.size} are promised"
                raise ContentTooLarge(content.cid, reason)
            with open(descriptor, "rb", closefd=False) as file:
                return file.read(content.size + 1)
        except OSError as error:
            raise ContentMissing(content.cid, f"{path} cannot be read: {error.strerror}") from error
        finally:
            os.close(descriptor)

    def _holds(self, content: Content, data: bytes) -> bool:
        """Compare with what is there, so that storing damaged content again mends it."""
        try:
            return self._read(content) == data
        except ContentError:
            return False

    def _sync_folder(self) -> None:
        """Make a rename last: the folder is what holds the name."""
        descriptor = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _failed(self, verb: str, error: OSError) -> ConnectionFailed:
        return ConnectionFailed(
            f"cannot {verb} the content store in the folder {self._path}: {error.strerror};"
            " check its path, its permissions and the space left, or name another store"
        )
