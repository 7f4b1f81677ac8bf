"""A week of real flights: an event stream that comes out of order."""

from __future__ import annotations

import pandas as pd

from tradeoff.data.tables import load


def flights() -> pd.DataFrame:
    """Departures from New York's three airports, 25 June to 1 July 2013, in order of schedule.

    =================== ============== ==================================================
    scheduled_departure datetime64[us] New York's local clock, without a zone
    delay_minutes       float64        below 0: it left early; NaN: it was cancelled
    departure           datetime64[us] schedule plus delay; NaT: it was cancelled
    carrier             str            two letters
    flight              int64          the carrier's number
    origin, destination str            airport codes
    =================== ============== ==================================================

    Source and licence stand in `data/README.md`. Raises DataError when flights.csv is missing or
    damaged.
    """
    table = load(
        "flights.csv",
        scheduled_departure="local time",
        delay_minutes="float64 or empty",
        carrier="str",
        flight="int64",
        origin="str",
        destination="str",
    )
    delay = pd.to_timedelta(table["delay_minutes"], unit="min").astype("timedelta64[us]")
    table.insert(2, "departure", table["scheduled_departure"] + delay)
    return table
