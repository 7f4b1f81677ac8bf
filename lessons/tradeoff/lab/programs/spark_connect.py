"""A Spark Connect server on this machine's loopback, until it is ended.

uv run --script on_spark.py spark_connect JOB.json -
"""

import json
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
