"""docs/schema.md is what the code makes, and a page that is not is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools import draw_schema


@pytest.mark.requirement("R16")
def test_the_page_is_current_and_faces_come_without_names() -> None:
    page = draw_schema.page()
    assert draw_schema.SCHEMA_FILE.read_text(encoding="utf-8") == page
    biometric = page.partition("## biometric.db")[2].partition("## audit.db")[0]
    columns = {line.split("|")[1].strip() for line in biometric.splitlines() if line[:2] == "| "}
    assert {"person", "sealed", "consent_id"} <= columns
    assert not columns & {"name", "sealed_name", "card", "flat", "phone", "number_plate"}


def test_a_page_that_differs_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(draw_schema, "SCHEMA_FILE", tmp_path / "schema.md")
    assert draw_schema.main(["--check"]) == 1
    assert "is not current" in capsys.readouterr().err
    assert draw_schema.main([]) == 0
    assert draw_schema.main(["--check"]) == 0
