# /// script
# requires-python = ">=3.10,<3.13"
# dependencies = ["apache-flink==2.2.*", "setuptools<81"]
# ///
"""Count a stream of orders with Flink SQL: from a Kafka topic into Kafka topics, until stopped.

    python flink_count.py --brokers HOST:PORT --jar CONNECTOR.jar --products PRODUCTS.csv
        --checkpoints FOLDER [--emit event|close] ...

`--emit event` counts each order at once; `--emit close` gives a window's count once the watermark
has passed its end. Started again, it goes on from the newest checkpoint in the folder.
"""

import argparse
import csv
from pathlib import Path

from pyflink.common import Configuration
from pyflink.table import EnvironmentSettings, TableEnvironment

# The topic is read as plain lines: the format 'json' would stop at one it cannot parse, or lose it
# without a word. Such a line has the time 1970, which holds no watermark back. The group's offsets
# are committed after each checkpoint, for others to see; a restart goes by the checkpoint.
TABLES = """
CREATE TABLE line (
    line STRING,
    kafka_partition INT METADATA FROM 'partition' VIRTUAL,
    kafka_offset BIGINT METADATA FROM 'offset' VIRTUAL,
    order_id AS JSON_VALUE(line, '$.order_id'),
    micros AS JSON_VALUE(line, '$.order_timestamp'),
    product_id AS JSON_VALUE(line, '$.product_id'),
    region AS JSON_VALUE(line, '$.region'),
    amount_cents AS JSON_VALUE(line, '$.amount_cents'),
    order_time AS TO_TIMESTAMP_LTZ(
        COALESCE(TRY_CAST(JSON_VALUE(line, '$.order_timestamp') AS BIGINT), 0) / 1000, 3),
    read_at AS PROCTIME(),
    WATERMARK FOR order_time AS order_time - INTERVAL '{late_minutes}' MINUTE
) WITH (
    'connector' = 'kafka', 'topic' = '{orders}', 'properties.bootstrap.servers' = '{brokers}',
    'properties.group.id' = '{facts}',
    'scan.startup.mode' = 'earliest-offset', 'format' = 'raw');

CREATE TABLE product (
    product_id INT, category STRING, name STRING, price_cents INT,
    valid_from AS TO_TIMESTAMP_LTZ(0, 3),
    WATERMARK FOR valid_from AS valid_from,
    PRIMARY KEY (product_id) NOT ENFORCED
) WITH (
    'connector' = 'filesystem', 'path' = '{products}', 'format' = 'csv',
    'csv.ignore-parse-errors' = 'true');

CREATE TABLE facts (
    window_start BIGINT, category STRING, region STRING, orders BIGINT, revenue_cents BIGINT,
    PRIMARY KEY (window_start, category, region) NOT ENFORCED
) WITH (
    'connector' = 'upsert-kafka', 'topic' = '{facts}', 'properties.bootstrap.servers' = '{brokers}',
    'key.format' = 'json', 'value.format' = 'json');

CREATE TABLE reject (
    kafka_partition INT, kafka_offset BIGINT, reason STRING, line STRING,
    PRIMARY KEY (kafka_partition, kafka_offset) NOT ENFORCED
) WITH (
    'connector' = 'upsert-kafka', 'topic' = '{rejects}',
    'properties.bootstrap.servers' = '{brokers}', 'key.format' = 'json', 'value.format' = 'json');

CREATE TEMPORARY VIEW checked AS -- CONCAT is NULL when one of its parts is
SELECT *, CASE
    WHEN COALESCE(region, '') = '' OR NOT COALESCE(REGEXP(
        CONCAT(order_id, ',', micros, ',', product_id, ',', amount_cents),
        '^[0-9]{{1,18}},[0-9]{{1,16}},[0-9]{{1,9}},-?[0-9]{{1,9}}$'), FALSE) THEN 'malformed'
    WHEN NOT ({known}) THEN 'unknown product'
    WHEN amount_cents LIKE '-%' THEN 'negative amount'
    END AS reason
FROM {lines};

CREATE TEMPORARY VIEW once AS -- an order that is delivered twice counts once
SELECT *, {opened} AS opened
FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY read_at) AS copy
    FROM checked WHERE reason IS NULL
) WHERE copy = 1;

CREATE TEMPORARY VIEW accepted AS
SELECT order_time, opened, CAST(product_id AS INT) AS product_id, region,
    CAST(amount_cents AS BIGINT) AS amount_cents
FROM once WHERE NOT {is_late}
"""
REJECT = """
INSERT INTO reject
SELECT kafka_partition, kafka_offset, reason, line FROM checked WHERE reason IS NOT NULL
"""
REJECT_LATE = """
UNION ALL SELECT kafka_partition, kafka_offset, 'late', line FROM once WHERE {is_late}
"""

