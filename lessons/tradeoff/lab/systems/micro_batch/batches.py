"""A batch of changes, added up: what it adds to the table, refuses, finds too late and keeps.

Changes are judged one after the other, in the order of their commits, so that the outcome does not
depend on where one batch ends and the next begins. DuckDB joins, groups and keeps open windows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb

from tradeoff.lab.systems.cdc.pgoutput import Row
from tradeoff.lab.systems.cdc.stream import Change, signed
from tradeoff.lab.systems.processes import LabError

TOO_LATE = "too late: its window had closed"
CORRECTED_TOO_LATE = "corrected too late: its window had closed with the order as it was"

ADDED_UP = """
    SELECT window_start, category, region, sum(sign)::BIGINT AS orders,
        sum(sign * amount_cents)::BIGINT AS revenue_cents
    FROM signed JOIN product USING (product_id) GROUP BY ALL
"""
MERGED = """
    CREATE OR REPLACE TABLE held AS
    SELECT window_start, category, region, sum(orders)::BIGINT AS orders,
        sum(revenue_cents)::BIGINT AS revenue_cents
    FROM (FROM held UNION ALL FROM added) GROUP BY ALL HAVING sum(orders) <> 0
"""

# window_start in microseconds since the epoch, category, region, orders, revenue_cents
Added = tuple[int, str, str, int, int]


@dataclass
class Outcome:
    """What a batch comes to.

    Attributes
    ----------
    rows : without a watermark, what to add to the groups of the table (negative where more was
        taken back than came); with one, the groups of the windows that closed, for good.
    rejected : orders refused, with the reason. accepted : order_ids refused before and now counted,
        or gone.
    late : changes that came for a closed window.
    """

    rows: list[Added] = field(default_factory=list)
    rejected: list[tuple[Row, str]] = field(default_factory=list)
    accepted: list[int] = field(default_factory=list)
    late: int = 0

    def accept(self, order_id: int) -> None:
        self.accepted.append(order_id)
        self.rejected = [each for each in self.rejected if each[0]["order_id"] != order_id]


class ChangeBatches:
    """Adds up changes by event-time window, category and region.

    Parameters
    ----------
    products : category by product_id. window_seconds : length of a window, whole seconds.
    watermark_seconds : None keeps nothing and takes an order however late it is. Else a window is
        held until the newest event time is more than the watermark ahead of its end, then given
        out once: an order is counted as long as that is exactly the watermark, and late a
        microsecond beyond (the rule of `simulate.TumblingCount`).
    saved : the text of `state()` from which to go on. refused : order_ids refused so far.

    Attributes
    ----------
    newest : largest event time counted, microseconds since the epoch; None before the first.
    """

    def __init__(
        self,
        products: Mapping[int, str],
        window_seconds: int,
        watermark_seconds: float | None = None,
        saved: str | None = None,
        refused: Iterable[int] = (),
    ) -> None:
        self._window = window_seconds * 1_000_000
        self._watermark = None if watermark_seconds is None else round(watermark_seconds * 1e6)
        self._products: dict[int, str] = {}
        self._refused = set(refused)
        self._duck = duckdb.connect()
        self._duck.execute("SET threads = 1")  # a batch is small: more threads cost more than help
        self._duck.execute("CREATE TABLE product (product_id BIGINT, category TEXT)")
        self.learn(products)
        kept = json.loads(saved) if saved else {"newest": None, "held": []}
        self.newest: int | None = kept["newest"]
        self._duck.execute(
            "CREATE TABLE held (window_start BIGINT, category TEXT, region TEXT, orders BIGINT, "
            "revenue_cents BIGINT)"
        )
        if kept["held"]:
            self._duck.executemany("INSERT INTO held VALUES (?, ?, ?, ?, ?)", kept["held"])

    def close(self) -> None:
        self._duck.close()

    def lacks(self, changes: Iterable[Change]) -> bool:
        """Whether an order names a product that is not known yet: the catalogue may have it now."""
        ids = {each.row.get("product_id") for each in changes}
        return not ids <= {None, *self._products}

    def learn(self, products: Mapping[int, str]) -> None:
        """Add products; those that are known keep their category."""
        new = {key: value for key, value in products.items() if key not in self._products}
        self._products |= new
        self._duck.execute(
            "INSERT INTO product SELECT unnest($1::BIGINT[]), unnest($2::TEXT[])",
            [list(new), list(new.values())],
        )

    def take(self, changes: Iterable[Change]) -> Outcome:
        """Add up a batch. Raises LabError for what cannot be taken back, see `cdc.signed`, or is an
        order of a product that has left the catalogue.
        """
        outcome = Outcome()
        rows: list[tuple[int, Row]] = []
        for change in changes:
            self._judge(change, rows, outcome)
        self._duck.register("signed", self._as_arrow(rows))
        if self._watermark is None:
            outcome.rows = self._duck.execute(
                f"FROM ({ADDED_UP}) WHERE orders <> 0 OR revenue_cents <> 0"
            ).fetchall()
        else:
            self._duck.execute(f"CREATE OR REPLACE TEMP TABLE added AS {ADDED_UP}")
            self._duck.execute(MERGED)
            outcome.rows = self._given_out(self._newest_closed())
        return outcome

    def flush(self) -> list[Added]:
        """Close every window: the source has ended."""
        return self._given_out(2**62)

    def state(self) -> str:
        """What must survive a crash beside the position, as JSON: newest event time, open windows.

        Its size is bounded by the watermark: entries are (watermark / window + 2) windows times
        the pairs of category and region, at most, unless event times jump.
        """
        held = self._duck.execute("FROM held ORDER BY ALL").fetchall()
        return json.dumps({"newest": self.newest, "held": held}, separators=(",", ":"))

    @property
    def held(self) -> tuple[int, int]:
        """Open windows, and entries in them: pairs of category and region."""
        found = self._duck.execute("SELECT count(DISTINCT window_start), count(*) FROM held")
        windows, entries = found.fetchall()[0]
        return int(windows), int(entries)

    # --- one change -------------------------------------------------------------------------------

    def _judge(self, change: Change, rows: list[tuple[int, Row]], outcome: Outcome) -> None:
        *taken_back, last = signed(change)
        if change.kind == "delete":
            taken_back, last = [last], {}
        for old in taken_back:
            if old["order_id"] in self._refused:  # it was never counted
                self._refused.remove(old["order_id"])
                outcome.accept(old["order_id"])
            elif self._closed(old):
                outcome.late += 1
                outcome.rejected.append((last or old, CORRECTED_TOO_LATE))
                return
            elif old["product_id"] not in self._products:
                raise LabError(
                    f"order {old['order_id']} cannot be taken back: its product "
                    f"{old['product_id']} has left dim.product, and its category with it"
                )
            else:
                rows.append((-1, old))
        if not last:
            return
        reason = self.refusal(last)
        if reason is None and self._closed(last):
            outcome.late += 1
            reason = TOO_LATE
        if reason is None:
            rows.append((1, last))
            at = last["order_timestamp"]
            self.newest = at if self.newest is None else max(at, self.newest)
        else:
            self._refused.add(last["order_id"])
            outcome.rejected.append((last, reason))

    def refusal(self, row: Row) -> str | None:
        """Why an order cannot be counted, None if it can."""
        if not isinstance(row["order_timestamp"], int):
            return f"order_timestamp is no point of time: {row['order_timestamp']}"
        if row["product_id"] is None:
            return "no product_id"
        if row["product_id"] not in self._products:
            return f"unknown product_id: {row['product_id']}"
        if not row["region"]:
            return "no region"
        if row["amount_cents"] is None:
            return "no amount_cents"
        if row["amount_cents"] < 0:
            return f"negative amount_cents: {row['amount_cents']}"
        return None

    def _as_arrow(self, rows: list[tuple[int, Row]]) -> Any:
        """Rows to add (1) and to take back (-1), as DuckDB reads them without a copy."""
        import pyarrow as pa

        columns = {
            "sign": pa.array([sign for sign, _ in rows], pa.int64()),
            "window_start": pa.array(
                [self._start(row["order_timestamp"]) for _, row in rows], pa.int64()
            ),
            "product_id": pa.array([row["product_id"] for _, row in rows], pa.int64()),
            "region": pa.array([row["region"] for _, row in rows], pa.string()),
            "amount_cents": pa.array([row["amount_cents"] for _, row in rows], pa.int64()),
        }
        return pa.table(columns)

    # --- windows ----------------------------------------------------------------------------------

    def _start(self, at: int) -> int:
        return at // self._window * self._window

    def _newest_closed(self) -> float:
        """A window that starts before this has closed: its end is more than the watermark ago."""
        if self._watermark is None or self.newest is None:
            return -math.inf
        return self.newest - self._watermark - self._window

    def _closed(self, row: Row) -> bool:
        return self._start(row["order_timestamp"]) < self._newest_closed()

    def _given_out(self, before: float) -> list[Added]:
        if before == -math.inf:
            return []
        closed = "FROM held WHERE window_start < $1"
        rows: list[Any] = self._duck.execute(closed, [int(before)]).fetchall()
        if rows:
            self._duck.execute(f"DELETE {closed}", [int(before)])
        return rows
