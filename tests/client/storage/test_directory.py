"""The store in a folder: real files, real processes, real faults of a file system."""

from __future__ import annotations

import multiprocessing
import os
import resource
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bcfl_client.errors import ConnectionFailed, ContentMismatch, ContentMissing, ContentTooLarge
from bcfl_client.storage import Content, open_store
from bcfl_client.storage.directory import DirectoryStore

DATA = os.urandom(796_840)
CONTENT = Content.of(DATA)


@pytest.fixture
def store(tmp_path):
    return DirectoryStore(tmp_path / "made" / "on demand")


@pytest.fixture
def file(store, tmp_path):
    """The file of CONTENT, in a store that holds nothing else."""
    store.put(DATA)
    return tmp_path / "made" / "on demand" / CONTENT.cid


@pytest.mark.parametrize("size", [0, 1, 262_144, 262_145, 796_840])
def test_round_trip(store, size):
    """What was put comes back, by a name that whoever knows the bytes can compute."""
    assert store.put(DATA[:size]) == Content.of(DATA[:size])
    assert store.get(Content.of(DATA[:size])) == DATA[:size]


def test_put_again_changes_nothing(store, file):
    """Putting the same bytes is idempotent, and no unfinished file stays behind."""
    before = file.stat()
    assert store.put(DATA) == CONTENT
    assert file.stat() == before
    assert os.listdir(file.parent) == [CONTENT.cid]


def test_url_opens_the_same_store(store, file):
    """The store's own text opens it again, from any folder."""
    assert open_store(store.url).get(CONTENT) == DATA
    assert open_store(str(file.parent)).url == store.url


def test_one_look_and_waiting(store, file):
    """Absent content: a single look returns at once, a wait ends at its limit, and sees what arrives meanwhile."""
    late = Content.of(b"late")
    started = time.monotonic()
    with pytest.raises(ContentMissing, match=late.cid):
        store.get(late)
    assert time.monotonic() - started < 0.1
    with pytest.raises(ContentMissing):
        store.get(late, timeout_seconds=0.2)
    assert 0.2 <= time.monotonic() - started < 1
    writer = threading.Timer(0.1, store.put, [b"late"])
    writer.start()
    assert store.get(late, timeout_seconds=10) == b"late"
    writer.join()


def test_E03_damaged_file_is_named_and_mended(store, file):
    """One flipped bit is found, the file is named, and putting the content again repairs it."""
    damaged = bytearray(DATA)
    damaged[400_000] ^= 1
    file.write_bytes(damaged)
    with pytest.raises(ContentMismatch, match=str(file)):
        store.get(CONTENT)
    store.put(DATA)
    assert store.get(CONTENT) == DATA


def test_E03_other_lengths(store, file):
    """A 10 GB file is refused by its length, unread; a short one is refused too."""
    os.truncate(file, 10 * 2**30)
    started = time.monotonic()
    with pytest.raises(ContentTooLarge):
        store.get(CONTENT)
    assert time.monotonic() - started < 0.1
    os.truncate(file, len(DATA) - 1)
    with pytest.raises(ContentMismatch, match="796839 bytes"):
        store.get(CONTENT)


@pytest.mark.parametrize("plant", [lambda path: path.symlink_to("/etc/passwd"), os.mkfifo, os.mkdir])
def test_hostile_names(store, file, plant):
    """A link to another file is not followed, a pipe not waited for, a folder not read."""
    file.unlink()
    plant(file)
    with pytest.raises(ContentMismatch):
        store.get(CONTENT, timeout_seconds=0)


def test_no_such_folder(tmp_path):
    """A store that is not there is the reader's fault, not that of who should have served; it is not created."""
    store = DirectoryStore(tmp_path / "absent")
    for call in (store.check, lambda: store.get(CONTENT)):
        with pytest.raises(ConnectionFailed, match=r"absent.*No such file or directory"):
            call()
    assert not (tmp_path / "absent").exists()


def test_path_through_a_file(tmp_path):
    """A folder that cannot exist is refused in one line by every call."""
    (tmp_path / "file").write_bytes(b"")
    store = DirectoryStore(tmp_path / "file" / "store")
    for call in (store.check, lambda: store.put(DATA), lambda: store.get(CONTENT)):
        with pytest.raises(ConnectionFailed, match="Not a directory"):
            call()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody without permissions")
def test_no_permission():
    """Somebody who may not write can read; who may not enter the folder is told so."""
    with tempfile.TemporaryDirectory() as folder:
        store = DirectoryStore(folder)
        store.put(DATA)
        try:
            os.chmod(folder, 0o755)
            os.seteuid(65534)
            assert store.get(CONTENT) == DATA
            with pytest.raises(ConnectionFailed, match=r"cannot write.*Permission denied"):
                store.put(b"other")
            os.seteuid(0)
            os.chmod(folder, 0o700)
            os.seteuid(65534)
            with pytest.raises(ConnectionFailed, match=r"cannot read.*Permission denied"):
                store.get(CONTENT)
        finally:
            os.seteuid(0)


def write_beyond_limit(store):
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    with pytest.raises(ConnectionFailed, match="cannot write"):
        store.put(DATA)


def test_E08_no_space(store, file):
    """A write that fails half way says so, and leaves neither a half file nor rubbish."""
    file.unlink()
    assert in_processes(write_beyond_limit, [(store,)]) == [0]
    assert os.listdir(file.parent) == []


def put_all(store, blobs):
    for blob in blobs:
        store.put(blob)


def get_all(store, blobs):
    for blob in blobs:
        assert store.get(Content.of(blob), timeout_seconds=20) == blob


def test_many_processes_and_threads(store):
    """Six processes that write the same and other content while others read: nobody sees anything but whole files."""
    same = [os.urandom(300_000) for _ in range(10)]
    own = [[os.urandom(100_000) for _ in range(5)] for _ in range(4)]
    store.put(b"")
    jobs = [(put_all, store, same + blobs) for blobs in own]
    jobs += [(get_all, store, same + [blob for blobs in own for blob in blobs])] * 2
    assert in_processes(lambda call, *arguments: call(*arguments), jobs) == [0] * 6
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda blob: store.get(Content.of(blob)), same)) == same


def in_processes(call, jobs):
    """Run `call(*job)` for each job in a process of its own, all at once; return their exit codes."""
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=call, args=job) for job in jobs]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    return [process.exitcode for process in processes]
