# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "pyspark[connect]==4.3.0",
#     "pandas>=2.2,<3",
#     "psycopg2-binary>=2.9.11,<3",
# ]
# ///
"""A Spark Connect server on this machine's loopback, until it is ended.

uv run --script spark_connect.py JOB.json -
"""

import json
import sys
import threading
from pathlib import Path

from spark_common import session


def main(job_path, _):
    job = json.loads(Path(job_path).read_text("utf-8"))
    job["settings"] = {
        "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": job["port"],
    }
    with session(job):
        threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
