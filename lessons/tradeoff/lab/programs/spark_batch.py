"""The orders of PostgreSQL counted by Spark, one run after the other in one session.

uv run --script on_spark.py spark_batch JOB.json RUNS.jsonl

A run overwrites its windows of a path's partition in mart.fact_orders: those of [start, end). It
may be repeated, and it is seen whole or not at all. RUNS gets a line a run.
"""

import json
import time
from pathlib import Path

from pyspark.sql import Observation
from pyspark.sql import functions as f
from spark_common import session, transaction

# Why an order is not counted; the same rule in every engine of the lab.
REASON = """CASE
    WHEN product_id IS NULL THEN 'no product'
    WHEN category IS NULL THEN 'unknown product'
    WHEN region IS NULL THEN 'no region'
    WHEN amount_cents IS NULL THEN 'no amount'
    WHEN amount_cents < 0 THEN 'negative amount'
END"""

FACTS = ["window_start", "category", "region", "orders", "revenue_cents"]
ORDER = ["order_id", "order_timestamp", "product_id", "region", "amount_cents"]
REJECTED = ["window_start", *ORDER, "reason"]


def main(job_path, runs_path):
    job = json.loads(Path(job_path).read_text("utf-8"))
    began = time.perf_counter()
    with session(job) as spark, Path(runs_path).open("w", encoding="utf-8") as told:
        spark.sql("SELECT 1").collect()  # a session that has run nothing has not yet started
        start_seconds = time.perf_counter() - began
        for run in job["runs"]:
            done = count(spark, job | job["sources"][run.pop("source")], **run)
            told.write(json.dumps(run | done | {"engine": f"Spark {spark.version}"}) + "\n")
        told.write(json.dumps({"start": start_seconds}) + "\n")


def count(spark, job, path, start, end, window, filtered):
    """One run over the orders of [start, end); returns its rows and its seconds by stage."""
    clock = [time.perf_counter()]
    read, refused = Observation(), Observation()
    orders = in_window(table(spark, job, "raw.orders", job["parts"]), start, end, filtered)
    orders = orders.observe(read, f.count("*").alias("rows"))
    if job["tell_apart"]:
        orders = orders.persist()
        orders.count()
    clock.append(time.perf_counter())

    products = f.broadcast(table(spark, job, "dim.product").select("product_id", "category"))
    judged = (
        orders.join(products, "product_id", "left")
        .withColumn("reason", f.expr(REASON))
        .withColumn("window_start", f.window("order_timestamp", window).start)
        .observe(refused, f.count("reason").alias("rows"))
    )
    facts = (
        judged.where("reason IS NULL")
        .groupBy("window_start", "category", "region")
        .agg(f.count("*").alias("orders"), f.sum("amount_cents").alias("revenue_cents"))
    )
    if job["tell_apart"]:
        facts = facts.persist()
        facts.count()
    clock.append(time.perf_counter())

    staged = {"mart.fact_orders": facts.select(*FACTS)}
    stage(job, facts.select(*FACTS), staged_name(path, start, "mart.fact_orders"))
    if refused.get["rows"]:
        staged["raw.rejected"] = judged.where("reason IS NOT NULL").select(*REJECTED)
        stage(job, staged["raw.rejected"], staged_name(path, start, "raw.rejected"))
    with transaction(job) as cursor:
        cursor.execute("SELECT pg_postmaster_start_time()::text")
        if cursor.fetchone() != (job["started"],):
            raise RuntimeError(
                f"the source was restarted, and with it the claim on {path} {start} is lost: "
                "another run may have counted it. Nothing was written: run it again"
            )
        for target in ("mart.fact_orders", "raw.rejected"):
            cursor.execute(
                f"DELETE FROM {target}"
                " WHERE path = %s AND window_start >= %s AND window_start < %s",
                (path, start, end),
            )
        for target, rows in staged.items():
            columns, name = ", ".join(rows.columns), staged_name(path, start, target)
            cursor.execute(
                f"INSERT INTO {target} (path, {columns}) SELECT %s, {columns} FROM {name}", (path,)
            )
            cursor.execute(f"DROP TABLE {name}")
    clock.append(time.perf_counter())
    if job["tell_apart"]:
        orders.unpersist()
        facts.unpersist()
    return {
        "rows_read": read.get["rows"],
        "rejected": refused.get["rows"],
        "clock": [later - earlier for earlier, later in zip(clock, clock[1:], strict=False)],
    }


def in_window(orders, start, end, filtered):
    """The orders of a run: by a range, or as the old query asks, by the date of the time stamp."""
    at = f.col("order_timestamp")
    if filtered == "date":
        return orders.where(f.to_date(at) == f.lit(start[:10]).cast("date"))
    moment = [f.lit(value).cast("timestamp_ntz") for value in (start, end)]
    return orders.where((at >= moment[0]) & (at < moment[1]))


def table(spark, job, name, parts=1):
    """A table of PostgreSQL; in `parts` pieces by order_id, which are read at the same time."""
    reader = jdbc(job, spark.read).option("dbtable", name).option("preferTimestampNTZ", "true")
    if parts > 1:
        with transaction(job) as cursor:
            cursor.execute(f"SELECT min(order_id), max(order_id) FROM {name}")
            least, most = cursor.fetchone()
        if least is not None:
            pieces = {"partitionColumn": "order_id", "lowerBound": least, "upperBound": most + 1}
            reader = reader.options(**pieces, numPartitions=parts)
    return reader.load()


def stage(job, facts, name):
    """The result in a table of its own, which nobody reads; on a cluster every task writes."""
    jdbc(job, facts.write).option("dbtable", name).mode("overwrite").save()


def staged_name(path, start, target):
    return f'mart."staged {path} {start} {target}"'


def jdbc(job, access):
    return access.format("jdbc").options(driver="org.postgresql.Driver", **job["jdbc"])
