"""Runs a command, and ends it and all it started once whoever asked for it is gone.

    python keeper.py COMMAND ...

Its standard input is a pipe that the asking process holds open. When that process ends, however it
ends, the pipe closes and the whole process group is killed. Standard library only: it runs alone.
"""

import os
import signal
import subprocess
import sys
import threading


def main(command: list[str]) -> int:
    if sys.platform != "win32":
        # Asked to end, the program does; this one stays until it has.
        signal.signal(signal.SIGTERM, lambda *_: None)
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def watch() -> None:
        # Not sys.stdin's buffer: its lock, held at exit by this thread, aborts the interpreter.
        while os.read(0, 1024):
            pass
        if sys.platform == "win32":
            program.kill()
        else:
            os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
    code = program.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except OSError as error:
        sys.exit(f"{sys.argv[1]} could not be started: {error}")
