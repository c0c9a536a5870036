"""What a reader with one minute needs: each candidate's few numbers, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from evaluators.speed import distribution
from evaluators.timing import Latency, latencies_ms
from evaluators.verdict import Outcome
from workbench.experiments.plan.deployment import DeploymentSection
from workbench.experiments.report.pictures import headline_score
from workbench.experiments.report.words import milliseconds, requirement_words, score_words, short
from workbench.experiments.results.outcome import Results

MOST_STEPS = 6


@dataclass(frozen=True, slots=True)
class Fact:
    """A number with its name."""

    name: str
    value: str


def key_facts(results: Results, candidate: str, cost_name: str) -> tuple[Fact, ...]:
    """The candidate's quality, speed, load and cost, as far as they were measured."""
    facts: list[Fact] = []
    score, load = headline_score(results, candidate), results.load(candidate)
    if score is not None:
        facts.append(Fact(score.title, score_words(score.summary.estimate, score.scale)))
    if load is not None:
        first = distribution(latencies_ms(load.timings, Latency.TTFT, load.origin))
        facts.append(Fact("First token, p95", milliseconds(first.p95)))
        facts.append(Fact("Output tokens a second", short(load.throughput.value)))
        sustained = load.saturation.sustained
        said = "not shown" if sustained is None else f"{short(sustained * 60)} requests a minute"
        facts.append(Fact("Sustained load", said))
        if load.throughput.value > 0:
            facts.append(Fact(cost_name, short(load.cost.value)))
    return tuple(facts)


def next_steps(results: Results, deployment: DeploymentSection) -> list[str]:
    """What would settle what is open, and what the plan comes to; the most telling few."""
    steps: list[str] = []
    plan = deployment.plan
    if plan is not None and plan.best_value is not None and plan.is_proven:
        best = plan.best_value
        machines = "one machine like this" if best.machines == 1 else f"{best.machines} machines like this"
        steps.append(f"Best value: {best.deployment.name} on {machines} carries the load that was asked for.")
    for verdict in results.verdicts:
        for ruling in verdict.rulings:
            if ruling.outcome is Outcome.NOT_ENOUGH_DATA and ruling.advice:
                score = next((s for s in results.scores if s.probe == ruling.requirement.subject), None)
                title = ruling.requirement.subject if score is None else score.title
                scale = None if score is None else score.scale
                asked = requirement_words(ruling.requirement, title, scale)
                steps.append(f"{verdict.candidate}, {asked}: {ruling.advice}.")
    if len(steps) > MOST_STEPS:
        left = len(steps) - MOST_STEPS + 1
        steps = [*steps[: MOST_STEPS - 1], f"{left} more open points are in the table below."]
    return steps
