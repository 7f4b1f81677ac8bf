"""Change data capture: what is committed to a table of PostgreSQL, as a stream of its changes.

    with cdc.changes(source) as stream:
        for change in stream:
            ...                            # change.kind, change.row, change.committed_seconds
            stream.confirm(change.lsn)     # once the consumer has it for good

PostgreSQL's own logical replication: a publication says what is sent, a replication slot remembers
how far a consumer has confirmed and keeps the write-ahead log (WAL) from there on. What was not
confirmed is sent again, so a change comes at least once; a consumer that stores the position
together with its result, and skips what it has had, counts it exactly once.
"""

from tradeoff.lab.systems.cdc.landing import Landing, land, write
from tradeoff.lab.systems.cdc.slots import (
    TABLE,
    Held,
    SlotInUse,
    Source,
    SourceGone,
    drop,
    held,
    position,
    prepare,
    snapshot,
    text,
)
from tradeoff.lab.systems.cdc.stream import SLOT, Change, Stream, changes, signed

__all__ = [
    "SLOT",
    "TABLE",
    "Change",
    "Held",
    "Landing",
    "SlotInUse",
    "Source",
    "SourceGone",
    "Stream",
    "changes",
    "drop",
    "held",
    "land",
    "position",
    "prepare",
    "signed",
    "snapshot",
    "text",
    "write",
]
