"""What a learner leaves behind, kept in files that neither a crash nor an update can lose.

The files stand beside that of `checks.progress`: in Jupyter's data folder, or where TRADEOFF_STATE
says. Each is JSON, `{"version": 1, ...}`, and is replaced as a whole: a process killed at any
moment leaves the former file or the new one. The one before stays beside it as `.bak`.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tradeoff.checks import memory

Content = dict[str, Any]
Change = Callable[[Content], Content]
WAIT_SECONDS = 10.0  # for another process that writes


def folder() -> Path:
    """The learner's own folder; it may not be there yet."""
    return memory.place().parent


class Kept:
    """One file, safe between processes.

    Parameters
    ----------
    path : the file; its folder is made when it is first used.
    empty : what a file that is not there yet holds, without its version.
    version : of the format. A file of a later one is never written, nor read.
    check : raises ValueError, TypeError, KeyError or AttributeError when content is not as it must
        be; such a file counts as broken, like one that is no JSON.
    """

    def __init__(
        self,
        path: Path,
        empty: Content,
        version: int = 1,
        check: Callable[[Content], object] = lambda _: None,
    ) -> None:
        self.path, self.version = path, version
        self._check = check
        self._on_disk: Content = {"version": version, **empty}  # when it was last looked at
        self._waiting: list[Change] = []  # for a file that could not be written so far
        self._broken: list[str] = []
        self._unsaved = ""

    @property
    def backup(self) -> Path:
        """The file as it was before it was last written."""
        return self.path.with_name(f"{self.path.name}.bak")

    @property
    def notes(self) -> list[str]:
        """Sentences for the learner: what was broken, and what could not be saved as yet."""
        return [*self._broken, *([self._unsaved] if self._unsaved else [])]

    def read(self) -> Content:
        """What the file holds now. A broken one is set aside, and the one before it read."""
        return self._do([])

    def update(self, change: Change) -> Content:
        """Write what `change` makes of the content, and return that; nobody writes in between.

        `change` takes the content as it is on disk by then, another process' part included, and
        returns a new one. Where the file cannot be written it is done in memory, `notes` says so,
        and it is written with the next change that can be.
        """
        return self._do([change])

    def _do(self, changes: list[Change]) -> Content:
        self._waiting += changes
        try:
            with self._alone():
                self._on_disk = self._load() or self._on_disk
                found = _changed(self._on_disk, self._waiting)
                if self._waiting:
                    self._write(found)
            self._on_disk, self._waiting, self._unsaved = found, [], ""
        except (OSError, sqlite3.Error, _LaterVersion) as error:
            found = _changed(self._on_disk, self._waiting)
            if self._waiting:
                self._unsaved = f"Your answers are kept only until this program ends: {error}"
        return found

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Alone among all processes: SQLite's lock, for it works on every system and a process
        that is killed lets go of it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = self.path.with_name(f"{self.path.name}.lock")
        with contextlib.closing(sqlite3.connect(lock, WAIT_SECONDS, isolation_level=None)) as held:
            held.execute("BEGIN EXCLUSIVE")
            yield

    def _load(self) -> Content | None:
        for path in (self.path, self.backup):
            try:
                return self._parsed(path)
            except FileNotFoundError:
                continue  # nothing yet, or killed between the two renames of `_write`
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                at = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
                aside = path.with_name(f"{path.name}.broken-{at}")
                os.replace(path, aside)
                self._broken.append(
                    f"{path.name} could not be read ({error}). It was set aside as {aside}; "
                    "the one before it is used, if there is one."
                )
        return None

    def _parsed(self, path: Path) -> Content:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict) or not isinstance(found.get("version"), int):
            raise ValueError("it says no version")
        if found["version"] > self.version:
            raise _LaterVersion(
                f"{path} was written by a newer version of the course; update the course to use it."
            )
        self._check(found)
        return found

    def _write(self, content: Content) -> None:
        part = self.path.with_name(f"{self.path.name}.part")
        with open(part, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            os.replace(self.path, self.backup)
        os.replace(part, self.path)


def _changed(content: Content, changes: list[Change]) -> Content:
    for change in changes:
        content = change(content)
    return content


class _LaterVersion(Exception):
    """The file is of a later format than this program knows."""
