"""`workbench load`: requests on schedule against a model of this machine, or any OpenAI-compatible server."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.core.errors import ConfigurationError
from workbench.core.settings import read_settings

if TYPE_CHECKING:
    from evaluators.load import LoadLevel, Send
    from evaluators.speed import Limits
    from evaluators.timing import RequestTiming
    from workbench.experiments.spec.load import LoadSpec

DEFAULT_PROMPT = "Explain in a few sentences why the sky is blue."
_KEY_VARIABLE = "WORKBENCH_API_KEY"


def load(
    model: Annotated[str, typer.Option(help="The model's id.", metavar="ID")],
    rate: Annotated[str, typer.Option(help="Requests due, as in 10/min, 2/s or 600/h.")] = "10/min",
    duration: Annotated[str, typer.Option(help="How long, as in 60s or 5min.")] = "60s",
    peak: Annotated[
        str | None, typer.Option(help="The rate of 10-second peaks, one a minute, as in 50/min.")
    ] = None,
    ramp_to: Annotated[
        str | None, typer.Option(help="Raise the rate steadily up to this one, as in 2/s.")
    ] = None,
    sweep_to: Annotated[
        str | None,
        typer.Option(help="Double the rate, level by level, until one is too much, at most up to this one."),
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Keep so many requests going (closed loop), in place of a rate.")
    ] = None,
    is_even: Annotated[
        bool,
        typer.Option("--even/--random", help="Even distances between requests, or random ones (Poisson)."),
    ] = False,
    ttft_ms: Annotated[
        float | None, typer.Option(min=0, help="A good request's first token comes within so many ms.")
    ] = None,
    tpot_ms: Annotated[
        float | None,
        typer.Option(min=0, help="A good request's further tokens take at most so many ms each."),
    ] = None,
    output_tokens: Annotated[int, typer.Option(min=1, help="Most tokens of an answer.")] = 64,
    prompt: Annotated[str, typer.Option(help="What every request asks.")] = DEFAULT_PROMPT,
    base_url: Annotated[
        str | None,
        typer.Option(
            help=f"Another server, as in http://host:8000/v1; its key is read from {_KEY_VARIABLE}."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides the moments at which requests are due.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Send requests on schedule, however slow the answers are, and say whether the rate was sustained."""
    from pydantic import ValidationError

    from evaluators.load import Spacing
    from evaluators.speed import Limits
    from workbench.experiments.load.report import load_json, load_text
    from workbench.experiments.spec.load import LoadSpec

    try:
        asked = LoadSpec(
            rate=rate,
            duration=duration,
            peak=peak,
            ramp_to=ramp_to,
            sweep_to=sweep_to,
            concurrency=concurrency,
            spacing=Spacing.EVEN if is_even else Spacing.POISSON,
            output_tokens=output_tokens,
        )
    except ValidationError as failure:
        raise typer.BadParameter(str(failure.errors()[0]["msg"])) from None
    test = _Test(asked, Limits(ttft_ms=ttft_ms, tpot_ms=tpot_ms), seed)
    work = _local(model, prompt, test) if base_url is None else _remote(base_url, model, prompt, test)
    found = load_json(asyncio.run(work))
    typer.echo(json.dumps(found) if as_json else load_text(found))


@dataclass(frozen=True, slots=True)
class _Test:
    """What load, what counts as a good request, and the draws."""

    load: LoadSpec
    limits: Limits
    seed: int

    async def run(self, send: Send) -> tuple[LoadLevel, ...]:
        """All its levels, with a line on standard error for each request that ends."""
        from workbench.experiments.load.alone import run_load

        done = 0

        def count(_: RequestTiming) -> None:
            nonlocal done
            done += 1
            typer.echo(f"{done} requests ended", err=True)

        return await run_load(send, self.load, self.limits, self.seed, count)


async def _remote(base_url: str, model: str, prompt: str, test: _Test) -> tuple[LoadLevel, ...]:
    from workbench.experiments.load.remote import RemoteLoad

    key = os.environ.get(_KEY_VARIABLE)
    if not key:
        raise ConfigurationError(f"Set {_KEY_VARIABLE} to a key of the server at the base URL.")
    async with RemoteLoad(base_url, key, model, prompt, test.load.output_tokens) as send:
        await send.learn()
        return await test.run(send)


async def _local(model: str, prompt: str, test: _Test) -> tuple[LoadLevel, ...]:
    from workbench.cli.experiments import open_service
    from workbench.core.caller import LOCAL_USER
    from workbench.core.chat import ChatPrompt, Message, Role, TrafficClass
    from workbench.core.params import GenerationParams
    from workbench.experiments.run.calls import Ask
    from workbench.experiments.run.service_respondent import ServiceRespondent

    async with open_service(read_settings()) as workbench:
        respondent = ServiceRespondent(workbench, LOCAL_USER)
        await respondent.prepare(model)
        ask = Ask(
            model,
            ChatPrompt((Message(Role.USER, prompt),)),
            GenerationParams(max_tokens=test.load.output_tokens),
            TrafficClass.LOAD,
            is_length_fixed=True,
        )

        async def send(request_index: int) -> RequestTiming:
            return (await respondent.answer(ask)).timing

        await send(0)
        return await test.run(send)
