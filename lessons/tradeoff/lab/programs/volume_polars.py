# /// script
# requires-python = ">=3.11"
# dependencies = ["polars==2.1.0"]
# ///
"""A day of orders counted by Polars' streaming engine: for the night, or an hour at a time.

    uv run --script volume_polars.py ORDERS.parquet PRODUCTS.csv RESULTS nightly|hourly MB THREADS

Polars has no limit of memory to set; its streaming engine keeps to batches of rows.
"""

import os
import sys

from volume import hours_of, measured


def main(orders, products, results, how, memory_mb, threads):
    os.environ["POLARS_MAX_THREADS"] = threads  # read when it is imported
    import polars as pl

    catalogue = pl.scan_csv(products).select(pl.col("product_id").cast(pl.Int32), "category")
    with measured(f"Polars {pl.__version__}"):
        for number, (start, end) in enumerate(hours_of(orders, how)):
            (
                pl.scan_parquet(orders)
                .filter(pl.col("order_timestamp").is_between(start, end, closed="left"))
                .join(catalogue, on="product_id")
                .group_by(
                    pl.col("order_timestamp").dt.truncate("1h").alias("window_start"),
                    "category",
                    pl.col("region").cast(pl.String),
                )
                .agg(
                    pl.len().cast(pl.Int64).alias("orders"),
                    pl.col("amount_cents").cast(pl.Int64).sum().alias("revenue_cents"),
                )
                .sink_parquet(f"{results}/part-{number:02}.parquet", engine="streaming")
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
