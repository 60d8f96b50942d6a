"""Fetching a package: from where pip is told, only the pinned bytes, and nothing of it runs."""

import base64
import hashlib
import http.server
import io
import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models import fetch, pipsettings
from models.errors import BuildFailed
from models.manifest import Package

NAME = "A_package.of-no-one"
FILE = "a_package_of_no_one-1.0.tar.gz"
SECRET = "s3cret"


def _quiet(line: str) -> None:
    assert "\n" not in line


def _sdist_that_tells(witness: Path) -> bytes:
    """A source package whose setup.py would leave a file behind."""
    code = f"open({str(witness)!r}, 'w').close()\n".encode()
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name in ("setup.py", "pyproject.toml"):
            info = tarfile.TarInfo(f"a_package_of_no_one-1.0/{name}")
            info.size = len(code) if name == "setup.py" else 0
            archive.addfile(info, io.BytesIO(code))
    return made.getvalue()


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return _sdist_that_tells(tmp_path / "it-ran")


@pytest.fixture
def package(content: bytes) -> Package:
    digest = hashlib.sha256(content).hexdigest()
    return Package("held", NAME, "1.0", FILE, digest, len(content), "CC0-1.0")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Tells pip where to look, and nothing else that this machine would say."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("no_proxy", "*")

    def tell(**options: str) -> None:
        for option, value in options.items():
            monkeypatch.setenv(f"PIP_{option.upper()}", value)

    tell(no_index="1")
    return tell


def _index(folder: Path, content: bytes, link: str | None = None) -> str:
    """A simple index on the disk that offers one file; returns its address."""
    page = folder / "simple" / "a-package-of-no-one" / "index.html"
    page.parent.mkdir(parents=True)
    (folder / "files").mkdir()
    (folder / "files" / FILE).write_bytes(content)
    target = link or f"../../files/{FILE}"
    page.write_text(f'<a href="other-1.0.zip">other</a><a href="{target}#sha256=0">it</a>')
    return (folder / "simple").as_uri()


Answer = tuple[int, dict[str, str], bytes]


