"""The one thread that touches a model: it admits, prefills in chunks, decodes the batch, and posts events.

Each step posts all its events by a single call of `post`. An exception fails the requests of that step and the loop
goes on; out of memory pauses half of the batch and tries once more.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from collections.abc import Sequence as Many
from dataclasses import dataclass
from pathlib import Path

import structlog
import torch

from workbench.core.errors import BackendFailed, EngineRestarting, Overloaded, WorkbenchError
from workbench.engine.prefixes import PrefixStore
from workbench.engine.requests import (
    Deliver,
    EngineEvent,
    EngineRequest,
    FailureEvent,
    PrefillEvent,
    TokenScore,
)
from workbench.engine.runner import Runner
from workbench.engine.sampler import RowSampling, choose, process, report_logprobs
from workbench.engine.scheduler import Move, Scheduler
from workbench.engine.sequence import Job, Sequence
from workbench.engine.text import Detokenizer, StopScanner, TextTokenizer

log = structlog.get_logger(__name__)

Post = Callable[[Many[tuple[Deliver, Many[EngineEvent]]]], None]
"""Hands one step's events over to where they are awaited; called from the engine's thread."""

IDLE_WAIT_SECONDS = 5.0
PROMPT_LOGPROB_CHUNK = 256


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
        self._inbox: deque[Job] = deque()
        self._wake = threading.Event()
        self._is_closing = False
        self._outbox: list[tuple[Deliver, list[EngineEvent]]] = []
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
                while not self._wake.wait(IDLE_WAIT_SECONDS):
                    self._prefixes.expire()
            self.step()

    @torch.inference_mode()
    def step(self) -> None:
        """One turn of the loop: takes in what has come, reads a piece of a prompt, decodes one token for each row."""
        try:
            self._take_in()
            self._drop_cancelled()
            self._prefill()
            self._decode()
        except WorkbenchError as failure:
            self._fail_running(failure)
        except Exception as failure:  # noqa: BLE001 - a model's own code may raise anything; the loop must go on
            log.error("engine step failed", reason=type(failure).__name__, where=_innermost(failure))
            self._fail_running(BackendFailed("The model failed while it worked on this request. Try again."))
        self._flush()

    # -- taking in and dropping --

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

    def _drop_cancelled(self) -> None:
        scheduler = self._scheduler
        if any(sequence.job.is_cancelled for sequence in scheduler.waiting):
            kept = [sequence for sequence in scheduler.waiting if not sequence.job.is_cancelled]
            scheduler.waiting.clear()
            scheduler.waiting.extend(kept)
        running = [*scheduler.active, *([scheduler.prefilling] if scheduler.prefilling else [])]
        for sequence in running:
            if sequence.job.is_cancelled:
                self._make(scheduler.leave(sequence))

    def _make(self, moves: Iterable[Move]) -> None:
        for move in moves:
            self._runner.move(*move)

    # -- prefill --

    def _prefill(self) -> None:
        """Reads prompts until this step's share of tokens is used up."""
        scheduler = self._scheduler
        budget = scheduler.chunk()
        while budget > 0:
            sequence = scheduler.prefilling
            if sequence is None:
                sequence = scheduler.next_to_prefill()
                if sequence is None:
                    return
                self._begin(sequence)
                if sequence.finish is not None:
                    continue
            began = time.perf_counter()
            tokens = self._prefill_chunk(sequence, budget)
            scheduler.pace.saw_prefill(time.perf_counter() - began, tokens)
            budget -= tokens

    def _begin(self, sequence: Sequence) -> None:
        """Gives a sequence its row, with what is already known of its beginning."""
        request, row = sequence.request, len(self._scheduler.active)
        if request.params.max_tokens == 0 and request.prompt_logprobs is None:
            self._report_prefill(sequence)
            sequence.end_without_tokens()
            self._settle(sequence)
            return
        self._runner.reserve(row + 1, self._scheduler.longest())
        prompt, output = sequence.ids[: sequence.prompt_length], sequence.ids[sequence.prompt_length :]
        sequence.sampling.begin(prompt, output, self._runner.vocabulary, self._runner.device)
        if request.prompt_logprobs is None:
            found = self._prefixes.find(request.scope, sequence.ids, len(sequence.ids) - 1)
            if found is not None:
                prefix, length = found
                self._runner.restore(prefix, row, length)
                sequence.cached = sequence.reused = length

    def _prefill_chunk(self, sequence: Sequence, budget: int) -> int:
        """Reads the next piece of a prompt and, when it was the last, samples the first token; how many were read."""
        row, start = len(self._scheduler.active), sequence.cached
        wants_scores = sequence.request.prompt_logprobs is not None and sequence.generated == 0
        piece = sequence.ids[start : start + min(budget, PROMPT_LOGPROB_CHUNK if wants_scores else budget)]
        is_last = start + len(piece) == len(sequence.ids)
        logits = self._runner.prefill(row, piece, start, len(piece) if wants_scores else 1)
        sequence.cached += len(piece)
        if wants_scores:
            self._score_prompt(sequence, logits, start)
        if is_last:
            self._finish_prefill(sequence, logits[-1:])
        return len(piece)

    def _score_prompt(self, sequence: Sequence, logits: torch.Tensor, start: int) -> None:
        """Scores the tokens after positions start .. start+len-1 from their logits [len, V]."""
        count = sequence.request.prompt_logprobs
        if start == 0:
            sequence.prompt_scores.append(TokenScore(sequence.ids[0], None))
        following = sequence.ids[start + 1 : start + 1 + logits.shape[0]]
        if not following:
            return
        scored = report_logprobs(logits[: len(following)], following, [count] * len(following))
        sequence.prompt_scores.extend(
            TokenScore(token, score.chosen, tuple(zip(score.top_ids, score.top_logprobs, strict=True)))
            for token, score in zip(following, scored, strict=True)
            if score is not None
        )

    def _finish_prefill(self, sequence: Sequence, logits: torch.Tensor) -> None:
        self._report_prefill(sequence)
        scheduler = self._scheduler
        if sequence.request.choices > 1 and sequence.choice == 0:
            self._keep(sequence, len(scheduler.active), sequence.prompt_length)
        scheduler.prefilling = None
        scheduler.active.append(sequence)
        if sequence.request.params.max_tokens == 0:
            sequence.end_without_tokens()
        else:
            self._sample(logits, [sequence])
        self._settle(sequence)

    def _report_prefill(self, sequence: Sequence) -> None:
        if not sequence.job.has_reported_prefill:
            sequence.job.has_reported_prefill = True
            sequence.events.append(PrefillEvent(sequence.reused, tuple(sequence.prompt_scores)))

    # -- decode --

    def _decode(self) -> None:
        """One token for every active row."""
        scheduler = self._scheduler
        self._make(scheduler.pause_for_growth())
        if not scheduler.active:
            return
        self._runner.reserve(scheduler.rows_in_use, scheduler.longest())
        began = time.perf_counter()
        try:
            self._decode_once()
        except torch.OutOfMemoryError:
            self._after_out_of_memory()
        scheduler.pace.saw_step(time.perf_counter() - began)

    def _after_out_of_memory(self) -> None:
        """Frees what can be freed, pauses the younger half of the batch, and tries once more."""
        scheduler = self._scheduler
        log.warning("out of memory in a step", rows=len(scheduler.active))
        self._prefixes.clear()
        by_age = sorted(scheduler.active, key=lambda sequence: (sequence.job.arrival, sequence.choice))
        for sequence in reversed(by_age[max(1, len(by_age) // 2) :]):
            self._make(scheduler.pause(sequence))
        if self._runner.device.type == "cuda":
            torch.cuda.empty_cache()
        try:
            self._decode_once()
        except torch.OutOfMemoryError as failure:
            raise Overloaded(
                "The machine ran out of memory for this request.", retry_after_seconds=10
            ) from failure

    def _decode_once(self) -> None:
        rows = list(self._scheduler.active)
        logits = self._runner.decode(
            [sequence.ids[-1] for sequence in rows], [len(sequence.ids) - 1 for sequence in rows]
        )
        for sequence in rows:
            sequence.cached = len(sequence.ids)
        self._sample(logits, rows)
        for sequence in rows:
            self._settle(sequence)

    def _sample(self, raw: torch.Tensor, rows: Many[Sequence]) -> None:
        """Chooses a token for each row from float32 logits [rows, V] and moves the sequences on."""
        samplings = [sequence.sampling for sequence in rows]
        chosen = choose(process(raw, samplings, self._allowed(raw, rows)), samplings).tolist()
        scores = report_logprobs(raw, chosen, [sequence.wants_scores() for sequence in rows])
        for sequence, token, score in zip(rows, chosen, scores, strict=True):
            sequence.take(token, score)

    def _allowed(self, raw: torch.Tensor, rows: Many[Sequence]) -> torch.Tensor | None:
        """Which tokens each row's grammar allows, bool [rows, V]; None when no row has one."""
        if all(sequence.matcher is None for sequence in rows):
            return None
        allowed = torch.ones(raw.shape, dtype=torch.bool)
        for index, sequence in enumerate(rows):
            if sequence.matcher is not None:
                sequence.matcher.fill(allowed[index])
        return allowed.to(raw.device)

    # -- ending --

    def _settle(self, sequence: Sequence) -> None:
        """Collects a sequence's events and, when it has finished, frees its row."""
        if sequence.events:
            self._outbox.append((sequence.job.deliver, sequence.events))
            sequence.events = []
        if sequence.finish is None:
            return
        sequence.job.unfinished -= 1
        if sequence.choice == 0 and sequence in self._scheduler.active:
            self._keep(sequence, self._scheduler.active.index(sequence), sequence.cached)
        if sequence in self._scheduler.active or sequence is self._scheduler.prefilling:
            self._make(self._scheduler.leave(sequence))

    def _keep(self, sequence: Sequence, row: int, length: int) -> None:
        """Keeps a copy of the row's beginning for later requests of the same scope."""
        if sequence.request.prompt_logprobs is not None:
            return  # scored prompts are seldom asked for again, and a test set of them would fill the memory
        if length < 2 or self._prefixes.is_known(sequence.request.scope, sequence.ids[:length]):
            return
        prefix = self._runner.save(row, length)
        if prefix is not None:
            self._prefixes.put(sequence.request.scope, sequence.ids, prefix)

    def _fail_running(self, error: WorkbenchError) -> None:
        """Ends every request that has a row with this error; what waits goes on."""
        scheduler = self._scheduler
        running = [*scheduler.active, *([scheduler.prefilling] if scheduler.prefilling else [])]
        failed = {id(sequence.job): sequence.job for sequence in running}
        scheduler.active.clear()
        scheduler.prefilling = None
        for job in failed.values():
            job.is_cancelled = True
            self._outbox.append((job.deliver, [FailureEvent(error)]))
        self._drop_cancelled()

    def _fail_all(self, error: WorkbenchError) -> None:
        self._take_in()
        waiting = {id(sequence.job): sequence.job for sequence in self._scheduler.waiting}
        self._fail_running(error)
        for job in waiting.values():
            if not job.is_cancelled:
                job.is_cancelled = True
                self._outbox.append((job.deliver, [FailureEvent(error)]))
        self._scheduler.waiting.clear()

    def _flush(self) -> None:
        if self._outbox:
            batch, self._outbox = self._outbox, []
            self._post(batch)


def _innermost(failure: Exception) -> str:
    """Where an exception came from, as file:line; its text could quote a prompt and is not logged."""
    frames = traceback.extract_tb(failure.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
