"""Downloads the pinned packages, from wherever pip would take them, checked by sha256.

A package is a file here: it is fetched by its name, hashed, and kept or thrown away. It must never
be installed, built or imported, nor asked about itself, as pip does with a source package: nothing
of it may run. Nor may an address be printed, as it may hold a password. It changes with the ways
in which indexes offer files (PEP 503 pages, folders).
"""

import contextlib
import errno
import http.client
import re
import ssl
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import IO, Final

from models import pipsettings
from models.errors import BuildFailed
from models.files import FileState, state_of
from models.manifest import Package
from models.pipsettings import IndexSettings

Say = Callable[[str], None]
"""Takes one line of progress for a person"""

_CHUNK_BYTES: Final = 1 << 18
_PAGE_BYTES: Final = 1 << 25
"""Longest page of links that is read"""

_NOWHERE: Final = "no package index or folder that pip is told of has it"


class _NotReachedError(Exception):
    """One place could not be asked; its text says why, without an address."""


class _NothingThereError(_NotReachedError):
    """The place answers that it has no such page or file."""


def fetch(package: Package, cache: Path, say: Say, python: str = sys.executable) -> Path:
    """The package's file in `cache`, downloaded if it is not there yet, its sha256 checked.

    `python` is the interpreter whose pip says where packages come from.

    Raises BuildFailed with one sentence: no network, wrong bytes, full disk, no pip.
    """
    path = cache / package.file
    state = state_of(path, package.sha256, package.size_bytes)
    if state is FileState.OK:
        return path
    if state is FileState.WRONG:
        raise BuildFailed(_wrong_bytes(package, path))
    say(f"fetching {package.name} {package.version} ({package.size_bytes / 1e6:.0f} MB)")
    source = _Source(pipsettings.read(python))
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=cache) as folder:
            _download(package, source, Path(folder) / package.file, say).replace(path)
    except OSError as error:
        raise BuildFailed(_cache_sentence(package, cache, error)) from error
    except _NotReachedError as error:
        raise BuildFailed(_not_reached(package, cache, str(error))) from error
    return path


def _download(package: Package, source: "_Source", path: Path, say: Say) -> Path:
    """The file at `path`, from the first place that has it with the pinned bytes.

    Raises OSError for the disk, _NotReachedError if no place offers it, BuildFailed for bytes that
    are not the pinned ones.
    """
    reason, other_bytes = _NOWHERE, False
    for place in source.places(package):
        try:
            for address in source.addresses(place, package.file):
                _save(source.chunks(address), path, package.size_bytes, say)
                if state_of(path, package.sha256, package.size_bytes) is FileState.OK:
                    return path
                other_bytes = True
        except _NothingThereError:
            continue
        except _NotReachedError as error:
            reason = str(error)
    if other_bytes:
        raise BuildFailed(_offered_otherwise(package))
    raise _NotReachedError(reason)


def _save(chunks: Iterator[bytes], path: Path, size_bytes: int, say: Say) -> None:
    """Write them, but never much more than the file should have; tell each quarter."""
    done_bytes = told = 0
    with path.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
            done_bytes += len(chunk)
            if done_bytes > size_bytes:
                return
            quarter = 4 * done_bytes // size_bytes
            if told < quarter < 4 and size_bytes > 20e6:
                say(f"fetched {done_bytes / 1e6:.0f} of {size_bytes / 1e6:.0f} MB")
            told = quarter


class _Source:
    """The indexes and folders that pip is told of, and the way to them."""

    def __init__(self, settings: IndexSettings) -> None:
        self._settings = settings
        self._passwords = urllib.request.HTTPPasswordMgrWithPriorAuth()
        self._opener = _opener(settings, self._passwords)

    def places(self, package: Package) -> Iterator[str]:
        """Where links to the package's files may be: folders and pages, nearest first."""
        yield from self._settings.find_links
        project = re.sub(r"[-_.]+", "-", package.name).lower()  # PEP 503
        for index in self._settings.indexes:
            yield f"{index.rstrip('/')}/{project}/"

    def addresses(self, place: str, file: str) -> Iterator[str]:
        """Where `place` says that a file of that name is. Raises _NotReachedError."""
        with _saying_why():
            folder = _local(place)
            if folder is not None and (folder / file).is_file():
                yield (folder / file).as_uri()
                return
            page, links = self._links(place if folder is None else _page_of(folder))
            for address in (urllib.parse.urljoin(page, link) for link in links):
                # A page of the network has nothing to say about files of this machine.
                if _name_in(address) == file and (_local(address) is None or folder is not None):
                    yield address

    def chunks(self, address: str) -> Iterator[bytes]:
        """The bytes at the address, piece by piece. Raises _NotReachedError, also in the middle."""
        with _saying_why(), self._open(address) as source:
            announced, taken_bytes = _announced_bytes(source), 0
            while chunk := source.read(_CHUNK_BYTES):
                taken_bytes += len(chunk)
                yield chunk
            if announced is not None and taken_bytes < announced:
                raise _NotReachedError("the connection ended in the middle")

    def _links(self, address: str) -> tuple[str, list[str]]:
        """Where the page really was, after redirections, and what it links to; [] if it is not."""
        try:
            with _saying_why(), self._open(address) as source:
                anchors = _Anchors()
                anchors.feed(source.read(_PAGE_BYTES).decode("utf-8", "replace"))
                return getattr(source, "url", address), anchors.links
        except _NothingThereError:
            return address, []

    def _open(self, address: str) -> IO[bytes]:
        local = _local(address)
        if local is not None:
            return local.open("rb")
        bare = self._without_password(address)
        request = urllib.request.Request(bare, headers={"Accept": "text/html, */*;q=0.1"})
        opened: IO[bytes] = self._opener.open(request, timeout=self._settings.timeout_s)
        return opened

    def _without_password(self, address: str) -> str:
        """The address to ask; its account and password are kept for that host alone."""
        parts = urllib.parse.urlsplit(address)
        account, at, host = parts.netloc.rpartition("@")
        if at:
            name, _, password = (urllib.parse.unquote(part) for part in account.partition(":"))
            self._passwords.add_password(
                None, f"{parts.scheme}://{host}/", name, password, is_authenticated=True
            )
        return parts._replace(netloc=host, fragment="").geturl()


