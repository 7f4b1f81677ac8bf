"""As on a full disk: no file of a running program grows beyond so many bytes."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

limited = pytest.mark.skipif(
    sys.platform != "linux", reason="a limit on the files of a running program is Linux's"
)


def members(group: int) -> Iterator[int]:
    """The processes of a group: a program that `running` started, and what it started."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[2]) == group:
            yield int(stat.parent.name)


@contextmanager
def full_disk(process, size_bytes: int):
    """While the block runs, no file of this process, and of those in its group, grows beyond it.

    A write beyond it fails, with EFBIG where a full disk has ENOSPC; both are an OSError, and an
    IOException of Java. `process` is a Popen that `running` made, or None for this process itself.
    """
    import resource

    pids = [os.getpid()] if process is None else list(members(process.pid))
    before = {
        pid: resource.prlimit(pid, resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))
        for pid in pids
    }
    try:
        yield
    finally:
        for pid, limits in before.items():
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
