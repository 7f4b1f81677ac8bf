"""A landing folder: a table's changes as files of JSON lines, named by their positions."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tradeoff.lab.systems.cdc.slots import SlotInUse, Source, SourceGone, drop, position
from tradeoff.lab.systems.cdc.stream import Change, changes, signed
from tradeoff.lab.systems.processes import LabError


class Landing:
    """Changes that land as files while the block of `land` runs.

    Attributes
    ----------
    folder : where. rows : rows landed so far. full : whether the disk took no more.
    """

    def __init__(self, source: Source | str, folder: Path, slot: str, every_seconds: float) -> None:
        self.folder, self.rows = folder, 0
        self._source, self._slot, self._every = source, slot, every_seconds
        self._reached = 0
        self._leave = threading.Event()
        self._failed: BaseException | None = None
        self.full = False
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="landing", daemon=True)

    def finish(self, seconds: float = 60.0) -> None:
        """Until all that was committed before this call has landed; it then goes on."""
        until = position(self._source)
        end = time.monotonic() + seconds
        while self._reached < until:
            if self._failed is not None:
                raise self._failed
            if time.monotonic() > end:
                raise LabError(f"changes had not landed in {self.folder} after {seconds:g} s")
            time.sleep(0.01)

    def start(self) -> None:
        """Begin; raises what kept it from reading the slot."""
        self._thread.start()
        self._ready.wait()
        if self._failed is not None:
            raise self._failed

    def stop(self) -> None:
        """End, with what has been read landed."""
        self._leave.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            landed = [int(each.stem.split("-")[1], 16) for each in self.folder.glob("*.jsonl")]
            start = max(landed, default=0)
            with changes(self._source, self._slot, start=start, keep=True) as stream:
                self._ready.set()
                while not self._leave.is_set():
                    due = time.monotonic() + self._every
                    taken = stream.read(self._every)
                    while (left := due - time.monotonic()) > 0 and not self._leave.is_set():
                        taken += stream.read(min(left, 0.05))
                    if taken:
                        self.rows += write(self.folder, taken)
                        stream.confirm(taken[-1].lsn)
                    self._reached = stream.position
        except OSError as error:
            self.full = True
            self._failed = LabError(
                f"no more changes could land in {self.folder}: {error}. The files there are whole, "
                f"and what is missing is in slot {self._slot!r}: make room, and land there again"
            )
        except BaseException as error:  # told to whoever waits
            self._failed = error
        finally:
            self._ready.set()


@contextmanager
def land(
    source: Source | str,
    folder: Path,
    slot: str = "tradeoff_landing",
    *,
    every_seconds: float = 0.1,
    keep: bool = False,
) -> Iterator[Landing]:
    """Let a table's changes land in a folder, as files of JSON lines, while the block runs.

    A file is named by the first and last position in it, sixteen hexadecimal digits each
    (`FIRST-LAST.jsonl`), so that names sort as commits do; it holds whole transactions and appears
    at once, complete. A second landing into the folder goes on behind the newest file: no change
    lands twice, though a landing be killed between a file and its confirmation.

    A line holds order_id, order_timestamp (microseconds since the epoch), product_id, region,
    amount_cents, committed (seconds since the epoch), lsn, number, and sign: 1 for a row that came
    to be, -1 for one that is no more. An update is two lines, the row before with -1 first, so
    sums of sign and of sign * amount_cents are right whatever was corrected.

    When the block ends without an error, all that was committed has landed. Raises as `changes`,
    and LabError when the disk is full: the slot is then kept, whatever `keep` says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    landing = Landing(source, folder, slot, every_seconds)
    try:
        landing.start()
        yield landing
        landing.finish()
    finally:
        landing.stop()
        if not keep and not landing.full:
            with suppress(SourceGone, SlotInUse):
                drop(source, slot)


def write(folder: Path, taken: list[Change]) -> int:
    """Changes as one file of the landing folder; returns how many lines it holds."""
    lines = [json.dumps(line) for change in taken for line in signed(change)]
    name = f"{taken[0].lsn:016X}-{taken[-1].lsn:016X}.jsonl"
    beside = folder / f".{name}.new"  # readers pass over names that begin with a dot
    try:
        with beside.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(line + "\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    os.replace(beside, folder / name)
    return len(lines)
