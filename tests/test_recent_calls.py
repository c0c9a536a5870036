from __future__ import annotations

from dataclasses import replace

import pytest

from tests.sites import MODEL, scripted_workbench
from workbench.backends.scripted import Script, ScriptedBackend
from workbench.core.caller import LOCAL_USER, Caller
from workbench.core.chat import GenerationRequest, TextPrompt, Usage
from workbench.core.errors import RateLimited
from workbench.core.settings import Settings
from workbench.recent_calls import ACCOUNTS_KEPT, CALLS_KEPT, RecentCalls
from workbench.service import Workbench
from workbench.telemetry import Ending

WITH_KEY = Caller(scope="key:1", account="ada", key_id="1")
ENDING = Ending("200", 1.5, 0.2, Usage(3, 4))


REQUEST = GenerationRequest(MODEL, TextPrompt("a secret"))


async def answered(backend: ScriptedBackend, settings: Settings, caller: Caller) -> Workbench:
    workbench = scripted_workbench(backend, settings)
    await workbench.complete(REQUEST, caller)
    return workbench


async def test_a_call_with_a_key_is_kept_as_numbers_only(settings: Settings) -> None:
    workbench = await answered(ScriptedBackend([Script("one two three")]), settings, WITH_KEY)
    (call,) = workbench.recent_calls.of("ada")
    assert (call.key_id, call.model, call.operation, call.status) == ("1", MODEL, "text_completion", "200")
    assert call.completion_tokens == 3
    assert call.ttft_seconds is not None
    assert call.seconds >= call.ttft_seconds
    assert "secret" not in repr(call)


async def test_what_the_page_itself_did_is_not_among_them(settings: Settings) -> None:
    workbench = await answered(ScriptedBackend([Script("one")]), settings, LOCAL_USER)
    assert workbench.recent_calls.of(LOCAL_USER.account) == ()


async def test_a_failed_call_is_kept_with_its_status(settings: Settings) -> None:
    workbench = scripted_workbench(ScriptedBackend([Script("", error=RateLimited("no"))]), settings)
    with pytest.raises(RateLimited):
        await workbench.complete(REQUEST, WITH_KEY)
    (call,) = workbench.recent_calls.of("ada")
    assert (call.status, call.ttft_seconds) == ("429", None)


def test_an_account_sees_its_own_calls_newest_first_and_no_more_than_are_kept() -> None:
    calls = RecentCalls()
    for number in range(CALLS_KEPT + 2):
        calls.add(replace(WITH_KEY, key_id=str(number)), "m", "chat", ENDING)
    calls.add(replace(WITH_KEY, account="bob"), "m", "chat", ENDING)
    kept = calls.of("ada")
    assert [kept[0].key_id, len(kept)] == [str(CALLS_KEPT + 1), CALLS_KEPT]
    assert len(calls.of("bob")) == 1
    assert calls.of("nobody") == ()


def test_the_quietest_account_is_forgotten_first() -> None:
    calls = RecentCalls()
    for number in range(ACCOUNTS_KEPT):
        calls.add(replace(WITH_KEY, account=str(number)), "m", "chat", ENDING)
    calls.add(replace(WITH_KEY, account="0"), "m", "chat", ENDING)
    calls.add(replace(WITH_KEY, account="new"), "m", "chat", ENDING)
    assert calls.of("1") == ()
    assert len(calls.of("0")) == 2
