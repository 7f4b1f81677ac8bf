# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "pyspark[connect]==4.3.0",
#     "pandas>=2.2,<3",
#     "psycopg2-binary>=2.9.11,<3",
# ]
# ///
"""Runs a program that counts on Spark, all of them in the one environment this header asks for.

    uv run --script on_spark.py spark_batch JOB.json RUNS.jsonl

PySpark unpacks to 1.4 GB and takes half a minute to build: one environment, not one a program.
"""

import sys
from importlib import import_module

if __name__ == "__main__":
    program, *words = sys.argv[1:]
    import_module(program).main(*words)
