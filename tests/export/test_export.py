"""An export in one process: what it writes, what it keeps, what it does again, which of two sources wins."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.export.folders import CONFIG, content, export, history, manifest, names, put, run_id, settings, told
from tracing.export.commit import Commits
from tracing.export.engine import Export
from tracing.export.items import file_items
from tracing.export.journal import Journal
from tracing.export.layout import MANIFEST, journal_file, staging_folder, work_folder
from tracing.export.lock import locked
from tracing.export.records import Record, encode_line
from tracing.export.staging import Staged

NAME_1 = f"wf-1_{run_id(1)}.otlp.jsonl"
NAME_2 = f"wf-2_{run_id(2)}.otlp.jsonl"


@pytest.fixture
def histories(tmp_path: Path) -> Path:
    """Two runs."""
    put(tmp_path / "in" / "1.json", history(1))
    put(tmp_path / "in" / "2.json", history(2, 2))
    return tmp_path / "in"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_the_folder_has_a_trace_for_each_run_and_the_manifest(histories: Path, out: Path) -> None:
    records = export(out, histories)
    assert told(records) == [("1.json", "exported", NAME_1), ("2.json", "exported", NAME_2)]
    assert names(out) == [MANIFEST, NAME_1, NAME_2]
    assert [(r.namespace, r.workflow_id, r.run_id, r.spans, r.open) for r in records] == [
        ("default", "wf-1", run_id(1), 3, False),
        ("default", "wf-2", run_id(2), 5, False),
    ]


def test_a_second_call_does_nothing_again(histories: Path, out: Path) -> None:
    export(out, histories)
    before = {name: (out / name).stat().st_mtime_ns for name in content(out)}
    text = (out / MANIFEST).read_bytes()
    with Export(file_items([histories]), settings(out)) as call:
        assert (len(list(call.run())), call.done, call.kept) == (2, 2, 2)
    assert {name: (out / name).stat().st_mtime_ns for name in content(out)} == before
    assert (out / MANIFEST).read_bytes() == text


def remade(out: Path, *paths: Path, **given: Any) -> list[str]:
    """Which sources another call does again."""
    before = {name: (out / name).stat().st_ino for name in content(out)}
    return [
        Path(record.source).name
        for record in export(out, *paths, **given)
        if any(before.get(file.name) != (out / file.name).stat().st_ino for file in record.files)
    ]


CHANGES: dict[str, Callable[[Path, Path], object]] = {
    "its file is gone": lambda _, out: (out / NAME_1).unlink(),
    "its file is shorter": lambda _, out: os.truncate(out / NAME_1, 10),
    "its file has other bytes": lambda _, out: (out / NAME_1).write_bytes(b"x" * (out / NAME_1).stat().st_size),
    "its source has changed": lambda histories, _: put(histories / "1.json", history(1, 3)),
    "its source was touched": lambda histories, _: os.utime(histories / "1.json", (1, 1)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_source_is_done_again_when(histories: Path, out: Path, change: str) -> None:
    export(out, histories)
    CHANGES[change](histories, out)
    assert remade(out, histories) == ["1.json"]


SETTINGS: dict[str, dict[str, Any]] = {
    "content": {"config": replace(CONFIG, capture_content=True)},
    "redaction": {"config": replace(CONFIG, redact=str.__add__)},
    "compression": {"compression": "gzip"},
    "namespace": {"namespace": "prod"},
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_all_is_done_again_with_other_settings(histories: Path, out: Path, setting: str) -> None:
    export(out, histories)
    assert remade(out, histories, **SETTINGS[setting]) == ["1.json", "2.json"]
    assert remade(out, histories, **SETTINGS[setting]) == []


def test_all_is_done_again_by_another_version(histories: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(out, histories)
    monkeypatch.setattr("tracing.export.settings.VERSION", "0.2.0")
    assert remade(out, histories) == ["1.json", "2.json"]


def test_what_concerns_live_spans_alone_does_not_count(histories: Path, out: Path) -> None:
    export(out, histories)
    assert remade(out, histories, config=replace(CONFIG, spool="/var/spool", idle_release_seconds=9.0)) == []


def test_a_run_has_one_trace_in_the_folder_however_it_is_compressed(histories: Path, out: Path) -> None:
    export(out, histories)
    (out / "mine.otlp.jsonl").touch()
    export(out, histories, compression="gzip")
    assert names(out) == [MANIFEST, "mine.otlp.jsonl", f"{NAME_1}.gz", f"{NAME_2}.gz"]
    assert gzip.decompress((out / f"{NAME_1}.gz").read_bytes()).startswith(b'{"resourceSpans"')


# --- two sources of one run ---


def test_of_two_sources_of_a_run_the_first_wins(tmp_path: Path, out: Path) -> None:
    first, second = put(tmp_path / "z.json", history(1)), put(tmp_path / "a.json", history(1, 2))
    records = export(out, first, second)
    assert told(records) == [("a.json", "duplicate", "z.json"), ("z.json", "exported", NAME_1)]
    assert sorted(content(out)) == [NAME_1]
    assert records[1].spans == 3


def test_the_same_file_twice_is_one(histories: Path, out: Path) -> None:
    assert len(export(out, histories, histories / "1.json", histories)) == 2


def test_a_file_may_hold_a_run_twice(tmp_path: Path, out: Path) -> None:
    records = export(out, put(tmp_path / "both.json", history(1), history(2), history(1, 3)))
    assert [(r.part, r.parts, r.state, r.duplicate_of[-9:], r.spans) for r in records] == [
        (1, 3, "exported", "", 3),
        (2, 3, "exported", "", 3),
        (3, 3, "duplicate", "both.json", 0),
    ]


def test_a_run_of_another_namespace_does_not_overwrite_its_namesake(tmp_path: Path, out: Path) -> None:
    named = {**history(1, 2), "namespace": "prod"}
    first, second = put(tmp_path / "1.json", history(1)), put(tmp_path / "2.json", named)
    refusal = (
        f"Its files would be named like those of {first}, which is this run in another namespace (default): export one "
        "of them into another folder."
    )
    assert told(export(out, first, second)) == [
        ("1.json", "exported", NAME_1),
        ("2.json", "refused", refusal),
    ]


def test_an_open_run_and_the_same_run_later_on_are_two(tmp_path: Path, out: Path) -> None:
    earlier = put(tmp_path / "1.json", history(1, closed=False))
    later = put(tmp_path / "2.json", history(1, 2, closed=False))
    closed = put(tmp_path / "3.json", history(1, 2))
    records = export(out, earlier, later, closed)
    assert told(records) == [
        ("1.json", "exported", f"wf-1_{run_id(1)}-10.otlp.jsonl"),
        ("2.json", "exported", f"wf-1_{run_id(1)}-16.otlp.jsonl"),
        ("3.json", "exported", NAME_1),
    ]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2), (2, 0, 1), (0, 2, 1)])
def test_whichever_source_is_done_first_the_first_one_wins(tmp_path: Path, out: Path, order: tuple[int, ...]) -> None:
    """As worker processes finish when they do."""
    staging_folder(out).mkdir(parents=True)
    journal = Journal(journal_file(out))
    commits = Commits(out, journal, journal)
    for ordinal in order:
        written = export(tmp_path / f"{ordinal}", put(tmp_path / f"{ordinal}.json", history(1, 1 + ordinal)))
        (tmp_path / f"{ordinal}" / NAME_1).rename(Staged(out, ordinal).path(NAME_1))
        commits.commit(ordinal, tuple(written))
    assert told([record for ordinal in range(3) for record in journal.get(str(tmp_path / f"{ordinal}.json"))]) == [
        ("0.json", "exported", NAME_1),
        ("1.json", "duplicate", "0.json"),
        ("2.json", "duplicate", "0.json"),
    ]
    assert (out / NAME_1).read_bytes() == content_of(tmp_path / "alone", tmp_path / "0.json")
    assert list(staging_folder(out).iterdir()) == []
    journal.close()


def content_of(folder: Path, path: Path) -> bytes:
    export(folder, path)
    return (folder / NAME_1).read_bytes()


# --- several calls into one folder ---


def test_the_manifest_keeps_what_other_calls_have_left(histories: Path, out: Path) -> None:
    export(out, histories / "2.json")
    assert told(export(out, histories / "1.json")) == [("1.json", "exported", NAME_1)]
    assert told(manifest(out)) == [("1.json", "exported", NAME_1), ("2.json", "exported", NAME_2)]


def test_what_a_later_call_overwrites_is_no_longer_in_the_manifest(tmp_path: Path, out: Path) -> None:
    export(out, put(tmp_path / "1.json", history(1)))
    export(out, put(tmp_path / "2.json", history(1, 4)), compression="gzip")
    assert told(manifest(out)) == [("2.json", "exported", f"{NAME_1}.gz")]


def test_what_is_mended_is_no_longer_refused(tmp_path: Path, out: Path) -> None:
    path = tmp_path / "1.json"
    path.write_text("")
    assert told(export(out, path)) == [("1.json", "refused", "It is empty: export the history again.")]
    assert told(export(out, put(path, history(1)))) == [("1.json", "exported", NAME_1)]


# --- refused, and the rest is done ---


def test_each_that_is_refused_is_named_and_the_rest_is_done(histories: Path, tmp_path: Path, out: Path) -> None:
    (histories / "0.json").write_text('{"events": [{"eventId": "7"')
    (tmp_path / "empty").mkdir()
    records = export(out, histories, tmp_path / "empty", tmp_path / "missing.json")
    assert told(records) == [
        (
            "empty",
            "refused",
            (
                "No file in this folder ends in .json, .json.gz, .json.zst, .bin, and none is of Temporal Cloud's "
                "export (YYYY/MM/DD/HH/MM/NAME): give one that does."
            ),
        ),
        ("0.json", "refused", "Its JSON is broken (Input data was truncated): export the history again."),
        ("1.json", "exported", NAME_1),
        ("2.json", "exported", NAME_2),
        ("missing.json", "refused", "It does not exist: check the path."),
    ]


def test_a_fault_of_ours_costs_one_history(histories: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(history: Any, _config: object) -> list[Any]:
        if history.workflow_id == "wf-1":
            raise KeyError("event 7")
        return []

    monkeypatch.setattr("tracing.export.found.to_spans", failing)
    first, second = export(out, histories)
    assert first.state == "refused"
    assert first.refused.startswith("It cannot be converted (KeyError: 'event 7' at test_export.py, line ")
    assert second.state == "exported"


# --- faults at named points ---


class FaultError(BaseException):
    """The process ends here, as by SIGKILL: nothing of it catches this."""


def killed(out: Path, histories: Path, **given: Any) -> None:
    with pytest.raises(FaultError):
        export(out, histories, **given)


def undisturbed(tmp_path: Path, histories: Path, **given: Any) -> tuple[dict[str, bytes], list[Record]]:
    export(tmp_path / "undisturbed", histories, **given)
    return content(tmp_path / "undisturbed"), manifest(tmp_path / "undisturbed")


def test_killed_between_the_file_and_its_line(
    histories: Path, tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "append", _raising)
        killed(out, histories)
    assert (out / NAME_1).exists()
    assert journal_file(out).read_bytes() == b""
    export(out, histories)
    assert (content(out), manifest(out)) == undisturbed(tmp_path, histories)


def test_killed_between_the_files_of_one_run(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = put(tmp_path / "both.json", history(1), history(2))
    really_replace = Path.replace

    def replace_first(path: Path, target: Path) -> Path:
        if target == out / NAME_2:
            raise FaultError
        return really_replace(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", replace_first)
        killed(out, both)
    assert ((out / NAME_1).exists(), (out / NAME_2).exists()) == (True, False)
    export(out, both)
    assert (content(out), manifest(out)) == undisturbed(tmp_path, both)


def test_killed_in_the_middle_of_a_line(histories: Path, tmp_path: Path, out: Path) -> None:
    export(out, histories)
    lines = (out / MANIFEST).read_bytes().splitlines(keepends=True)
    (out / MANIFEST).unlink()
    work_folder(out).mkdir()
    journal_file(out).write_bytes(lines[0] + lines[1][:40])
    assert remade(out, histories) == ["2.json"]
    assert (content(out), manifest(out)) == undisturbed(tmp_path, histories)


def test_killed_while_a_file_is_written(histories: Path, tmp_path: Path, out: Path) -> None:
    staging_folder(out).mkdir(parents=True)
    Staged(out, 0).path(NAME_1).write_bytes(b'{"resourceSp')
    (work_folder(out) / ".fedcba9876543210.part").write_bytes(b"half a manifest")
    export(out, histories)
    assert (content(out), manifest(out)) == undisturbed(tmp_path, histories)


@pytest.mark.parametrize("step", ["before", "after"])
def test_killed_around_the_manifest(
    histories: Path, tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Before it has its name, and before the journal is taken away."""
    with monkeypatch.context() as patched:
        place = {"before": "tracing.export.engine.write_manifest", "after": "tracing.export.engine._remove_work"}
        patched.setattr(place[step], _raising)
        killed(out, histories)
    assert journal_file(out).exists()
    assert (out / MANIFEST).exists() == (step == "after")
    assert remade(out, histories) == []
    assert (content(out), manifest(out)) == undisturbed(tmp_path, histories)
    assert not work_folder(out).exists()