class _Server(http.server.ThreadingHTTPServer):
    """Gives prepared answers by path, and keeps what it was asked."""

    answers: dict[str, Answer]
    asked: list[tuple[str, str | None]]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Answering(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Authorization"]))
        status, headers, body = self.server.answers.get(self.path, (404, {}, b"no"))
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
        pass


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server(("127.0.0.1", 0), _Answering) as made:
        made.answers, made.asked = {}, []
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


PAGE = "/simple/a-package-of-no-one/"


def _offer(server: _Server, content: bytes, **headers: str) -> None:
    server.answers[PAGE] = (200, {}, f'<a href="/files/{FILE}">it</a>'.encode())
    server.answers[f"/files/{FILE}"] = (200, headers, content)


def _is_left_clean(cache: Path) -> bool:
    return not cache.exists() or list(cache.iterdir()) == []


@pytest.mark.requirement("A30")
def test_nothing_of_a_source_package_runs(
    package: Package, cache: Path, tmp_path: Path, content: bytes, settings: Callable[..., None]
) -> None:
    settings(no_index="0", index_url=_index(tmp_path / "index", content))
    assert fetch.fetch(package, cache, _quiet).read_bytes() == content
    assert not (tmp_path / "it-ran").exists()


def test_a_package_comes_from_a_folder_that_pip_is_told_of(
    package: Package, cache: Path, tmp_path: Path, content: bytes, settings: Callable[..., None]
) -> None:
    (tmp_path / FILE).write_bytes(content)
    settings(find_links=f"{tmp_path / 'gone'} {tmp_path}")
    assert fetch.fetch(package, cache, _quiet) == cache / FILE


def test_a_package_comes_from_a_page_of_links(
    package: Package, cache: Path, tmp_path: Path, content: bytes, settings: Callable[..., None]
) -> None:
    _index(tmp_path, content)
    settings(find_links=str(tmp_path / "simple" / "a-package-of-no-one" / "index.html"))
    assert fetch.fetch(package, cache, _quiet).read_bytes() == content


def test_a_package_comes_over_http(
    package: Package, cache: Path, content: bytes, server: _Server, settings: Callable[..., None]
) -> None:
    _offer(server, content)
    settings(no_index="0", index_url=f"http://{server.address}/simple/")
    assert fetch.fetch(package, cache, _quiet).read_bytes() == content
    assert server.asked == [(PAGE, None), (f"/files/{FILE}", None)]


def test_links_count_from_where_a_page_really_is(
    package: Package, cache: Path, content: bytes, server: _Server, settings: Callable[..., None]
) -> None:
    server.answers[PAGE] = (301, {"Location": "/mirror/deep/page/"}, b"")
    server.answers["/mirror/deep/page/"] = (200, {}, f'<a href="../{FILE}">it</a>'.encode())
    server.answers[f"/mirror/deep/{FILE}"] = (200, {}, content)
    settings(no_index="0", index_url=f"http://{server.address}/simple")
    assert fetch.fetch(package, cache, _quiet).read_bytes() == content


def test_a_password_goes_to_its_own_host_alone(
    package: Package, cache: Path, content: bytes, server: _Server, settings: Callable[..., None]
) -> None:
    _offer(server, content)
    port = server.server_address[1]
    elsewhere = f'<a href="http://localhost:{port}/files/{FILE}">it</a>'.encode()
    server.answers[PAGE] = (200, {}, elsewhere)
    settings(no_index="0", index_url=f"http://anna:{SECRET}%21@{server.address}/simple")
    fetch.fetch(package, cache, _quiet)
    wanted = "Basic " + base64.b64encode(f"anna:{SECRET}!".encode()).decode()
    assert server.asked == [(PAGE, wanted), (f"/files/{FILE}", None)]


@pytest.mark.requirement("A30", "T45")
def test_other_bytes_are_refused_and_not_kept(
    package: Package, cache: Path, tmp_path: Path, content: bytes, settings: Callable[..., None]
) -> None:
    other = bytes([*content[:-1], content[-1] ^ 1])
    settings(no_index="0", index_url=_index(tmp_path, other))
    with pytest.raises(BuildFailed, match="with other bytes than the manifest's sha256") as failure:
        fetch.fetch(package, cache, _quiet)
    assert "\n" not in str(failure.value)
    assert _is_left_clean(cache)


def test_a_place_with_other_bytes_does_not_hide_the_one_with_the_right_ones(
    package: Package, cache: Path, tmp_path: Path, content: bytes, settings: Callable[..., None]
) -> None:
    (tmp_path / FILE).write_bytes(content[:-1])
    settings(no_index="0", find_links=str(tmp_path), index_url=_index(tmp_path / "index", content))
    assert fetch.fetch(package, cache, _quiet).read_bytes() == content


def test_a_file_without_an_end_is_not_read_to_its_end(
    package: Package, tmp_path: Path, content: bytes
) -> None:
    endless = iter(lambda: content, None)
    fetch._save(endless, tmp_path / "held", package.size_bytes, _quiet)
    assert (tmp_path / "held").stat().st_size == 2 * len(content)


@pytest.mark.requirement("A30")
def test_a_page_of_the_network_cannot_name_a_file_of_this_machine(
    package: Package,
    cache: Path,
    tmp_path: Path,
    content: bytes,
    server: _Server,
    settings: Callable[..., None],
) -> None:
    (tmp_path / FILE).write_bytes(content)
    link = (tmp_path / FILE).as_uri()
    server.answers[PAGE] = (200, {}, f'<a href="{link}">it</a>'.encode())
    settings(no_index="0", index_url=f"http://{server.address}/simple")
    with pytest.raises(BuildFailed, match="no package index or folder that pip is told of has it"):
        fetch.fetch(package, cache, _quiet)


def _refusals(server: _Server, content: bytes) -> dict[str, str]:
    """Addresses of indexes by what is wrong with them, and the words for it."""
    _offer(server, content[:-3], **{"Content-Length": str(len(content))})
    server.answers["/closed/a-package-of-no-one/"] = (403, {}, b"")
    there = f"http://anna:{SECRET}@{server.address}"
    return {
        f"{there}/simple": "the connection ended in the middle",
        f"{there}/closed": "a package index answers 403",
        f"{there}/nothing": "no package index or folder that pip is told of has it",
        f"http://anna:{SECRET}@127.0.0.1:1/simple": r"no connection to a package index \(.+\)",
        f"http://anna:{SECRET}@[bad/simple": r"no connection to a package index \(.+\)",
        f"ftp://anna:{SECRET}@{server.address}/simple": r"no connection to a package index \(.+\)",
        "file:///nonexistent": "no package index or folder that pip is told of has it",
    }


@pytest.mark.parametrize("number", range(7))
def test_what_can_go_wrong_on_the_way_is_one_sentence_without_an_address(
    number: int,
    package: Package,
    cache: Path,
    content: bytes,
    server: _Server,
    settings: Callable[..., None],
) -> None:
    address, words = list(_refusals(server, content).items())[number]
    settings(no_index="0", index_url=address, find_links="")
    with pytest.raises(BuildFailed, match=rf"can't be fetched: {words}; .* by hand\.$") as failure:
        fetch.fetch(package, cache, _quiet)
    assert SECRET not in str(failure.value)
    assert "127.0.0.1" not in str(failure.value)
    assert _is_left_clean(cache)


def test_certificates_that_are_not_there_are_one_sentence(
    package: Package, cache: Path, tmp_path: Path, settings: Callable[..., None]
) -> None:
    settings(cert=str(tmp_path / "gone.pem"))
    with pytest.raises(BuildFailed, match="certificates that pip's settings name can't be read"):
        fetch.fetch(package, cache, _quiet)


def test_a_missing_pip_is_one_sentence(package: Package, cache: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    python = str(tmp_path / "bare" / "bin" / "python")
    with pytest.raises(BuildFailed, match=r"has no pip, whose settings .*: python -m ensurepip"):
        fetch.fetch(package, cache, _quiet, python)


def test_settings_that_pip_cannot_read_are_one_sentence(
    package: Package, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pip.conf").write_text("[global\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    with pytest.raises(BuildFailed, match="pip can't read its own settings; mend"):
        fetch.fetch(package, cache, _quiet)


def test_a_full_disk_is_one_sentence(package: Package, cache: Path) -> None:
    full = OSError(28, "No space left on device")
    assert fetch._cache_sentence(package, cache, full).startswith("The disk is full: ")


def test_the_settings_are_those_that_pip_would_follow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Callable[..., None]
) -> None:
    (tmp_path / "pip.conf").write_text(
        "[global]\nquiet = 2\nindex-url = https://first.test/simple\ncert = /a.pem\ntimeout = 7\n"
        "find-links =\n    /one\n    /two\n"
        "[download]\nindex-url = https://second.test/simple\n"
        "[install]\nindex-url = https://third.test/simple\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    settings(no_index="", extra_index_url="https://a.test/s https://b.test/s", proxy="p.test:1")
    assert pipsettings.read(sys.executable) == pipsettings.IndexSettings(
        indexes=("https://second.test/simple", "https://a.test/s", "https://b.test/s"),
        find_links=("/one", "/two"),
        authorities="/a.pem",
        client_certificate=None,
        proxy="p.test:1",
        timeout_s=7.0,
    )


def test_who_told_pip_nothing_gets_pips_own_index(settings: Callable[..., None]) -> None:
    settings(no_index="0")
    (index,) = pipsettings.read(sys.executable).indexes
    assert index.startswith("https://")


def test_who_forbids_indexes_gets_none(settings: Callable[..., None]) -> None:
    settings(no_index="true", index_url="https://first.test/simple")
    assert pipsettings.read(sys.executable).indexes == ()
