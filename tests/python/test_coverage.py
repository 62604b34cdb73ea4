"""Every sample file is read like uproot and ROOT read it, and docs/formats/coverage.md says how much of each."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uproot")
pytest.importorskip("awkward")

import coverage_report

FILES = coverage_report.data_files()

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FILES, reason=f"no sample files in {coverage_report.DATA}"),
]


@pytest.fixture(scope="module")
def reports() -> dict[str, dict[str, Any]]:
    return coverage_report.check_all(FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_column_is_read_right(reports: dict[str, dict[str, Any]], path: Path) -> None:
    report = reports[f"{path.parent.name}/{path.name}"]
    assert not coverage_report.problems(report)


def test_page_says_what_was_found(reports: dict[str, dict[str, Any]]) -> None:
    assert coverage_report.DOCUMENT.read_text() == coverage_report.render(reports), (
        "run: python tests/python/coverage_report.py --write"
    )


def test_every_folder_was_there() -> None:
    assert {path.parent.name for path in FILES} == set(coverage_report.FOLDERS)


def test_crash_and_wrong_file_are_findings(tmp_path: Path) -> None:
    broken = tmp_path / "broken.root"
    broken.write_bytes(b"not a ROOT file")
    assert coverage_report.problems(coverage_report.check_guarded(broken))
