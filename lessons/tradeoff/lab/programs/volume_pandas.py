"""A day of orders counted by pandas: once for the night, or an hour at a time.

    python volume_pandas.py ORDERS.parquet PRODUCTS.csv RESULTS nightly|hourly MEMORY_MB THREADS

pandas has no limit of memory to set: it takes what the day needs.
"""

import sys

import pandas as pd
from volume import hours_of, measured

COLUMNS = ["order_timestamp", "product_id", "region", "amount_cents"]


def main(orders, products, results, how, memory_mb, threads):
    category = pd.read_csv(products).set_index("product_id")["category"].astype("category")
    with measured(f"pandas {pd.__version__}"):
        for number, (start, end) in enumerate(hours_of(orders, how)):
            within = [("order_timestamp", ">=", start), ("order_timestamp", "<", end)]
            day = pd.read_parquet(orders, columns=COLUMNS, filters=within)
            keys = [
                day["order_timestamp"].dt.floor("h").rename("window_start"),
                day["product_id"].map(category).astype("category").rename("category"),
                day["region"].astype("category"),
            ]
            counted = day["amount_cents"].groupby(keys, observed=True).agg(["size", "sum"])
            counted.columns = ["orders", "revenue_cents"]
            counted.reset_index().to_parquet(f"{results}/part-{number:02}.parquet", index=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
