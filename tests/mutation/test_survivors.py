"""The table of survivors speaks of the solutions as they are; `mutate.py` finds out if it is true.

Nothing is mutated here.
"""

from collections import Counter

from solved import explained, functions

ROWS = list(explained())
SOLVED = {name: functions(name) for name in {mutant.assignment for mutant, _ in ROWS}}


def test_every_row_points_at_lines_of_its_function() -> None:
    assert ROWS
    assert [
        mutant
        for mutant, _ in ROWS
        for line in mutant.was.splitlines()
        if line not in SOLVED[mutant.assignment].get(mutant.function, [])
    ] == []


def test_every_row_is_a_change_of_its_own_and_says_why_it_is_none() -> None:
    assert [mutant for mutant, number in Counter(m for m, _ in ROWS).items() if number > 1] == []
    assert [mutant for mutant, _ in ROWS if mutant.was == mutant.becomes] == []
    assert [mutant for mutant, why in ROWS if len(why.split()) < 4] == []
