"""Adding a model to a running server, and taking it away: what an operator may do, and what is checked first."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, fields, replace
from pathlib import Path
from urllib.parse import urlsplit

from workbench.backends.added import AddedModels
from workbench.backends.catalogue import QUANTIZATIONS, card_from_source
from workbench.core.backend import ModelCard
from workbench.core.caller import Caller
from workbench.core.errors import ConfigurationError, Forbidden, InvalidRequest, Unavailable, WeightsError
from workbench.engine.facts import check_access
from workbench.feasibility import Feasibility, assess
from workbench.service import Workbench

DTYPES = ("float32", "bfloat16", "float16")
_HUB_ADDRESS = re.compile(
    r"^https?://(?:www\.)?(?:huggingface\.co|hf\.co)/(?:models/)?([^/\s]+/[^/\s?#]+).*$"
)
_ID = re.compile(r"\w[\w./:@+-]{0,254}")
_HUB_ID = re.compile(r"[\w][\w.-]*/[\w][\w.-]*")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


def hub_id_of(text: str) -> str:
    """The hub id in what somebody typed, which may be the address of its hub page.

    Raises: InvalidRequest for what is none, such as a path.
    """
    found = _HUB_ADDRESS.sub(r"\1", text.strip())
    if not _HUB_ID.fullmatch(found):
        raise InvalidRequest("A hub id has the form owner/name, such as Qwen/Qwen3-8B.", param="hub_id")
    return found


@dataclass(frozen=True, slots=True)
class ModelWish:
    """A model that is to be added; "" leaves a field to the model.

    `source` is a hub id, a local folder, a GGUF file, or the base URL of an OpenAI-compatible endpoint; the endpoint's
    own name of the model is `remote_model`, and `api_key_env` the environment variable that holds its key.
    """

    source: str
    revision: str = ""
    gguf_file: str = ""
    dtype: str = ""
    quantization: str = "none"
    id: str = ""
    remote_model: str = ""
    api_key_env: str = ""

    @property
    def is_remote(self) -> bool:
        """True for an endpoint elsewhere."""
        return self.source.startswith(("http://", "https://")) and not _HUB_ADDRESS.match(self.source)

    def card(self) -> ModelCard:
        """The catalogue entry. Raises: InvalidRequest naming the field at fault."""
        wish = replace(self, **{field.name: getattr(self, field.name).strip() for field in fields(self)})
        card = wish._remote_card() if wish.is_remote else wish._local_card()
        if not _ID.fullmatch(card.id):
            raise InvalidRequest(
                "A model's id has letters, digits and . _ - / : @ +, at most 255.", param="id"
            )
        return card

    def _local_card(self) -> ModelCard:
        if self.dtype and self.dtype not in DTYPES:
            raise InvalidRequest(f"dtype is one of {', '.join(DTYPES)}.", param="dtype")
        if self.quantization not in QUANTIZATIONS:
            raise InvalidRequest(f"quantization is one of {', '.join(QUANTIZATIONS)}.", param="quantization")
        if not self.source:
            raise InvalidRequest("Name a hub id, a folder or a GGUF file.", param="source")
        source = _HUB_ADDRESS.sub(r"\1", self.source)
        try:
            card = card_from_source(source)
        except ConfigurationError:
            raise InvalidRequest(
                "Name a hub id of the form owner/name, or a folder or GGUF file that is on this machine.",
                param="source",
            ) from None
        if card.source == source and not Path(source).expanduser().exists() and not _HUB_ID.fullmatch(source):
            raise InvalidRequest("A hub id has the form owner/name.", param="source")
        suffix = "" if self.quantization == "none" else f":{self.quantization}"
        return replace(
            card,
            id=self.id or card.id + suffix,
            revision=self.revision or None,
            gguf_file=self.gguf_file or None,
            dtype=self.dtype or None,
            quantization=self.quantization,
        )

    def _remote_card(self) -> ModelCard:
        host = urlsplit(self.source).hostname
        if not host:
            raise InvalidRequest("A base URL looks like https://host/v1.", param="source")
        if not self.remote_model:
            raise InvalidRequest("Say what the endpoint calls its model.", param="remote_model")
        if self.api_key_env and not _VARIABLE.fullmatch(self.api_key_env):
            raise InvalidRequest(
                "Name the environment variable that holds the endpoint's key, never the key.",
                param="api_key_env",
            )
        return ModelCard(
            id=self.id or self.remote_model,
            source=self.source,
            backend="remote",
            region=host,
            remote_model=self.remote_model,
            api_key_env=self.api_key_env or None,
        )


class ModelDesk:
    """The rules over service and file. Whoever adds a model is an operator: an admin, or the local user."""

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench
        self._added = AddedModels(workbench.settings.home)
        self._writing = asyncio.Lock()

    async def check(self, caller: Caller, wish: ModelWish) -> Feasibility | None:
        """What stands for and against the model; None for an endpoint elsewhere, which is asked when it is loaded.

        Raises: Forbidden; InvalidRequest for a field; WeightsError for a model that is not there, is gated for this
        machine, or has only pickled weights; HubUnreachable.
        """
        _require_operator(caller)
        card = wish.card()
        if card.backend != "local":
            return None
        found = await self.feasibility(card)
        if found.facts.is_gated:
            await asyncio.to_thread(check_access, card)
        return found

    async def feasibility(self, card: ModelCard) -> Feasibility:
        """What stands for and against a model here. Raises: WeightsError; HubUnreachable."""
        loaded = sum(status.info.memory_bytes or 0 for status in self._workbench.all_models() if status.info)
        return await asyncio.to_thread(assess, card, self._workbench.settings, loaded)

    async def add(self, caller: Caller, wish: ModelWish) -> ModelCard:
        """Offers the model from now on, after a restart as well, and begins to bring and load it.

        Raises: as `check`; WeightsError when it cannot run here; InvalidRequest when its id is taken.
        """
        found = await self.check(caller, wish)
        if found is not None and found.obstacles:
            raise WeightsError(" ".join(found.obstacles))
        card = wish.card()
        async with self._writing:
            if card.id in self._workbench.catalogue.cards:
                raise InvalidRequest(
                    f"There is a model {card.id!r} already. Give this one another id.", param="id"
                )
            await asyncio.to_thread(self._added.add, card)
            self._workbench.add_model(card)
        await self._record(caller, "model.add", card.id)
        return card

    async def remove(self, caller: Caller, model: str) -> None:
        """Offers an added model no more, and frees it; its files stay in the hub's cache.

        Raises: Forbidden; InvalidRequest for a model of the operator's own file, or one that is in use.
        """
        _require_operator(caller)
        async with self._writing:
            if model not in await asyncio.to_thread(self._added.ids):
                raise InvalidRequest(
                    "Only a model that was added on this page can be removed here; others stand in models.toml.",
                    param="id",
                )
            await self._workbench.remove_model(model)
            await asyncio.to_thread(self._added.remove, model)
        await self._record(caller, "model.remove", model)

    async def added(self) -> frozenset[str]:
        """The ids of the models that were added."""
        return await asyncio.to_thread(self._added.ids)

    async def _record(self, caller: Caller, action: str, subject: str) -> None:
        try:
            store = self._workbench.store
        except Unavailable:
            return  # a service without a store keeps no log
        await store.admin_log.add(caller.account, action, subject)


def _require_operator(caller: Caller) -> None:
    """Raises: Forbidden."""
    if not caller.is_admin:
        raise Forbidden("Only an admin of this server may add or remove models. Request a model instead.")
