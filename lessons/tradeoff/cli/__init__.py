"""The command `tradeoff`: open the course, see what lacks, diagnose a pipeline, teach, measure.

A module a command, or a few that belong together: `add` makes its parser, which names as `run` the
function that does it, from the parsed arguments to the exit code.
"""

import argparse
from collections.abc import Sequence

from tradeoff.cli import diagnose, doctor, drill, lab, mock, opening, sheet, teaching

COMMANDS = (opening, doctor, diagnose, teaching, lab, drill, mock, sheet)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the words of a command line say; the exit code."""
    parser = argparse.ArgumentParser(prog="tradeoff", description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for each in COMMANDS:
        each.add(commands)
    chosen = parser.parse_args(arguments)
    code: int = chosen.run(chosen)
    return code
