from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from workbench.core.errors import ConfigurationError, InvalidRequest
from workbench.core.settings import Settings
from workbench.remote_keys import StoredKeys
from workbench.store import FILE_NAME, Store
from workbench.store.vault import FILE_NAME as KEY_FILE
from workbench.store.vault import Vault

SECRET = "sk-of-an-endpoint-elsewhere"


@pytest.fixture
def keys(settings: Settings) -> StoredKeys:
    return StoredKeys(settings)


async def put(keys: StoredKeys, home: Path, key: str = SECRET) -> None:
    async with await Store.open(home / FILE_NAME) as store:
        await keys.put(store, "far/away", key)


async def test_a_key_comes_back_and_can_be_replaced_and_forgotten(keys: StoredKeys, tmp_path: Path) -> None:
    await put(keys, tmp_path, "sk-first")
    await put(keys, tmp_path, f"  {SECRET}\n")
    async with await Store.open(tmp_path / FILE_NAME) as store:
        assert await keys.get(store, "far/away") == SECRET
        assert await store.remote_keys.models() == ["far/away"]
        assert await store.remote_keys.delete("far/away")
        assert not await store.remote_keys.delete("far/away")
        assert await keys.get(store, "far/away") is None


def everything_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_the_database_alone_does_not_hold_it(keys: StoredKeys, tmp_path: Path) -> None:
    await put(keys, tmp_path)
    assert SECRET.encode() not in everything_below(tmp_path)
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


async def test_another_key_file_opens_nothing_and_says_so(keys: StoredKeys, tmp_path: Path) -> None:
    await put(keys, tmp_path)
    (tmp_path / KEY_FILE).unlink()
    Vault(tmp_path).encrypt("makes another one")
    async with await Store.open(tmp_path / FILE_NAME) as store:
        with pytest.raises(ConfigurationError, match=KEY_FILE) as refused:
            await keys.get(store, "far/away")
    assert SECRET not in refused.value.message


@pytest.mark.parametrize("damage", [b"", b"nonsense"])
def test_a_damaged_key_file_is_named(damage: bytes, tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_bytes(damage)
    with pytest.raises(ConfigurationError, match=KEY_FILE):
        Vault(tmp_path).encrypt("x")


@pytest.mark.parametrize("text", ["", "  ", "two\nlines", "schlüssel", "x" * 5000])
async def test_what_can_be_no_key_is_refused(text: str, keys: StoredKeys, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest):
        await put(keys, tmp_path, text)


def test_without_a_stored_key_no_store_is_opened(keys: StoredKeys, tmp_path: Path) -> None:
    assert keys.read("far/away") is None
    assert list(tmp_path.iterdir()) == []
