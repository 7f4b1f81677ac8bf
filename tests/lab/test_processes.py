"""What the lab starts ends with it: on leaving, on an error, on a kill of whoever started it."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from browsing import wait
from tradeoff.lab.systems import processes
from tradeoff.lab.systems.processes import LabError, running, scratch

# A program that starts another one, says both numbers and would never end.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(os.getpid(), child.pid, flush=True)
time.sleep(600)
"""
posix = pytest.mark.skipif(sys.platform == "win32", reason="process groups of POSIX")


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:  # a zombie that nobody waits for is dead
        return stat.read().rsplit(")", 1)[1].split()[0] != "Z"


def gone(pid):
    try:
        return not alive(pid)
    except FileNotFoundError:
        return True


def numbers(log):
    return [int(word) for word in wait(log.read_text, 20, "nothing said").split()]


@posix
def test_leaving_the_block_ends_what_it_started_and_their_children(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.2)
    log = tmp_path / "log"
    with suppress(KeyboardInterrupt), running("it", [sys.executable, "-c", STUBBORN], log):
        pids = numbers(log)
        assert not any(map(gone, pids))
        raise KeyboardInterrupt
    wait(lambda: all(map(gone, pids)), 10, "still there")


@posix
def test_a_killed_notebook_leaves_no_program_and_no_folder(tmp_path):
    log = tmp_path / "log"
    asking = f"""
import sys, time
from pathlib import Path
from tradeoff.lab.systems.processes import running, scratch
with scratch() as folder, running("it", [sys.executable, "-c", {STUBBORN!r}], Path({str(log)!r})):
    (folder / "orders.parquet").write_text("many")
    print(folder, flush=True)
    time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", asking], stdout=subprocess.PIPE) as notebook:
        folder = Path(notebook.stdout.readline().decode().strip())
        pids = numbers(log)
        assert list(folder.iterdir())
        os.kill(notebook.pid, signal.SIGKILL)
    wait(lambda: all(map(gone, pids)) and not folder.exists(), 10, "still there")


def test_a_scratch_folder_is_gone_after_its_block():
    with suppress(KeyboardInterrupt), scratch() as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "file").touch()
        raise KeyboardInterrupt
    assert not folder.exists()


def test_a_program_that_fails_says_why(tmp_path):
    word = [sys.executable, "-c", "raise SystemExit('no such table')"]
    with (
        running("the query", word, tmp_path / "log") as program,
        pytest.raises(LabError, match="no such table"),
    ):
        program.finish(20)


def test_a_program_that_is_not_there_says_so(tmp_path):
    with (
        running("it", [tmp_path / "missing"], tmp_path / "log") as program,
        pytest.raises(LabError, match="could not be started"),
    ):
        program.wait_for(lambda: False, 20)


def test_one_that_is_never_ready_is_an_error(tmp_path):
    word = [sys.executable, "-c", "import time; time.sleep(600)"]
    with (
        running("it", word, tmp_path / "log") as program,
        pytest.raises(LabError, match="not ready after"),
    ):
        program.wait_for(lambda: False, 0.2)
