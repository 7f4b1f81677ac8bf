"""`tradeoff drill`: interview questions in the terminal, each when it is due."""

import argparse
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from tradeoff.cli.console import UNREADABLE, Commands, survive_any_console


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "drill",
        help="interview questions, each when it is due; a diagnostic, readiness, a plan",
        description="Answers are kept beside those of checks.progress(), one by one as they are "
        "judged. Ctrl-C or Ctrl-D ends it and loses none. The bank is read from your disk; "
        "nothing leaves this machine.",
    )
    parser.add_argument("--lesson", type=int, metavar="N", help="1 to 5; 6: neighbouring subjects")
    parser.add_argument("--objective", metavar="NAME", help="as --readiness names them")
    parser.add_argument("--questions", type=int, default=10, metavar="N", help="at most (10)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--diagnostic", action="store_true", help="one question an objective, for ten minutes"
    )
    what.add_argument(
        "--interview",
        type=_day,
        nargs="?",
        const=KEPT,
        metavar="DATE",
        help="as in 2026-12-05: keep the day, and print a plan until then; without one, until the "
        "day that is kept",
    )
    what.add_argument("--readiness", action="store_true", help="how ready you are, and why")
    what.add_argument(
        "--export", type=Path, metavar="FILE", help="write every answer, to .csv or .json"
    )
    parser.add_argument(
        "--minutes", type=float, default=45, metavar="N", help="a day, for the plan (45)"
    )
    parser.add_argument("--seed", type=int, help="draws the same order and numbers again")
    parser.set_defaults(run=drill)


KEPT = date.min  # stands for the one in the learner's file


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"say the day as in 2026-12-05, not {text!r}") from None


def drill(chosen: argparse.Namespace) -> int:
    """Do what was asked for; the exit code is 2 where it cannot be done, else 0."""
    survive_any_console()
    try:
        _do(chosen)
    except (ValueError, OSError) as error:
        print(f"tradeoff drill: {error}", file=sys.stderr)
        return UNREADABLE
    return 0


def _do(chosen: argparse.Namespace) -> None:
    from tradeoff.interview import drills
    from tradeoff.interview.drills import session, terminal

    store, now = drills.Store(), datetime.now(UTC)
    if chosen.export:
        print(f"{len(store.reviews)} answers are in {drills.export(chosen.export, store)}")
        return
    if chosen.readiness:
        from tradeoff.interview import bank

        found = session.chosen(chosen.lesson, chosen.objective, bank.questions())
        print(terminal.table(drills.readiness(found, store.reviews, now)))
        return
    if chosen.interview:
        if chosen.interview != KEPT:
            store.set_interview(chosen.interview)
        print(drills.plan(minutes_a_day=chosen.minutes, store=store, now=now).said)
        return
    seed = int(now.timestamp()) if chosen.seed is None else chosen.seed
    if not chosen.diagnostic:
        terminal.run(
            drills.Session(
                store,
                now,
                seed,
                count=chosen.questions,
                lesson=chosen.lesson,
                objective=chosen.objective,
            )
        )
        return
    diagnostic = drills.Diagnostic(store, now, seed, lesson=chosen.lesson)
    terminal.run(diagnostic)
    print(f"\n{terminal.outcome(diagnostic)}\n")
    if store.interview and store.interview > now.astimezone().date():
        print(drills.plan(minutes_a_day=chosen.minutes, store=store, now=now).said)
    else:
        print("For a plan: tradeoff drill --interview YEAR-MONTH-DAY")