def _raising(*_: object, **__: object) -> None:
    raise FaultError


def test_an_interrupted_call_for_other_files_is_not_lost(histories: Path, out: Path) -> None:
    run = Export(file_items([histories]), settings(out)).run()
    next(run)
    run.close()
    export(out, histories / "2.json")
    assert told(manifest(out)) == [("1.json", "exported", NAME_1), ("2.json", "exported", NAME_2)]
    assert remade(out, histories) == []


def test_a_forged_manifest_names_no_file_outside_the_folder(histories: Path, out: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.otlp.jsonl.gz"
    secret.write_bytes(b"keep me")
    (record, _) = export(out, histories)
    forged = json.loads(encode_line(record))
    forged["files"][0]["name"] = "../secret.otlp.jsonl.gz"
    (out / MANIFEST).write_bytes(json.dumps(forged).encode() + b"\n")
    export(out, histories)
    assert secret.read_bytes() == b"keep me"
    assert told(manifest(out)) == [("1.json", "exported", NAME_1), ("2.json", "exported", NAME_2)]


def test_links_in_the_output_folder_lead_to_nothing_outside_of_it(histories: Path, out: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    run = put(elsewhere / "deep" / "run.json", history(1))
    line = elsewhere / "line"
    line.write_bytes(b"half a line")
    out.mkdir()
    (out / ".export").symlink_to(elsewhere)
    export(out, histories)
    assert told(manifest(out)) == [("1.json", "exported", NAME_1), ("2.json", "exported", NAME_2)]

    (out / ".export").mkdir()
    (out / ".export" / "journal.jsonl").symlink_to(line)
    export(out, histories)
    assert sorted(elsewhere.rglob("*")) == [run.parent, run, line]
    assert line.read_bytes() == b"half a line"


# --- one at a time ---


@pytest.mark.slow
def test_a_second_export_into_the_folder_waits_for_the_first(histories: Path, out: Path) -> None:
    out.mkdir()
    with locked(out) as first:
        assert first is not None
        waited: list[str] = []

        class GaveUpError(Exception):
            pass

        def waiting() -> None:
            waited.append("told")
            raise GaveUpError

        with pytest.raises(GaveUpError):
            list(Export(file_items([histories]), settings(out), waiting=waiting).run())
    assert waited == ["told"]
    assert len(export(out, histories)) == 2


def test_nothing_to_do_touches_nothing(out: Path) -> None:
    assert list(Export([], settings(out)).run()) == []
    assert not out.exists()
