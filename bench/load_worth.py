"""How many requests of a load test settle a 95th percentile: a made-up engine, asked again and again.

Run by hand: `python -m bench.load_worth 90x16x60 150x4x60`: requests a minute, tokens an answer, seconds. Requests
come at random; a prompt holds the others up while it is read, and a step takes a little longer with each row.
Neighbours are slow together, so that they are worth fewer independent ones. Shown: how often the interval of
`evaluators.stats.quantile` is bounded above, without which nothing passes, and how often that bound lies below the
truth (2.5 % are meant to).
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass

import numpy as np

from evaluators.stats.estimate import FloatArray
from evaluators.stats.quantile import percentile_interval

WARM_UP = 50
TRUTH_REQUESTS = 60_000


@dataclass(frozen=True, slots=True)
class Machine:
    """What work takes in seconds: a prompt (half to one and a half times this), a step of one row, each further row."""

    prompt_s: float
    step_s: float
    row_s: float

    def requests(
        self, count: int, rate_per_s: float, tokens: int, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """TTFT and TPOT in seconds of so many requests, in the order they came, once the engine has warmed up."""
        due = np.cumsum(rng.exponential(1 / rate_per_s, count + WARM_UP))
        first, tpot = np.empty_like(due), np.empty_like(due)
        unwritten: dict[int, int] = {}
        clock, arrived = 0.0, 0
        while arrived < due.size or unwritten:
            if not unwritten:
                clock = max(clock, due[arrived])
            if arrived < due.size and due[arrived] <= clock:
                clock += self.prompt_s * rng.uniform(0.5, 1.5)
                first[arrived], unwritten[arrived] = clock, tokens - 1
                arrived += 1
            clock += (self.step_s + self.row_s * (len(unwritten) - 1)) * rng.uniform(0.9, 1.1)
            for request in list(unwritten):
                unwritten[request] -= 1
                if unwritten[request] == 0:
                    del unwritten[request]
                    tpot[request] = (clock - first[request]) / (tokens - 1)
        return (first - due)[WARM_UP:], tpot[WARM_UP:]


MACHINES = {
    "as the two idle cores of these records": Machine(0.12, 0.043, 0.004),
    "about twice as fast": Machine(0.05, 0.02, 0.002),
}


def show(name: str, load: str, runs: int) -> None:
    """One load on one machine, as a row of the table."""
    machine = MACHINES[name]
    rate, tokens, seconds = (int(part) for part in load.split("x"))
    rng = np.random.default_rng(3)
    truth = machine.requests(TRUTH_REQUESTS, rate / 60, tokens, rng)
    samples = [machine.requests(rate * seconds // 60, rate / 60, tokens, rng) for _ in range(runs)]
    cells = [name, f"{rate}/min, {tokens} tokens, {seconds} s", str(rate * seconds // 60)]
    for kind in (0, 1):
        p95 = float(np.percentile(truth[kind], 95))
        bounds = [percentile_interval(sample[kind], 95, is_time_series=True).high for sample in samples]
        bounded = np.mean([math.isfinite(bound) for bound in bounds])
        missed = np.mean([bound < p95 for bound in bounds])
        cells.append(f"{1000 * p95:.0f} ms, {bounded:.0%}, {missed:.1%}")
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


def main() -> None:
    """Prints a row for each machine and load."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("loads", nargs="+", metavar="RATExTOKENSxSECONDS")
    parser.add_argument("--runs", type=int, default=200)
    options = parser.parse_args()
    sys.stdout.write("| machine | load | requests | TTFT p95: truth, bounded, missed | TPOT p95 |\n")
    sys.stdout.write("|---|---|---|---|---|\n")
    for name in MACHINES:
        for load in options.loads:
            show(name, load, options.runs)


if __name__ == "__main__":
    main()
