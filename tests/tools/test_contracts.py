"""The import contracts hold today, and each is broken by an import that it is there to forbid."""

from __future__ import annotations

import configparser
from pathlib import Path

import grimp
import pytest
from importlinter import cli

from tests.tools.contracts import ImportsOnlyContract, OwnerContract

ROOT = Path(__file__).resolve().parents[2]


def contract_options(name: str) -> dict[str, list[str]]:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    section = config[f"importlinter:contract:{name}"]
    return {key: value.split() for key, value in section.items()}


def graph_with(importer: str, imported: str) -> grimp.ImportGraph:
    """A house with one import in it."""
    graph = grimp.ImportGraph()
    for module in ("terminal", "terminal.core", "terminal.core.door", "hw", "hw.ports", "hw.gpio"):
        graph.add_module(module)
    graph.add_import(importer=importer, imported=imported, line_number=1, line_contents="")
    return graph


def owner_contract(name: str) -> OwnerContract:
    options = contract_options(name)
    fields = {"packages", "owners", "open_to_all", "within"}
    chosen = {key: value for key, value in options.items() if key in fields}
    return OwnerContract(name=name, session_options={}, contract_options=chosen)


def kept(contract: OwnerContract | ImportsOnlyContract, importer: str, imported: str) -> bool:
    return contract.check(graph_with(importer, imported), verbose=False).kept


def test_the_contracts_are_kept() -> None:
    assert cli.lint_imports(config_filename=str(ROOT / "setup.cfg"), no_cache=True) == 0


def test_there_is_no_ignore_list() -> None:
    assert "ignore_imports" not in (ROOT / "setup.cfg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("contract", "owner", "package"),
    [
        ("sqlite3", "terminal.schema", "sqlite3"),
        ("cryptography", "terminal.sealing", "cryptography"),
        ("gpio", "hw.gpio", "gpiozero"),
        ("picamera2", "hw.camera_picamera2", "picamera2"),
        ("runtime", "models.runtime", "ai_edge_litert"),
        ("wall-time", "terminal.clock", "time"),
        ("no-way-out", "models.fetch", "urllib"),
    ],
)
def test_an_owned_package_is_for_its_owner_alone(contract: str, owner: str, package: str) -> None:
    assert kept(owner_contract(contract), owner, package)
    assert not kept(owner_contract(contract), "terminal.anything", package)
    assert not kept(owner_contract(contract), "terminal.core.door", package)


def test_no_owned_package_but_the_clock_is_open_to_devices() -> None:
    assert not kept(owner_contract("sqlite3"), "hw.anything", "sqlite3")
    assert kept(owner_contract("wall-time"), "hw.anything", "time")


def test_the_application_names_concrete_devices_in_its_composition_alone() -> None:
    contract = owner_contract("one-place-for-devices")
    assert kept(contract, "terminal.app_door", "hw.gpio")
    assert kept(contract, "terminal.loop", "hw.ports")
    assert kept(contract, "hw.strike", "hw.gpio")
    assert not kept(contract, "terminal.loop", "hw.gpio")


@pytest.mark.parametrize(
    "imported",
    [
        *("numpy", "cv2", "msgspec", "sqlite3", "time", "threading", "socket", "os", "logging"),
        *("random", "hw.ports", "terminal.clock"),
    ],
)
def test_the_core_imports_nothing_that_acts_or_knows_a_time(imported: str) -> None:
    contract = ImportsOnlyContract(
        name="core",
        session_options={},
        contract_options={
            "package": "terminal.core",
            "allowed": contract_options("core-decides-and-does-nothing")["allowed"],
        },
    )
    assert kept(contract, "terminal.core.door", "dataclasses")
    assert kept(contract, "terminal.core.door", "terminal.core")
    assert not kept(contract, "terminal.core.door", imported)


@pytest.mark.parametrize("name", ["hw-is-an-island", "models-is-an-island"])
def test_an_island_is_forbidden_everything_else_of_ours(name: str) -> None:
    options = contract_options(name)
    (island,) = options["source_modules"]
    assert set(options["forbidden_modules"]) == {"terminal", "hw", "models"} - {island}
    assert options["type"] == ["forbidden"]
