"""A consumer of a topic that works through it at a pace, and commits where it is.

    python order_consumer.py HOST:PORT TOPIC GROUP WAIT_SECONDS MOST_ORDERS

It takes at most so many orders, spends so long on each, as for a database behind it, and commits
the offset after them. It never ends by itself.
"""

import sys
import time

from confluent_kafka import Consumer


def main(address: str, topic: str, group: str, wait_seconds: float, most_orders: int) -> None:
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": group,
            "group.instance.id": group,  # started again it takes its place at once
            "session.timeout.ms": 10_000,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,  # an offset is committed after the work, not by a clock
            "log_level": 0,
        }
    )
    consumer.subscribe([topic], on_assign=lambda *_: print("ready", flush=True))
    while True:
        orders = [each for each in consumer.consume(most_orders, 0.05) if each.error() is None]
        if orders:
            time.sleep(wait_seconds * len(orders))
            consumer.commit(asynchronous=False)


if __name__ == "__main__":
    main(*sys.argv[1:4], float(sys.argv[4]), int(sys.argv[5]))
