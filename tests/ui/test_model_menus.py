"""Drop-downs of models follow the catalogue, and keep what was chosen while it is there."""

from __future__ import annotations

import gradio as gr
import pytest

from tests.sites import MODEL, OTHER_MODEL, scripted_workbench
from workbench.backends.scripted import ScriptedBackend
from workbench.core.backend import ModelCard
from workbench.core.caller import LOCAL_USER, Caller
from workbench.core.settings import Settings
from workbench.service import Workbench
from workbench.ui.model_menus import ModelMenus, all_of
from workbench.ui.serverless.config_panel import ADD, REQUEST, model_choices

MEMBER = Caller("account:bob", account="bob")
ANY = gr.Request()
NEW = ModelCard("new/model", "script", backend="scripted")


@pytest.fixture
def workbench(settings: Settings) -> Workbench:
    return scripted_workbench(ScriptedBackend(), settings)


def menus_of(workbench: Workbench, caller: Caller = LOCAL_USER) -> ModelMenus:
    menus = ModelMenus(workbench, lambda request: caller)
    for _ in range(2):
        menus.add(gr.Dropdown([MODEL], value=MODEL), all_of(lambda status: status.card.id))
    return menus


def test_an_unchanged_catalogue_leaves_the_page_as_it_was_built(workbench: Workbench) -> None:
    assert menus_of(workbench).refresh(ANY, [MODEL, [MODEL]]) == [gr.skip(), gr.skip()]


async def test_a_model_that_came_is_offered_and_one_that_went_is_not_chosen(workbench: Workbench) -> None:
    menus = menus_of(workbench)
    workbench.add_model(NEW)
    one, several = menus.refresh(ANY, [MODEL, [MODEL, OTHER_MODEL]])
    assert [id_ for _, id_ in one.choices] == [MODEL, OTHER_MODEL, NEW.id]
    assert one.constructor_args.get("value") is None
    assert several.value == [MODEL, OTHER_MODEL]
    await workbench.remove_model(NEW.id)
    one, several = menus.refresh(ANY, [NEW.id, [MODEL, NEW.id]])
    assert (one.value, several.value) == (MODEL, [MODEL])
    await workbench.stop()


def test_the_last_choices_lead_an_operator_and_a_member_to_different_pages(workbench: Workbench) -> None:
    models = workbench.models(MEMBER)
    region = models[0].card.region
    assert model_choices(models, region, is_operator=True)[-2:] == [ADD, REQUEST]
    assert ADD not in model_choices(models, region, is_operator=False)
