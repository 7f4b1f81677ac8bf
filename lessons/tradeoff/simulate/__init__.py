"""Every event pushed through a design's cadence: a proof of the closed form, and its correction.

Arrivals are drawn from the workload's day (a Poisson process, bursts on request, or evenly spaced)
or replayed from a list. A batch starts at its trigger, or when the one before ends if that is
later, and takes all that has arrived; triggers that pass meanwhile are not made up for. A loop
without a trigger starts the next batch at once, or when an event arrives. A stream is a queue.
Each event's age when it becomes visible is counted, also under overload.

Times are seconds after the first midnight; durations and rates are those of `model.timing`. Memory
does not grow with the number of events: arrivals come in chunks and are drawn a second time when a
batch is longer than what is kept.
"""

from tradeoff.simulate.arrivals import Arrivals, Bursts
from tradeoff.simulate.beside import against_closed_form, is_exact
from tradeoff.simulate.run import Simulation, simulate

__all__ = ["Arrivals", "Bursts", "Simulation", "against_closed_form", "is_exact", "simulate"]
