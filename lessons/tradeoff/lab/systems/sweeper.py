"""Removes a folder once whoever asked for it has let go of it, or is gone.

    python sweeper.py FOLDER

Its standard input is a pipe that the asking process holds open, as `keeper.py` has one. Standard
library only: it runs alone.
"""

import os
import shutil
import sys
import time

TRIES, PAUSE_SECONDS = 100, 0.2  # programs that end at the same time may still write there


def main(folder: str) -> None:
    while os.read(0, 1024):
        pass
    for _ in range(TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):
            break
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1])
