"""Programs that a system starts, and that end with it: also when the notebook is interrupted."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tradeoff.lab.systems import keeper, sweeper

GRACE_SECONDS = 10.0  # between asking a program to end and ending it


class LabError(RuntimeError):
    """Something the lab started failed; the message says what, and what it said last."""


class Program:
    """A running program whose output goes to a file; made by `running`."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path, before: int) -> None:
        self.name, self.process, self.log = name, process, log
        self._before = before  # bytes that an earlier run said

    @property
    def said(self) -> str:
        """The first 2,000 and the last 4,000 characters of its output, or how much room there is.

        A program of Java's may end with pages about its end, and begin with why it ended.
        """
        with self.log.open("rb") as file:
            file.seek(self._before)
            said = file.read().decode("utf-8", errors="replace").strip()
        if len(said) > 6_000:
            said = f"{said[:2000]}\n…\n{said[-4000:]}"
        free = shutil.disk_usage(self.log.parent).free
        return said or f"(nothing; {free:,} bytes are free in {self.log.parent})"

    def wait_for(self, ready: Callable[[], bool], seconds: float) -> None:
        """Until `ready()`; raises LabError when the program ends or the time is up before."""
        end = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None:
                raise LabError(f"{self.name} ended with {self.process.returncode}:\n{self.said}")
            if time.monotonic() > end:
                raise LabError(f"{self.name} was not ready after {seconds:g} s:\n{self.said}")
            time.sleep(0.02)

    def finish(self, seconds: float) -> None:
        """Until it ends by itself; raises LabError when it fails or does not end in time."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise LabError(f"{self.name} did not end in {seconds:g} s:\n{self.said}") from None
        if code:
            raise LabError(f"{self.name} ended with {code}:\n{self.said}")

    def kill(self) -> None:
        """SIGKILL to it and what it started: no clean-up of its own, as in a power cut."""
        _end(self.process, "SIGKILL")
        self.process.wait()

    def close(self) -> None:
        """Ask it to end, and end it if it does not."""
        if self.process.poll() is None:
            _end(self.process, "SIGTERM")
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(GRACE_SECONDS)
        self.kill()


@contextmanager
def running(
    name: str,
    command: Sequence[str | Path],
    log: Path,
    *,
    folder: Path | None = None,
    temporary: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Program]:
    """A program that runs while the block does; it and what it started are gone after.

    Parameters
    ----------
    name : what to call it in an error. command : its words. log : a file for its output, appended.
    folder : where it runs. temporary : where its temporary files go, so that those of a program
        that is killed go with that folder. environment : variables beside those of this process.
    """
    asked = dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(temporary)) if temporary else {}
    with log.open("ab") as output:
        before = output.tell()
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", keeper.__file__, *map(str, command)],
            cwd=folder,
            env=os.environ | asked | dict(environment or {}),
            stdin=subprocess.PIPE,  # closes when this process is gone: see keeper
            stdout=output,
            stderr=subprocess.STDOUT,
            # A group of its own: Ctrl-C goes to Python alone, which then ends the whole group.
            start_new_session=sys.platform != "win32",
        )
    program = Program(name, process, log, before)
    try:
        yield program
    finally:
        program.close()
        if process.stdin is not None:
            process.stdin.close()


@contextmanager
def scratch() -> Iterator[Path]:
    """A temporary folder for this user alone; gone after the block, or once this process is gone.

    A system can leave gigabytes there, and a kernel that is restarted clears nothing away.
    """
    folder = Path(tempfile.mkdtemp(prefix="tradeoff-"))
    sweeping = subprocess.Popen(
        [sys.executable, "-I", "-S", sweeper.__file__, str(folder)],
        stdin=subprocess.PIPE,
        start_new_session=sys.platform != "win32",
    )
    try:
        yield folder
    finally:
        sweeping.communicate()


def _end(process: subprocess.Popen[bytes], name: str) -> None:
    try:
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, getattr(signal, name))
    except (ProcessLookupError, PermissionError):
        pass  # gone already


def free_port() -> int:
    """A port of this machine's loopback that nothing listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def listens(port: int) -> bool:
    """Whether something on this machine's loopback takes connections there."""
    with socket.socket() as asked:
        asked.settimeout(0.5)
        return asked.connect_ex(("127.0.0.1", port)) == 0
