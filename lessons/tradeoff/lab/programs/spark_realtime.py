"""What Spark's Real-time Mode runs and what it refuses, tried one query after the other.

uv run --script on_spark.py spark_realtime JOB.json FOLDER

A query that runs says so by a file NAME.running, once it has been through a first batch, and goes
on until there is a NAME.finish. results.jsonl gets a line a query: whether it ran, and what Spark
said.
"""

import json
import time
from pathlib import Path

from pyspark.errors import PySparkException
from pyspark.sql import functions as f
from spark_common import session

ORDER = "order_id long, order_timestamp long, region string, amount_cents int, committed double"


def main(job_path, folder):
    job, folder = json.loads(Path(job_path).read_text("utf-8")), Path(folder)
    with session(job) as spark, (folder / "results.jsonl").open("w", encoding="utf-8") as told:
        for query in job["queries"]:
            result = {"name": query["name"], "engine": f"Spark {spark.version}"}
            try:
                result |= {"ran": True, "said": attempt(spark, job, folder, **query)}
            except PySparkException as error:
                result |= {"ran": False, "said": str(error).split("\n")[0]}
            told.write(json.dumps(result) + "\n")
            told.flush()


def attempt(spark, job, folder, name, orders_from, to, work, mode, trigger, output):
    """Run a query until it is told to finish. Raises what Spark says against it."""
    orders = read(spark, job, folder, orders_from)
    writer = WORK[work](orders).writeStream.outputMode(mode).trigger(**trigger)
    writer = writer.option("checkpointLocation", str(folder / f"{name}.checkpoint"))
    if output == "foreachBatch":
        writer = writer.foreachBatch(lambda batch, number: None)
    else:
        writer = writer.format("kafka").option("kafka.bootstrap.servers", job["address"])
        writer = writer.option("topic", to)
    query = writer.start()
    try:
        while query.isActive and not (folder / f"{name}.finish").exists():
            if query.lastProgress is not None:
                (folder / f"{name}.running").touch()
            time.sleep(0.1)
        if query.exception():
            raise query.exception()
        return ""
    finally:
        query.stop()


def read(spark, job, folder, orders_from):
    if orders_from is None:
        lines = spark.readStream.format("text").load(str(folder))
    else:
        reader = spark.readStream.format("kafka").option("subscribe", orders_from)
        lines = reader.option("kafka.bootstrap.servers", job["address"]).load()
    order = f.from_json(f.col("value").cast("string"), ORDER).alias("order")
    at = f.timestamp_micros("order.order_timestamp").alias("at")
    return lines.select(order).select("order.*", at)


def message(orders):
    return orders.select(f.to_json(f.struct("*")).alias("value"))


def five_minutes(orders):
    groups = orders.withWatermark("at", "10 minutes").groupBy(f.window("at", "5 minutes"), "region")
    return message(groups.agg(f.count("*").alias("orders"), f.max("committed").alias("committed")))


WORK = {
    "none": message,
    "window": five_minutes,
    "join": lambda orders: message(
        orders.join(orders.select("order_id", f.lit(1).alias("again")), "order_id")
    ),
}
