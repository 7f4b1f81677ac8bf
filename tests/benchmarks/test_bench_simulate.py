"""The simulation beside SimPy and Ciw: the same arrivals, the same cadence, the same latencies.

    pytest tests/benchmarks/test_bench_simulate.py --benchmark-enable -n 0

Events a second of processor time (each uses one thread) and their ratios stand in `extra_info`. The
libraries take turns within a round, so that a busy machine slows all alike. Run by default without
timing, on fewer events, the tests check that each event's latency is the same in all of them.
"""

from time import process_time

import ciw
import numpy as np
import simpy
from tradeoff import Cadence, Design, Engine, Workload
from tradeoff.simulate import Arrivals, simulate

ROUNDS = 3


def minute_batches(events_per_day):
    """Until one o'clock a batch takes half its minute; then the load is 0.9 and batches overrun."""
    engine = Engine(
        "warm",
        ("micro-batch",),
        "always on",
        events_per_second_per_slot=events_per_day / 43_500,
        slots_per_node=1,
        overhead_seconds=20,
    )
    curve = np.repeat([0.35, 1.8], [13, 11])
    work = Workload("orders", events_per_day, curve=curve)
    return Design(work, engine, "micro-batch", Cadence.every("1 min"))


def two_servers():
    engine = Engine(
        "pair", ("streaming",), "always on", events_per_second_per_slot=100, slots_per_node=2
    )
    return Design(Workload("calls", 0.8 * 200 * 86_400), engine, "streaming", Cadence.per_event())


def drawn(design, end_seconds=86_400.0):
    return np.concatenate(list(Arrivals(design.workload, 0.0, end_seconds, seed=1).chunks()))


def simpy_batches(arrivals, interval, fixed, each, line):
    """A source that puts events into a line, and a loop that takes all that stands in it.

    The line is a simpy.Store, as SimPy's own examples have it, or a plain list, which is faster.
    """
    env = simpy.Environment()
    store = simpy.Store(env) if line == "store" else None
    waiting = store.items if store else []
    latencies = []

    def source():
        for arrival in arrivals:
            yield env.timeout(arrival - env.now)
            if store:
                yield store.put(env.now)
            else:
                waiting.append(env.now)

    def loop():
        turn = 0
        while len(latencies) < len(arrivals):
            yield env.timeout(max(0.0, turn * interval - env.now))
            turn = max(turn, int(env.now // interval)) + 1
            batch = waiting.copy()
            waiting.clear()
            yield env.timeout(fixed + len(batch) * each)
            latencies.extend(env.now - arrival for arrival in batch)

    env.process(source())
    env.run(env.process(loop()))
    return np.array(latencies)


def simpy_queue(arrivals, servers, service):
    env = simpy.Environment()
    desk = simpy.Resource(env, servers)
    latencies = []

    def event():
        arrived = env.now
        with desk.request() as turn:
            yield turn
            yield env.timeout(service)
        latencies.append(env.now - arrived)

    def source():
        for arrival in arrivals:
            yield env.timeout(arrival - env.now)
            env.process(event())

    env.process(source())
    env.run()
    return np.array(latencies)


def ciw_queue(arrivals, servers, service):
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Sequential([*np.diff(arrivals, prepend=0.0), np.inf])],
        service_distributions=[ciw.dists.Deterministic(service)],
        number_of_servers=[servers],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(float(arrivals[-1]) + 86_400)
    records = sorted(simulation.get_all_records(), key=lambda record: record.arrival_date)
    return np.array([record.exit_date - record.arrival_date for record in records])


def side_by_side(benchmark, arrivals, **ways):
    """Latencies by each way's name; the ways run in turn and `simulate` is one of them."""
    found, seconds = {}, {name: [] for name in ways}

    def round_of_all():
        for name, way in ways.items():
            began = process_time()
            found[name] = way(arrivals)
            seconds[name].append(process_time() - began)

    benchmark.pedantic(round_of_all, rounds=ROUNDS)
    fastest = {name: min(times) for name, times in seconds.items()}  # the least disturbed
    benchmark.extra_info["events"] = len(arrivals)
    for name, took in fastest.items():
        benchmark.extra_info[f"{name}_events_per_second"] = round(len(arrivals) / took)
        benchmark.extra_info[f"{name}_times_slower"] = round(took / fastest["simulate"], 1)
    return found


def test_a_day_of_batches_that_overrun_beside_simpy(benchmark):
    design = minute_batches(2_000_000 if benchmark.enabled else 100_000)
    arrivals = drawn(design)
    result = simulate(design, arrivals=arrivals)
    late = result.batches.start_seconds > result.batches.trigger_seconds
    assert 0.1 < late.mean() < 0.9
    each = 1 / design.engine.events_per_second_per_slot
    found = side_by_side(
        benchmark,
        arrivals,
        simulate=lambda times: simulate(design, arrivals=times, keep_latencies=True).latencies,
        simpy_store=lambda times: simpy_batches(times, 60.0, 20.0, each, "store"),
        simpy_list=lambda times: simpy_batches(times, 60.0, 20.0, each, "list"),
    )
    for name in ("simpy_store", "simpy_list"):
        np.testing.assert_allclose(found["simulate"], found[name], rtol=1e-9)


def test_a_queue_of_two_servers_beside_simpy_and_ciw(benchmark):
    design = two_servers()
    arrivals = drawn(design, 900.0 if benchmark.enabled else 60.0)

    def ours(times):
        return simulate(design, arrivals=times, servers=2, keep_latencies=True).latencies

    found = side_by_side(
        benchmark,
        arrivals,
        simulate=ours,
        simpy=lambda times: simpy_queue(times, 2, 0.01),
        ciw=lambda times: ciw_queue(times, 2, 0.01),
    )
    # Each sums times in an order of its own: equal to a tenth of a microsecond.
    np.testing.assert_allclose(found["simulate"], found["simpy"], atol=1e-7, rtol=0)
    np.testing.assert_allclose(found["simulate"], found["ciw"], atol=1e-7, rtol=0)


def test_events_a_second_of_a_drawn_day(benchmark):
    """Drawing included: a day of 5 M events in batches of a minute, in bounded memory."""
    design = minute_batches(5_000_000)
    result = benchmark.pedantic(lambda: simulate(design), rounds=ROUNDS)
    assert abs(result.events - 5_000_000) < 5 * 5_000_000**0.5
