"""`workbench load`: requests on schedule against a model of this machine, or any OpenAI-compatible server."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.core.errors import ConfigurationError
from workbench.core.settings import read_settings

if TYPE_CHECKING:
    from evaluators.load import LoadRun, Send
    from evaluators.timing import RequestTiming
    from workbench.experiments.spec import LoadSpec

DEFAULT_PROMPT = "Explain in a few sentences why the sky is blue."
_KEY_VARIABLE = "WORKBENCH_API_KEY"


def load(
    model: Annotated[str, typer.Option(help="The model's id.", metavar="ID")],
    rate: Annotated[str, typer.Option(help="Requests due, as in 10/min, 2/s or 600/h.")] = "10/min",
    duration: Annotated[str, typer.Option(help="How long, as in 60s or 5min.")] = "60s",
    peak: Annotated[
        str | None, typer.Option(help="The rate of 10-second peaks, one a minute, as in 50/min.")
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

    from workbench.experiments.load_report import load_json, load_text
    from workbench.experiments.spec import LoadSpec

    try:
        asked = LoadSpec(rate=rate, duration=duration, peak=peak, output_tokens=output_tokens)
    except ValidationError as failure:
        raise typer.BadParameter(str(failure.errors()[0]["msg"])) from None
    work = (
        _local(model, asked, prompt, seed)
        if base_url is None
        else _remote(base_url, model, asked, prompt, seed)
    )
    run = asyncio.run(work)
    found = load_json(run, len(run.timings) / asked.duration_s)
    typer.echo(json.dumps(found) if as_json else load_text(found))


async def _remote(base_url: str, model: str, asked: LoadSpec, prompt: str, seed: int) -> LoadRun:
    from workbench.experiments.remote import RemoteLoad

    key = os.environ.get(_KEY_VARIABLE)
    if not key:
        raise ConfigurationError(f"Set {_KEY_VARIABLE} to a key of the server at the base URL.")
    async with RemoteLoad(base_url, key, model, prompt, asked.output_tokens) as send:
        return await _open_loop(send, asked, seed)


async def _local(model: str, asked: LoadSpec, prompt: str, seed: int) -> LoadRun:
    from workbench.cli.experiments import open_service
    from workbench.core.caller import LOCAL_USER
    from workbench.core.chat import ChatPrompt, Message, Role, TrafficClass
    from workbench.core.params import GenerationParams
    from workbench.experiments.calls import Ask, ServiceRespondent

    async with open_service(read_settings()) as workbench:
        respondent = ServiceRespondent(workbench, LOCAL_USER)
        await respondent.prepare(model)
        ask = Ask(
            model,
            ChatPrompt((Message(Role.USER, prompt),)),
            GenerationParams(max_tokens=asked.output_tokens),
            TrafficClass.LOAD,
            is_length_fixed=True,
        )

        async def send(request_index: int) -> RequestTiming:
            return (await respondent.answer(ask)).timing

        await send(0)
        return await _open_loop(send, asked, seed)


async def _open_loop(send: Send, asked: LoadSpec, seed: int) -> LoadRun:
    from evaluators.load import open_loop

    due = asked.due(seed)
    done = 0

    def count(_: RequestTiming) -> None:
        nonlocal done
        done += 1
        typer.echo(f"{done} of {len(due)} requests ended", err=True)

    return await open_loop(send, due, duration_s=asked.duration_s, on_result=count)
