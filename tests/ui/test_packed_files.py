from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount

from workbench.core.errors import NotFound
from workbench.ui.packed_files import PackedFiles

SCRIPT = "const long = 1;\n" * 100


async def absent(request: Request, failure: Exception) -> Response:
    return PlainTextResponse("", 404)


@pytest.fixture
def client(tmp_path: Path) -> httpx.AsyncClient:
    (tmp_path / "files" / "js").mkdir(parents=True)
    (tmp_path / "files" / "js" / "page-x1.js").write_text(SCRIPT)
    (tmp_path / "files" / "letter.woff2").write_bytes(b"wOF2" * 100)
    (tmp_path / "secret.txt").write_text("secret")
    mounts = [
        Mount("/ui", PackedFiles(tmp_path / "files", {"css/made.css": b"a { color: red }"})),
        Mount("/assets", PackedFiles(tmp_path / "files", hashed=True)),
    ]
    app = Starlette(routes=mounts, exception_handlers={NotFound: absent})
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here")


async def test_text_is_packed_for_those_who_can_unpack_it(client: httpx.AsyncClient) -> None:
    packed = await client.get("/ui/js/page-x1.js", headers={"accept-encoding": "gzip, br"})
    plain = await client.get("/ui/js/page-x1.js", headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(SCRIPT) < int(plain.headers["content-length"]) + 1
    assert packed.text == plain.text == SCRIPT
    assert "content-encoding" not in (await client.get("/ui/letter.woff2")).headers


async def test_only_what_changes_its_address_with_its_content_is_kept_for_good(
    client: httpx.AsyncClient,
) -> None:
    kept = {
        path: "immutable" in (await client.get(path)).headers["cache-control"]
        for path in ("/ui/css/made.css", "/ui/js/page-x1.js", "/assets/js/page-x1.js")
    }
    assert kept == {"/ui/css/made.css": True, "/ui/js/page-x1.js": False, "/assets/js/page-x1.js": True}


@pytest.mark.parametrize("path", ["js", "none.js", "..%2fsecret.txt", "js/..%2f..%2fsecret.txt", "%00", ""])
async def test_nothing_else_is_there(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(f"/ui/{path}")).status_code == 404


async def test_a_file_is_kept_once_however_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "page.js").write_text(SCRIPT)
    files = PackedFiles(tmp_path)
    app = Starlette(routes=[Mount("/ui", files)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        for name in ("js/page.js", "js/..%2fjs/page.js", ".%2fjs/page.js", "js//page.js", "js/page.js%00"):
            assert (await client.get(f"/ui/{name}")).text == SCRIPT
    assert list(files._kept) == ["js/page.js"]


async def test_a_head_has_no_body_and_nothing_can_be_written(client: httpx.AsyncClient) -> None:
    head = await client.head("/ui/js/page-x1.js", headers={"accept-encoding": "identity"})
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(SCRIPT)))
    assert (await client.post("/ui/js/page-x1.js")).status_code == 404
