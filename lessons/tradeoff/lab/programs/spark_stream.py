"""Structured Streaming: orders as they come, counted into mart.fact_orders exactly once.

uv run --script on_spark.py spark_stream JOB.json FOLDER

The queries of a job run one after the other in one session. Each has a folder, FOLDER/0 and so on,
which gets ready (a file, once the query runs), seen.jsonl (what a batch changed, and when a reader
could see it), progress.jsonl (Spark's account of each batch) and, where a batch has stopped for a
kill, paused. A file `finish` laid there ends the query once all that has come is counted.
"""

import json
import tempfile
import threading
import time
from functools import partial
from pathlib import Path

import pyarrow as pa
from psycopg2.extras import execute_values
from pyspark.sql import functions as f
from spark_batch import REASON
from spark_common import session, transaction

ORDER = (
    "order_id long, order_timestamp long, product_id int, region string, amount_cents int,"
    " committed double, lsn long, number int, sign int"
)
MALFORMED = (
    f"CASE WHEN order_id IS NULL OR order_timestamp IS NULL THEN 'malformed' ELSE {REASON} END"
)
# A line that is no order to count, with why; NULL for one that is.
REFUSED = """CASE WHEN reason IS NOT NULL THEN struct(
    reason, line, order_id, product_id, region, amount_cents, lsn, number, sign,
    date_format(timestamp_micros(order_timestamp), 'yyyy-MM-dd HH:mm:ss.SSSSSS') AS order_timestamp
) END"""
PLACE = ("lsn", "number")  # of a change, in the log of the source
FACTS = ["window_start", "category", "region", "orders", "revenue_cents"]
# The batch in which a path was last counted, by which query: changed together with the result. A
# batch that runs again, because the query died after this commit and before its own, finds itself.
DONE = """
CREATE TABLE IF NOT EXISTS mart.spark_batch (path text PRIMARY KEY, query text, batch bigint)
"""
CLAIM = """
INSERT INTO mart.spark_batch AS last VALUES (%s, %s, %s)
ON CONFLICT (path) DO UPDATE SET batch = excluded.batch
    WHERE last.query = excluded.query AND last.batch < excluded.batch
"""
# A batch adds what is new; with a watermark the state holds the sums, and a batch replaces them.
MERGE = """
INSERT INTO mart.fact_orders AS fact (path, window_start, category, region, orders, revenue_cents)
VALUES %s
ON CONFLICT (path, window_start, category, region) DO UPDATE SET
    orders = {before_orders} excluded.orders,
    revenue_cents = {before_revenue} excluded.revenue_cents
RETURNING window_start::text, category, region, fact.orders
"""
ADD = MERGE.format(before_orders="fact.orders +", before_revenue="fact.revenue_cents +")
REPLACE = MERGE.format(before_orders="", before_revenue="")


class Sink:
    """What a batch does with its orders: one transaction, result and batch number together."""

    def __init__(self, job, folder):
        self.job, self.folder, self.query = job, folder, ""
        self.started = threading.Event()  # the query has its name once it runs, before any batch
        self.seen = (folder / "seen.jsonl").open("a", encoding="utf-8")
        self.merge = REPLACE if job["watermark"] else ADD

    def __call__(self, batch, number):
        self.started.wait()
        asked = time.time()
        watermark, window = self.job["watermark"], self.job["window"]
        facts = batch if watermark else counted(batch, window, "refused")
        found = facts.toArrow().to_pylist()
        refused = [row for row in found if row.get("refused")]
        rows = [tuple(row[name] for name in FACTS) for row in found if not row.get("refused")]
        self.pause("before the write", number)
        writing = time.time()
        with transaction(self.job) as cursor:
            repeated, changed = not self.claim(cursor, number), []
            if not repeated and rows:
                path = self.job["path"]
                changed = execute_values(
                    cursor, self.merge, [(path, *row) for row in rows], page_size=10_000, fetch=True
                )
                if any(orders == 0 for *_, orders in changed):
                    cursor.execute(
                        "DELETE FROM mart.fact_orders WHERE path = %s AND orders = 0", (path,)
                    )
            if not repeated:
                self.refuse(cursor, refused)
            self.pause("between write and commit", number)
        at = time.time()
        self.pause("after the commit", number)
        seconds = {"transform_seconds": writing - asked, "write_seconds": at - writing}
        told = {"batch": number, "at": at, "repeated": repeated, "changed": changed, **seconds}
        self.seen.write(json.dumps(told) + "\n")
        self.seen.flush()

    def claim(self, cursor, number):
        """Whether this batch is not yet in the result. Raises for another query's result."""
        cursor.execute(CLAIM, (self.job["path"], self.query, number))
        if cursor.rowcount:
            return True
        cursor.execute("SELECT query FROM mart.spark_batch WHERE path = %s", (self.job["path"],))
        if cursor.fetchone() != (self.query,):
            raise RuntimeError(
                f"the result {self.job['path']!r} was counted with another checkpoint: go on with "
                "that one, or count into another path; what a new one reads again counts twice"
            )
        return False

    def refuse(self, cursor, rows):
        """Keep what cannot be counted, with its reason; an order that is taken back goes again."""
        for row in sorted(rows, key=lambda row: [row["refused"][key] or 0 for key in PLACE]):
            order, path = row["refused"], self.job["path"]
            if order["sign"] == -1:
                cursor.execute(
                    "DELETE FROM raw.rejected WHERE path = %s AND order_id = %s",
                    (path, order["order_id"]),
                )
                continue
            reason = order["reason"]
            if reason == "malformed":
                reason += f": {order['line'] or 'no value'}".replace("\0", "")[:200]
            window = row["window_start"] if order["order_timestamp"] else None
            columns = ("order_id", "order_timestamp", "product_id", "region", "amount_cents")
            cursor.execute(
                "INSERT INTO raw.rejected VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                (path, window, *(order[name] for name in columns), reason),
            )

    def pause(self, phase, number):
        """Stop here until somebody kills this process, if it was asked for."""
        asked = self.job.get("pause")
        if asked and asked["phase"] == phase and number >= asked["batch"]:
            beside = self.folder / "paused.new"
            beside.write_text(json.dumps({"phase": phase, "batch": number}), "utf-8")
            beside.replace(self.folder / "paused")
            time.sleep(600)