# A plain join keeps its input for ever, in case the other side has more to say; the catalogue has
# not, so an order need not wait there longer than the catalogue takes to load.
EVENT = """
INSERT INTO facts
SELECT /*+ STATE_TTL('o' = '10 min', 'p' = '0 s') */
    o.opened, p.category, o.region, COUNT(*), SUM(o.amount_cents)
FROM accepted AS o JOIN product AS p ON o.product_id = p.product_id
GROUP BY o.opened, p.category, o.region
"""
# The catalogue as of the order's time: the order waits for the watermark, as its window does.
PRICED = """
CREATE TEMPORARY VIEW priced AS
SELECT o.order_time, o.opened, p.category, o.region, o.amount_cents
FROM accepted AS o JOIN product FOR SYSTEM_TIME AS OF o.order_time AS p
    ON o.product_id = p.product_id
"""
CLOSE = """
INSERT INTO facts
SELECT opened, category, region, COUNT(*), SUM(amount_cents)
FROM TABLE(TUMBLE(TABLE priced, DESCRIPTOR(order_time), INTERVAL '{window_minutes}' MINUTE))
GROUP BY window_start, window_end, opened, category, region
"""
# The start of an order's window, microseconds since 1970.
OPENED = "CAST(micros AS BIGINT) - MOD(CAST(micros AS BIGINT), {window_micros})"
# The newest time in an order's partition until then, the order's own included. It is state, so that
# a restart knows it; the watermark is not, and CURRENT_WATERMARK says nothing before the first one.
NEWEST = """(
    SELECT *, MAX(order_time) OVER (PARTITION BY kafka_partition ORDER BY read_at
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS newest
    FROM line
)"""
# No watermark is ahead of this, so the window still takes every order that is not late by it.
IS_LATE = """(TO_TIMESTAMP_LTZ((opened + {window_micros}) / 1000 - 1, 3)
        <= newest - INTERVAL '{late_minutes}' MINUTE)"""


def known(column: str, numbers: list[int]) -> str:
    """That a column of text is one of these numbers, said by their runs.

    The planner takes minutes over a list of a thousand, and a search of one text that holds them
    all took nearly half of Flink's time.
    """
    found = set(numbers)
    starts = sorted(each for each in found if each - 1 not in found)
    ends = sorted(each for each in found if each + 1 not in found)
    runs = [f"BETWEEN {start} AND {end}" for start, end in zip(starts, ends, strict=True)]
    return " OR ".join(f"TRY_CAST({column} AS INT) {run}" for run in runs) or "FALSE"


def newest(folder: Path) -> Path | None:
    """The newest complete checkpoint: the file _metadata is written last."""
    done = [path.parent for path in folder.glob("*/chk-*/_metadata")]
    return max(done, key=lambda path: int(path.name.removeprefix("chk-")), default=None)


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--brokers", required=True)
    words.add_argument("--jar", required=True, type=Path)
    words.add_argument("--products", required=True, type=Path)
    words.add_argument("--checkpoints", required=True, type=Path)
    words.add_argument("--orders", default="orders")
    words.add_argument("--facts", default="facts")
    words.add_argument("--rejects", default="rejects")
    words.add_argument("--emit", choices=["event", "close"], default="event")
    words.add_argument("--window-minutes", type=int, default=60)
    words.add_argument("--late-minutes", type=int, default=10)
    words.add_argument("--checkpoint-ms", type=int, default=1_000)
    words.add_argument("--flush-ms", type=int, default=5)
    words.add_argument("--mini-batch-ms", type=int, default=0)
    given = words.parse_args()

    settings = {
        "pipeline.jars": given.jar.resolve().as_uri(),
        "rest.bind-address": "127.0.0.1",
        "jobmanager.bind-host": "127.0.0.1",
        "parallelism.default": 1,
        "table.local-time-zone": "UTC",
        "execution.checkpointing.dir": given.checkpoints.resolve().as_uri(),
        "execution.checkpointing.interval": f"{given.checkpoint_ms} ms",
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "execution.buffer-timeout.interval": f"{given.flush_ms} ms",
        "restart-strategy.type": "disable",  # a failure ends the program
    }
    if given.mini_batch_ms:
        settings |= {
            "table.exec.mini-batch.enabled": "true",
            "table.exec.mini-batch.allow-latency": f"{given.mini_batch_ms} ms",
            "table.exec.mini-batch.size": 50_000,
        }
    if checkpoint := newest(given.checkpoints):
        settings["execution.state-recovery.path"] = checkpoint.resolve().as_uri()
    configuration = Configuration()
    for name, value in settings.items():
        configuration.set_string(name, str(value))
    tables = TableEnvironment.create(
        EnvironmentSettings.new_instance().with_configuration(configuration).build()
    )

    close = given.emit == "close"
    names = vars(given) | {"window_micros": given.window_minutes * 60_000_000}
    names["opened"] = OPENED.format(**names)
    names["lines"] = NEWEST if close else "line"
    names["is_late"] = IS_LATE.format(**names) if close else "FALSE"
    with given.products.open(encoding="utf-8", newline="") as file:
        names["known"] = known("product_id", [int(row[0]) for row in csv.reader(file)])
    for statement in TABLES.format(**names).split(";"):
        tables.execute_sql(statement)
    if close:
        tables.execute_sql(PRICED)
    both = tables.create_statement_set()
    both.add_insert_sql((CLOSE if close else EVENT).format(**names))
    both.add_insert_sql(REJECT + (REJECT_LATE.format(**names) if close else ""))
    print("from", checkpoint or "the beginning", flush=True)
    both.execute().wait()


if __name__ == "__main__":
    main()
