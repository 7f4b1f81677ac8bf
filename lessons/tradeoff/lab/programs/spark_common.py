"""What the lab's Spark programs share: a session, and a transaction in PostgreSQL."""

import os
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path

# A Spark that is installed here, or that the shell points at, is not the one this program brought.
for name in ("SPARK_HOME", "SPARK_REMOTE", "PYSPARK_SUBMIT_ARGS"):
    os.environ.pop(name, None)
os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"

import psycopg2  # noqa: E402
from pyspark.sql import SparkSession  # noqa: E402

# Everything listens on this machine's loopback; a small heap, and UTC whatever the machine's zone.
# One compiler tier halves the processor time of a start, and the lab's sessions live for seconds.
JAVA = '-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Duser.timezone=UTC "-Djava.io.tmpdir={folder}"'
LOCAL = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "1g",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",  # as many as cores: 200, the default, are for a cluster
    "spark.sql.streaming.numRecentProgressUpdates": "100000",
}


@contextmanager
def session(job):
    """A session on this machine (`job["cores"]`, `job["jars"]`), or on `job["remote"]`."""
    with tempfile.TemporaryDirectory(prefix="tradeoff-", ignore_cleanup_errors=True) as folder:
        if job.get("remote"):
            builder = SparkSession.builder.remote(job["remote"])
        else:
            builder = SparkSession.builder.master(f"local[{job['cores']}]").config(
                map=LOCAL
                | {
                    "spark.driver.extraJavaOptions": JAVA.format(folder=Path(folder).as_posix()),
                    "spark.jars": ",".join(job["jars"]),
                    "spark.local.dir": folder,
                    "spark.sql.warehouse.dir": f"{folder}/warehouse",
                }
                | job.get("settings", {})
            )
        spark = builder.getOrCreate()
        try:
            if not job.get("remote"):
                spark.sparkContext.setLogLevel("ERROR")
            yield spark
        finally:
            spark.stop()


@contextmanager
def transaction(job):
    """A cursor whose statements all count once the block ends well, or none of them does."""
    with closing(psycopg2.connect(job["database"])) as connection:
        with connection.cursor() as cursor:
            yield cursor
        connection.commit()
