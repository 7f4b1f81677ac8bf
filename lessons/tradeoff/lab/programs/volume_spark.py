"""A day of orders counted by Spark on this machine: once for the night, or an hour at a time.

uv run --script on_spark.py volume_spark
    ORDERS.parquet PRODUCTS.csv RESULTS nightly|hourly MB THREADS
"""

import tempfile

from pyspark.sql import SparkSession
from pyspark.sql import functions as f
from volume import hours_of, measured


def main(orders, products, results, how, memory_mb, threads):
    with tempfile.TemporaryDirectory() as folder:
        spark = (
            SparkSession.builder.master(f"local[{threads}]")
            .config("spark.driver.memory", f"{memory_mb}m")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.ui.enabled", "false")
            .config("spark.local.dir", folder)
            .config("spark.sql.shuffle.partitions", threads)
            .config("spark.sql.session.timeZone", "UTC")
            .getOrCreate()
        )
        java = spark.sparkContext._gateway.proc.pid
        catalogue = f.broadcast(spark.read.csv(products, header=True, inferSchema=True))
        at = f.col("order_timestamp")
        with measured(f"Spark {spark.version}", java):
            for number, (start, end) in enumerate(hours_of(orders, how)):
                (
                    spark.read.parquet(orders)
                    .where(at >= f.lit(str(start)).cast("timestamp_ntz"))
                    .where(at < f.lit(str(end)).cast("timestamp_ntz"))
                    .join(catalogue, "product_id")
                    .groupBy(f.date_trunc("hour", at).alias("window_start"), "category", "region")
                    .agg(
                        f.count("*").alias("orders"),
                        f.sum("amount_cents").alias("revenue_cents"),
                    )
                    .coalesce(1)
                    .write.parquet(f"{results}/part-{number:02}.parquet")
                )
        spark.stop()
