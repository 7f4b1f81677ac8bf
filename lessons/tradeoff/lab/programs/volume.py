"""What the programs of the volume comparison share: the runs of a day, and how one is measured."""

import datetime
import json
import sys
import time
from contextlib import contextmanager


def hours_of(orders, how):
    """Half-open runs of the day that a file is named after: the day, or its 24 hours."""
    day = datetime.datetime.fromisoformat(orders.rsplit("orders-", 1)[1][:10])
    step = datetime.timedelta(days=1) if how == "nightly" else datetime.timedelta(hours=1)
    count = 1 if how == "nightly" else 24
    return [(day + number * step, day + (number + 1) * step) for number in range(count)]


@contextmanager
def measured(engine, *others):
    """Print the block's wall seconds, and the peak memory of this process and of `others`."""
    began = time.perf_counter()
    yield
    seconds = time.perf_counter() - began
    peak = sum(peak_bytes(pid) for pid in ("self", *others))
    print(json.dumps({"engine": engine, "seconds": seconds, "peak_bytes": peak}))


def peak_bytes(pid):
    """The most resident memory a process ever had."""
    if sys.platform == "linux":
        with open(f"/proc/{pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    import resource  # macOS counts bytes

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