def main(job_path, folder):
    job, folder = json.loads(Path(job_path).read_text("utf-8")), Path(folder)
    began = time.perf_counter()
    with session(job) as spark:
        with transaction(job) as cursor:
            cursor.execute(DONE)
            cursor.execute("SELECT product_id, category FROM dim.product")
            names = pa.schema([("product_id", pa.int32()), ("category", pa.string())])
            rows = [dict(zip(names.names, row, strict=True)) for row in cursor.fetchall()]
        # By Arrow: rows of Python would need a Python process in every batch.
        products = f.broadcast(spark.createDataFrame(pa.Table.from_pylist(rows, names)))
        for number, query in enumerate(job["queries"]):
            own = folder / str(number)
            own.mkdir(exist_ok=True)
            run(spark, products, job | query, own, began)


def run(spark, products, job, folder, began):
    """One query, from its checkpoint on, until it is to finish."""
    if job.get("rehearse"):
        rehearse(spark, products, job)
    sink = Sink(job, folder)
    writer = written(spark, products, job).foreachBatch(sink)
    if job["trigger"]:
        writer = writer.trigger(**job["trigger"])
    query = writer.start()
    sink.query = query.id
    sink.started.set()
    engine = {"engine": f"Spark {spark.version}", "start": time.perf_counter() - began}
    (folder / "ready").write_text(json.dumps(engine), "utf-8")
    try:
        wait(query, folder)
    finally:
        with (folder / "progress.jsonl").open("w", encoding="utf-8") as told:
            told.writelines(each.json.replace("\n", "") + "\n" for each in query.recentProgress)
    query.stop()


def written(spark, products, job):
    """The query: orders with their category, and with a watermark the counts of open windows."""
    orders = incoming(spark, job["feed"]).join(products, "product_id", "left")
    orders = orders.withColumn("reason", f.expr(MALFORMED)).withColumn("refused", f.expr(REFUSED))
    orders = orders.observe("orders", f.count("refused").alias("refused"))
    if job.get("once_each"):  # the state remembers every order_id there ever was
        orders = orders.dropDuplicates(["order_id", "refused"])
    if job["watermark"]:
        orders = orders.where("refused IS NULL")
        orders = counted(orders.withWatermark("at", job["watermark"]), job["window"])
    writer = orders.writeStream.outputMode("update" if job["watermark"] else "append")
    return writer.option("checkpointLocation", job["checkpoint"])


def rehearse(spark, products, job):
    """The same query over one made-up order, counted into nothing.

    What Java loads and compiles in a first batch takes many times as long as a batch.
    """
    with tempfile.TemporaryDirectory() as folder:
        order = {"order_id": 1, "order_timestamp": 0, "product_id": 1, "region": "", "sign": 1}
        Path(folder, "order.jsonl").write_text(json.dumps(order | {"amount_cents": 1}), "utf-8")
        with tempfile.TemporaryDirectory() as checkpoint:
            own = job | {"feed": {"folder": folder}, "checkpoint": checkpoint}
            count = (lambda batch: batch) if job["watermark"] else partial(counted, window="1 hour")
            writer = written(spark, products, own).trigger(availableNow=True)
            writer.foreachBatch(lambda batch, _: count(batch).toArrow()).start().awaitTermination()


def wait(query, folder):
    """Until `finish` is there and all that had come by then is counted. Raises as the query does.

    A query with the trigger availableNow ends by itself.
    """
    while query.isActive and not (folder / "finish").exists():
        query.awaitTermination(0.05)
    if query.isActive:
        query.processAllAvailable()
    elif query.exception():
        raise query.exception()


def incoming(spark, feed):
    """Orders as a stream: from a topic of Kafka, or from a folder where files of changes land."""
    if "topic" in feed:
        reader = spark.readStream.format("kafka").option("subscribe", feed["topic"])
        reader = reader.option("kafka.bootstrap.servers", feed["address"])
        reader = reader.option("startingOffsets", "earliest")
        limit = "maxOffsetsPerTrigger"
    else:
        reader, limit = spark.readStream.format("text"), "maxFilesPerTrigger"
    if feed.get("limit"):
        reader = reader.option(limit, feed["limit"])
    lines = reader.load(feed.get("folder"))
    # A line that says no time has the time 1970: a window leaves out what has none.
    micros = f.coalesce("order.order_timestamp", f.lit(0))
    lines = lines.select(f.make_valid_utf8(f.col("value").cast("string")).alias("line"))
    return lines.select("line", f.from_json("line", ORDER).alias("order")).select(
        "line", "order.*", f.timestamp_micros(micros).alias("at")
    )


def counted(orders, window, *more):
    """Orders and revenue by event-time window, category, region and `more` columns.

    A row taken back counts -1.
    """
    sign = f.coalesce("sign", f.lit(1))
    return (
        orders.groupBy(f.window("at", window), "category", "region", *more)
        .agg(
            f.sum(sign).alias("orders"),
            f.sum(sign * f.col("amount_cents")).alias("revenue_cents"),
        )
        .select(
            f.date_format("window.start", "yyyy-MM-dd HH:mm:ss").alias("window_start"),
            "category",
            "region",
            "orders",
            "revenue_cents",
            *more,
        )  # fmt: skip
    )
