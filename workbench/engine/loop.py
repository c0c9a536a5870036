"""The one thread that touches a model: it admits, prefills in chunks, decodes the batch, and posts events.

Each step posts all its events by a single call of `post`. An exception fails the requests of that step and the loop
goes on; out of memory pauses half of the batch and tries once more.
"""

from __future__ import annotations

import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from collections.abc import Sequence as Many
from dataclasses import dataclass
from pathlib import Path

import structlog
import torch

from workbench.core.errors import BackendFailed, EngineRestarting, Overloaded, WorkbenchError
from workbench.core.openmp import release_workers
from workbench.engine.decode import Decode
from workbench.engine.prefill import Prefill
from workbench.engine.prefixes import PrefixStore
from workbench.engine.requests import Deliver, EngineEvent, EngineRequest
from workbench.engine.rows import Rows
from workbench.engine.runner import Runner
from workbench.engine.sampler import RowSampling
from workbench.engine.scheduler import Scheduler
from workbench.engine.sequence import Job, Sequence
from workbench.engine.text import Detokenizer, StopScanner, TextTokenizer

log = structlog.get_logger(__name__)

Post = Callable[[Many[tuple[Deliver, Many[EngineEvent]]]], None]
"""Hands one step's events over to where they are awaited; called from the engine's thread."""

IDLE_WAIT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class EngineLoad:
    """How busy the engine is, in choices."""

    running: int
    waiting: int
    places: int


class Engine:
    """Generates for many requests at once with one model. `submit` and `cancel` may be called from any thread."""

    def __init__(
        self,
        runner: Runner,
        tokenizer: TextTokenizer,
        *,
        eos_ids: Iterable[int],
        prefixes: PrefixStore,
        post: Post,
        idle_chunk: int = 512,
    ) -> None:
        self._runner = runner
        self._tokenizer = tokenizer
        self._eos_ids = frozenset(eos_ids)
        self._prefixes = prefixes
        self._post = post
        self._scheduler = Scheduler(runner.fits, runner.max_rows, idle_chunk=idle_chunk)
        self._rows = Rows(runner, self._scheduler, prefixes)
        self._decode = Decode(self._rows)
        self._prefill = Prefill(self._rows, self._decode.sample, self._exchange)
        self._inbox: deque[Job] = deque()
        self._wake = threading.Event()
        self._is_closing = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts the thread, or a new one when the last has died."""
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """False when the thread has died or was never started."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def load(self) -> EngineLoad:
        """How busy it is; read without a lock, so one step old at the most."""
        scheduler = self._scheduler
        waiting = len(scheduler.waiting) + sum(job.request.choices for job in tuple(self._inbox))
        return EngineLoad(scheduler.rows_in_use, waiting, self._runner.max_rows)

    def submit(self, request: EngineRequest, deliver: Deliver) -> Job:
        """Takes a request in; its events go to `deliver` through `post`. The Job is its handle for `cancel`.

        Raises: EngineRestarting when the loop is not running.
        """
        if not self.is_alive:
            raise EngineRestarting(
                "The model's engine is being restarted. Try again shortly.", retry_after_seconds=2
            )
        job = Job(request, deliver)
        self._inbox.append(job)
        self._wake.set()
        return job

    def cancel(self, job: Job) -> None:
        """Ends a request without further events; its rows are free within one step."""
        job.is_cancelled = True
        self._wake.set()

    def close(self) -> None:
        """Ends every request with an error and the thread with it."""
        self._is_closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._is_closing:
            try:
                self._serve()
            except BaseException as failure:  # noqa: BLE001 - whatever it was, the thread must not end while callers wait
                log.critical("engine loop died; starting it again", reason=type(failure).__name__)
                self._fail_all(
                    EngineRestarting("The model's engine is being restarted.", retry_after_seconds=2)
                )
                self._runner.idle()
                self._flush()
        self._fail_all(Overloaded("The model is being unloaded. Try again.", retry_after_seconds=5))
        self._flush()

    def _serve(self) -> None:
        """Steps for as long as there is work, waits while there is none."""
        while not self._is_closing:
            self._wake.clear()
            if self._scheduler.is_idle and not self._inbox:
                self._runner.idle()
                release_workers()
                while not self._wake.wait(IDLE_WAIT_SECONDS):
                    self._prefixes.expire()
            self.step()

    @torch.inference_mode()
    def step(self) -> None:
        """One turn of the loop: takes in what has come, reads a piece of a prompt, decodes one token for each row."""
        try:
            self._exchange()
            self._prefill.run()
            self._decode.run()
        except WorkbenchError as failure:
            self._rows.fail_running(failure)
        except Exception as failure:  # noqa: BLE001 - a model's own code may raise anything; the loop must go on
            log.error("engine step failed", reason=type(failure).__name__, where=_innermost(failure))
            self._rows.fail_running(
                BackendFailed("The model failed while it worked on this request. Try again.")
            )
        self._flush()

    def _exchange(self) -> None:
        """Lets out what is ready and takes in what has come, so that nobody waits for another's piece of work."""
        self._flush()
        self._take_in()
        self._rows.drop_cancelled()

    def _take_in(self) -> None:
        while self._inbox:
            job = self._inbox.popleft()
            if job.is_cancelled:
                continue
            job.unfinished = job.request.choices
            self._scheduler.waiting.extend(
                self._sequence(job, choice) for choice in range(job.request.choices)
            )

    def _sequence(self, job: Job, choice: int) -> Sequence:
        request = job.request
        eos = tuple(sorted(self._eos_ids))
        return Sequence(
            job=job,
            choice=choice,
            sampling=RowSampling(request.params, choice, eos),
            text=Detokenizer(self._tokenizer, request.visible_ids),
            stops=StopScanner(request.params.stop),
            eos_ids=self._eos_ids,
            ids=list(request.prompt_ids),
            prompt_length=len(request.prompt_ids),
            matcher=request.grammar.matcher() if request.grammar is not None else None,
        )

    def _fail_all(self, error: WorkbenchError) -> None:
        self._take_in()
        self._rows.fail_all(error)

    def _flush(self) -> None:
        if self._rows.outbox:
            batch, self._rows.outbox = self._rows.outbox, []
            self._post(batch)


def _innermost(failure: Exception) -> str:
    """Where an exception came from, as file:line; its text could quote a prompt and is not logged."""
    frames = traceback.extract_tb(failure.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
