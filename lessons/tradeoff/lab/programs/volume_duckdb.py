"""A day of orders counted by DuckDB: once for the night, or an hour at a time.

python volume_duckdb.py ORDERS.parquet PRODUCTS.csv RESULTS nightly|hourly MEMORY_MB THREADS
"""

import sys
import tempfile

import duckdb
from volume import hours_of, measured

COUNT = """
COPY (
    SELECT date_trunc('hour', o.order_timestamp) AS window_start, p.category, o.region,
           count(*) AS orders, CAST(sum(o.amount_cents) AS BIGINT) AS revenue_cents
    FROM read_parquet('{orders}') AS o JOIN products AS p USING (product_id)
    WHERE o.order_timestamp >= TIMESTAMP '{start}' AND o.order_timestamp < TIMESTAMP '{end}'
    GROUP BY ALL
) TO '{result}' (FORMAT parquet)
"""


def main(orders, products, results, how, memory_mb, threads):
    with tempfile.TemporaryDirectory() as spill, duckdb.connect() as engine:
        engine.execute(f"SET memory_limit = '{memory_mb}MB'; SET threads = {threads}")
        engine.execute(f"SET temp_directory = '{spill}'; SET preserve_insertion_order = false")
        engine.execute("CREATE TABLE products AS FROM read_csv(?)", [products])
        with measured(f"DuckDB {duckdb.__version__}"):
            for number, (start, end) in enumerate(hours_of(orders, how)):
                result = f"{results}/part-{number:02}.parquet"
                engine.execute(COUNT.format(orders=orders, start=start, end=end, result=result))


if __name__ == "__main__":
    main(*sys.argv[1:])
