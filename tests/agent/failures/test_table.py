"""Where the table is put, and what is said where it cannot be."""

from __future__ import annotations

import pytest

from agent.failures.__main__ import main
from agent.failures.table import BEGIN, END, with_table


def test_the_table_takes_the_place_of_the_one_before() -> None:
    document = f"# Title\n\n{BEGIN}\n\n| old |\n\n{END}\n\nMore.\n"

    assert with_table(document, "| new |\n") == f"# Title\n\n{BEGIN}\n\n| new |\n\n{END}\n\nMore.\n"
    assert with_table(f"{BEGIN}\n{END}\n", "| new |\n") == f"{BEGIN}\n\n| new |\n\n{END}\n"


@pytest.mark.parametrize("document", ["", BEGIN, END, f"{END}\n{BEGIN}"])
def test_a_document_without_a_place_for_it_is_refused(document: str) -> None:
    with pytest.raises(ValueError, match="no place for the table"):
        with_table(document, "| new |\n")


def test_only_whole_tables_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["pod-kill", "--write", "README.md"])
    assert "take the table of all failures" in capsys.readouterr().err

    with pytest.raises(SystemExit, match="2"):
        main(["flood"])
    assert "there is no failure flood; there are llm-timeout, rate-limit, pod-kill" in capsys.readouterr().err
