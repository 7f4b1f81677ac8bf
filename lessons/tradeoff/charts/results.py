"""A class's results: for each check, how many students came to which outcome."""

from __future__ import annotations

import altair as alt
import pandas as pd

from tradeoff.charts.theme import COLOURS

STATES = ("passed", "failed", "not reached", "could not be judged")
_SHADES = (COLOURS["blue"], COLOURS["vermillion"], "#888888", COLOURS["purple"])


def class_results(counts: pd.DataFrame, order: list[str], title: str) -> alt.TopLevelMixin:
    """Bars of students a check, cut by outcome; each part carries its words and its number.

    Parameters
    ----------
    counts : columns behaviour, outcome (a state, or "failed: MISCONCEPTION") and students.
    order : the checks from top to bottom.
    """
    state = counts["outcome"].str.partition(": ")[0]
    known = counts.assign(
        state=state,
        rank=state.map(dict(zip(STATES, range(4), strict=True))),
        label=counts["outcome"] + ", " + counts["students"].astype(str),
    )
    # A row an outcome, so that no label has to fit inside a bar.
    rows = known.sort_values(["rank", "students"], ascending=[True, False])
    outcomes = list(dict.fromkeys(rows["label"]))
    base = alt.Chart(rows).encode(
        alt.Y("label:N").sort(outcomes).title(None).axis(labels=False, ticks=False, domain=False),
        alt.X("students:Q").title("students").axis(format="d", tickMinStep=1),
    )
    bars = base.mark_bar().encode(
        alt.Color("state:N").scale(domain=list(STATES), range=list(_SHADES)).legend(None)
    )
    words = base.mark_text(align="left", dx=4).encode(text="label:N")
    worst = rows[rows["state"] != "passed"].groupby("behaviour")["students"].sum()
    said = f" Most trouble: {worst.idxmax()}." if len(worst) else " Everybody passed."
    facet = alt.Row("behaviour:N").sort(order).title(None)
    return (
        alt.layer(bars, words)
        .properties(width=420, height=alt.Step(20))
        .facet(row=facet.header(labelAngle=0, labelAlign="left"))
        .resolve_scale(y="independent")
        .properties(
            title=title,
            description=f"Bars of students for each check and outcome.{said} "
            + "; ".join(f"{row.behaviour}: {row.label}" for row in rows.itertuples(index=False)),
        )
    )
