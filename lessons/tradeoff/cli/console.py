"""What the commands have in common: exit codes, and a console of any kind."""

import argparse
import io
import sys
from typing import TypeAlias

# What a module's `add` puts its parser into.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

NOTHING_FAILS, FAILS, UNREADABLE, CANNOT_TELL = 0, 1, 2, 3


def survive_any_console() -> None:
    """Print a question mark for what the console cannot show: Windows' may know no arrows."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
