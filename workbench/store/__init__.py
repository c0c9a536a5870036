"""What Workbench remembers: keys, accounts, usage, requests for models, experiments; never a prompt."""

from __future__ import annotations

from workbench.store.accounts import Account
from workbench.store.keys import LOCAL_ACCOUNT, KeyRecord, NewKey
from workbench.store.model_requests import Duplicate, ModelRequest, Priority, RequestForm, RequestState
from workbench.store.store import FILE_NAME, Store
from workbench.store.usage import DayOfUse

__all__ = [
    "FILE_NAME",
    "LOCAL_ACCOUNT",
    "Account",
    "DayOfUse",
    "Duplicate",
    "KeyRecord",
    "ModelRequest",
    "NewKey",
    "Priority",
    "RequestForm",
    "RequestState",
    "Store",
]