def _opener(
    settings: IndexSettings, passwords: urllib.request.HTTPPasswordMgrWithPriorAuth
) -> urllib.request.OpenerDirector:
    """HTTP and HTTPS and nothing else: no `ftp:`, `file:` or `data:` behind a redirection."""
    proxies = None if settings.proxy is None else dict.fromkeys(("http", "https"), settings.proxy)
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(proxies),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=_tls(settings)),
        urllib.request.HTTPBasicAuthHandler(passwords),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _tls(settings: IndexSettings) -> ssl.SSLContext:
    given = settings.authorities
    try:
        is_folder = given is not None and Path(given).is_dir()
        context = ssl.create_default_context(
            cafile=None if is_folder else given, capath=given if is_folder else None
        )
        if settings.client_certificate is not None:
            context.load_cert_chain(settings.client_certificate)
    except OSError as error:  # ssl's own errors are some of these
        raise BuildFailed(
            "The certificates that pip's settings name can't be read; "
            "mend cert and client-cert in `python -m pip config list`."
        ) from error
    return context


class _Anchors(HTMLParser):
    """Collects where the links of a page lead."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        link = dict(attrs).get("href") if tag == "a" else None
        if link:
            self.links.append(link)


def _page_of(path: Path) -> str:
    """The page of links that a local index or a local file of links is."""
    return (path / "index.html" if path.is_dir() else path).as_uri()


def _name_in(address: str) -> str:
    return urllib.parse.unquote(urllib.parse.urlsplit(address).path.rpartition("/")[2])


def _local(address: str) -> Path | None:
    """The path behind a `file:` address or a plain path; None for the network."""
    parts = urllib.parse.urlsplit(address)
    if parts.scheme == "file":
        return Path(urllib.parse.unquote(parts.path))
    return None if "://" in address else Path(address).expanduser().absolute()


def _announced_bytes(source: IO[bytes]) -> int | None:
    """How long the other side says the file is."""
    headers = getattr(source, "headers", {})
    text = headers.get("Content-Length") or ""
    return int(text) if text.isdecimal() else None


@contextlib.contextmanager
def _saying_why() -> Iterator[None]:
    """Turns what goes wrong on the way to an address into words that do not hold it."""
    try:
        yield
    except FileNotFoundError as error:
        raise _NothingThereError(_NOWHERE) from error
    except urllib.error.HTTPError as error:
        with error:
            if error.code in (404, 410):
                raise _NothingThereError(_NOWHERE) from error
            raise _NotReachedError(f"a package index answers {error.code}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = _words_of(error)
        raise _NotReachedError(f"no connection to a package index ({why})") from error


def _words_of(error: Exception) -> str:
    """The system's own words, without an address."""
    cause = getattr(error, "reason", error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {cause.verify_message}"
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    return (isinstance(cause, OSError) and cause.strerror) or "its address can't be asked"


def _not_reached(package: Package, cache: Path, reason: str) -> str:
    return (
        f"{package.name} {package.version} can't be fetched: {reason}; "
        f"connect and run it again, or put {package.file} into {cache} by hand."
    )


def _offered_otherwise(package: Package) -> str:
    return (
        f"The package index offers {package.name} {package.version} with other bytes than the "
        "manifest's sha256; nothing was unpacked; use another index or check the network in "
        "between."
    )


def _full_disk(package: Package, cache: Path) -> str:
    return (
        f"The disk is full: {package.name} {package.version} needs "
        f"{package.size_bytes / 1e6:.0f} MB in {cache}; free some space and run it again."
    )


def _wrong_bytes(package: Package, path: Path) -> str:
    return (
        f"{path} is not {package.name} {package.version} as pinned (its sha256 differs); "
        "delete it and run it again."
    )


def _cache_sentence(package: Package, cache: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _full_disk(package, cache)
    return (
        f"{cache} can't be written: {error.strerror or error}; make it writable and run it again."
    )
