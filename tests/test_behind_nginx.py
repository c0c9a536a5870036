"""The whole server behind a real reverse proxy, with TLS there, under a path prefix, with accounts."""

from __future__ import annotations

import re
import ssl
from pathlib import Path

import httpx
import pytest
from openai import DefaultHttpxClient, OpenAI

from tests.nginx import NoNginx, make_certificate
from tests.processes import ask, serving, value
from tests.proxied import MODEL, PREFIX, Proxied


def test_a_stranger_is_led_to_log_in_and_back_to_the_page(proxied: Proxied) -> None:
    with proxied.client() as client:
        form = client.get(f"{proxied.url}/", headers={"accept": "text/html"})
        assert form.status_code == 401
        assert f'action="{PREFIX}/login"' in form.text
        answer = proxied.log_in(client)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{PREFIX}/")
        for wanted in ("Secure", "HttpOnly", f"Path={PREFIX}", "SameSite=Lax"):
            assert wanted in answer.headers["set-cookie"]


def test_the_page_and_all_its_parts_load_under_the_prefix(proxied: Proxied) -> None:
    with proxied.client() as client:
        proxied.log_in(client)
        page = client.get(f"{proxied.url}/", headers={"accept": "text/html"})
        assert page.status_code == 200
        linked = set(re.findall(r'(?:href|src)=\\?"([^"#\\]+\.(?:js|css)[^"\\]*)', page.text))
        linked -= {"/manifest.json"}  # Gradio's own, for an app that is installed; the page does without
        assert len(linked) > 5
        for part in linked:
            assert "://" not in part or part.startswith(proxied.url), part
            assert client.get(httpx.URL(f"{proxied.url}/").join(part)).status_code == 200, part
        assert client.get(f"{proxied.url}/config").json()["root"] == proxied.url


def test_the_docs_name_addresses_under_the_prefix(proxied: Proxied) -> None:
    with proxied.client() as client:
        proxied.log_in(client)
        docs = client.get(f"{proxied.url}/openai/docs")
        assert docs.status_code == 200
        for part in re.findall(r'(?:href|src)="([^"]+\.(?:js|css|png))"', docs.text):
            assert client.get(httpx.URL(proxied.url).join(part)).status_code == 200, part
        (document,) = set(re.findall(r"url: '([^']+)'", docs.text))
        described = client.get(httpx.URL(proxied.url).join(document)).json()
        assert described["servers"] == [{"url": f"{PREFIX}/openai"}]


def test_the_sdk_works_through_the_proxy(proxied: Proxied) -> None:
    trust = ssl.create_default_context(cafile=str(proxied.certificate))
    http = DefaultHttpxClient(verify=trust)
    base_url = f"{proxied.url}/openai/v1"
    with OpenAI(base_url=base_url, api_key=proxied.key, http_client=http, max_retries=0) as client:
        assert [model.id for model in client.models.list()] == [MODEL]
        answer = client.completions.create(model=MODEL, prompt="go", max_tokens=2)
        assert answer.choices[0].text.split() == ["word", "word"]


def test_a_stream_comes_as_it_is_made(proxied: Proxied) -> None:
    """Its first event is here while the call still runs, though nginx buffers what does not forbid it."""
    body = {"model": MODEL, "prompt": "go", "stream": True}
    headers = {"authorization": f"Bearer {proxied.key}"}
    with (
        proxied.client() as client,
        client.stream("POST", f"{proxied.url}/openai/v1/completions", json=body, headers=headers) as stream,
    ):
        lines = stream.iter_lines()  # while this is held the call is not left
        assert next(lines).startswith("data: ")
        numbers = ask(proxied.inner, "GET", "/metrics", proxied.key).read().decode()
        assert "workbench_requests_running 1.0" in numbers


def test_a_page_event_comes_back_through_the_proxy_unbuffered(proxied: Proxied) -> None:
    with proxied.client() as client:
        proxied.log_in(client)
        url = f"{proxied.url}/gradio_api/heartbeat/some-tab"
        with client.stream("GET", url) as stream:
            assert next(stream.iter_lines()) == "data: ALIVE"


def test_what_the_proxy_does_not_vouch_for_is_not_believed(proxied: Proxied) -> None:
    """Whoever reaches the server itself cannot make it name another host."""
    with httpx.Client() as client:
        forged = {"x-forwarded-host": "evil.example", "host": "evil.example"}
        assert client.get(f"{proxied.inner}/health/live", headers=forged).status_code == 403
    with proxied.client() as client:
        proxied.log_in(client)
        config = client.get(f"{proxied.url}/config", headers={"x-forwarded-host": "evil.example"})
        assert "evil.example" not in config.text


def test_the_server_speaks_tls_itself(tmp_path: Path) -> None:
    try:
        certificate, key = make_certificate(tmp_path)
    except NoNginx as reason:
        pytest.skip(str(reason))
    arguments = ["--ssl-certfile", str(certificate), "--ssl-keyfile", str(key)]
    with serving(tmp_path, arguments=arguments) as server:
        lines = server.lines()
        url = value(lines, "Workbench")
        assert url.startswith("https://127.0.0.1:")
        trust = ssl.create_default_context(cafile=str(certificate))
        headers = {"authorization": f"Bearer {value(lines, 'API key')}"}
        with httpx.Client(verify=trust) as client:
            assert client.get(f"{url}/openai/v1/models", headers=headers).status_code == 200
