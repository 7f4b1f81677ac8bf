"""How an assignment's bank of answers is written; `bank_NAME.py` stands beside this file.

A bank has ``RIGHT``: {style: {function: source}}, other ways of being right, all full marks; and
``WRONG``: {misconception: Wrong}. What a submission does not replace is the solution's.
"""

from dataclasses import dataclass, field
from textwrap import dedent

Sources = dict[str, str]


@dataclass(frozen=True)
class Wrong:
    """A wrong submission.

    Attributes
    ----------
    functions : source of each answer cell it gets wrong, by name; may be indented.
    loses : behaviours that lose points, each with words that its message must hold. By default
        those replaced, each with any words.
    keeps : the largest share of a behaviour's points that such an answer may keep.
    """

    functions: Sources
    loses: dict[str, str] = field(default_factory=dict)
    keeps: float = 0.95

    def sources(self) -> Sources:
        return sources(self.functions)


def sources(functions: Sources) -> Sources:
    return {name: dedent(source).strip() for name, source in functions.items()}
