"""Fit measured runs of a micro-batch pipeline, and say what happens at loads not yet measured.

    fit = fit_batches(measurements)                      # two rows are enough
    fit.predict([60_000, 80_000], interval_seconds=0)    # latencies with bounds, keeps up or not
    fit.capacity_low, fit.capacity_events_per_second, fit.capacity_high

The engine. A batch takes all events that arrived since the batch before took its own, so at λ
events a second the batch after a cycle of A seconds lasts

    B = ξ (o + ρ(λ) A)        o: overhead of a batch; ξ: its variation, lognormal, mean 1, sd `cv`

and the next cycle is A' = max(T, B): the trigger interval T, or, as soon as possible, T = 0. An
event waits for the rest of the cycle it falls into, which is the longer ones more often (the
inspection paradox; Kleinrock, Queueing Systems 1, 1975, section 5.2), then through its own batch:

    latency = U A + ξ (o + ρ A) + floor          U uniform in 0..1, A drawn in proportion to A

Without variation and with T = 0 the cycle is o/(1 - ρ) and the median 1.5 cycles: the plain
a/(1 - load/capacity). Real clusters leave that line as they fill. With u = λ/capacity and r the
share of the straight line's capacity that is really there,

    ρ(λ) = u (r + (1 - r) u^m)

grows like r u at first and reaches 1 at capacity: garbage collection, spilled shuffles and
coordination cost more per event in a fuller system. It plays the part of the contention and
coherency terms of Gunther's Universal Scalability Law (Guerrilla Capacity Planning, 2007), with a
free power m because memory that runs out is steeper than the square.

What low loads cannot tell (r and m, mostly) the prior must: see `posterior.PRIOR`, where one engine
in five keeps its straight line to the end. The posterior is sampled by annealed stretch moves
(Goodman & Weare, Ensemble samplers with affine invariance, 2010) with a fixed seed, so the same
rows always give the same answer. Bounds are the middle 80 % of it.

What it cannot know. Whether a pipeline loses nothing or half of its straight line's capacity hardly
shows in medians below 60 % of load. One that loses nothing is underrated by a tenth, one that loses
half overrated by as much, and the bounds, some 20 % wide on either side for the first and 30 % for
the second, hold the capacity of 7 in 10 of the first and 8 or 9 in 10 of the second. Nor does it
see a knee ahead: the error of a median latency, by family of engines, is 3 to 7 % at 65 % of
capacity, 5 to 14 % at 75 %, 8 to 33 % at 85 %, and at 92 % it is a third to more than a half too
low. Batches that grow more slowly than their events (as their 0.9th power, say) make it predict too
high a latency and too small a capacity. What helps, in this order: a row at a higher load, a row
that did not keep up, batch times. The tables: tests/benchmarks/test_bench_fit.py.
"""

from tradeoff.fit.fitted import BatchFit, fit_batches

__all__ = ["BatchFit", "fit_batches"]
