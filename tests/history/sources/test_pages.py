"""Pages of one history, in one file and in several."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.history.recording import BASE_RUN_ID, RUN_ID, Recording
from tracing.config import TracingConfig
from tracing.history import History, Unreadable, read, to_spans
from tracing.history.documents import Names
from tracing.history.sources.pages import Page, chains

CONTENT = TracingConfig(capture_content=True)


def _events(run_id: str = RUN_ID) -> list[dict[str, Any]]:
    recording = Recording(run_id=run_id)
    for _ in range(3):
        recording.task()
    recording.complete()
    events: list[dict[str, Any]] = recording.json()["events"]
    return events


def _pages(size: int, run_id: str = RUN_ID) -> list[dict[str, Any]]:
    events = _events(run_id)
    count = math.ceil(len(events) / size)
    return [
        {
            "history": {"events": events[size * page : size * (page + 1)]},
            "nextPageToken": "AAAA" if page + 1 < count else None,
        }
        for page in range(count)
    ]


def _shown(*sources: Any, **options: Any) -> list[str]:
    return [
        f"{item.run_id[-1]}: {len(item.events)} events {' '.join(item.defects)}".rstrip()
        if isinstance(item, History)
        else item.reason
        for item in read(*sources, **options)
    ]


@pytest.mark.parametrize("order", [1, -1])
def test_a_list_of_pages_is_one_history(order: int) -> None:
    (whole,) = read(json.dumps({"events": _events()}).encode())
    (joined,) = read(json.dumps(_pages(4)[::order]).encode())
    assert isinstance(whole, History)
    assert isinstance(joined, History)
    assert (joined.defects, to_spans(joined, CONTENT)) == ((), to_spans(whole, CONTENT))


def test_batches_without_tokens_are_one_history() -> None:
    events = _events()
    batches = [{"events": events[:2]}, {"events": events[2:5]}, {"events": events[5:]}]
    assert _shown(json.dumps(batches).encode()) == ["1: 11 events"]


def test_pages_of_two_histories_in_one_list_are_told_apart_where_only_one_fits() -> None:
    pages = [*_pages(4), *_pages(5, BASE_RUN_ID)]
    assert _shown(json.dumps(pages).encode()) == ["1: 11 events", "0: 11 events"]


def test_pages_that_could_continue_two_histories_are_not_joined() -> None:
    first, *rest = _pages(8)
    other, _ = _pages(8, BASE_RUN_ID)
    missing = "It is one page of the history: later events are missing. Read it with the other pages."
    assert _shown(json.dumps([first, other, *rest]).encode()) == [
        (
            "It is a page of a history, events 9-11, and it is not clear whose: 2 pages end with event 8. Keep the "
            "pages of each history in a folder of its own, each page once."
        ),
        f"1: 8 events {missing}",
        f"0: 8 events {missing}",
    ]


def test_what_stands_beside_the_pages_tells_them_apart() -> None:
    pages = [
        page | {"runId": run_id}
        for pair in zip(_pages(8), _pages(8, BASE_RUN_ID), strict=True)
        for page, run_id in zip(pair, (RUN_ID, BASE_RUN_ID), strict=True)
    ]
    assert _shown(json.dumps(pages).encode()) == ["1: 11 events", "0: 11 events"]


def _write(folder: Path, pages: list[dict[str, Any]], name: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{name}-{number}.json" for number in range(1, len(pages) + 1)]
    for path, page in zip(paths, pages, strict=True):
        path.write_text(json.dumps(page))
    return paths


def test_pages_in_the_files_of_a_folder_are_one_history(tmp_path: Path) -> None:
    paths = _write(tmp_path, _pages(4), "page")
    _write(tmp_path, [{"events": _events(BASE_RUN_ID)}], "whole")
    # What takes several files comes last.
    assert _shown(tmp_path) == ["0: 11 events", "1: 11 events"]
    assert _shown(*paths) == ["1: 11 events"]
    (history,) = read(*paths)
    assert isinstance(history, History)
    assert history.source == " + ".join(map(str, paths))


def test_the_page_that_closes_the_run_is_the_last_though_a_server_promises_another(tmp_path: Path) -> None:
    """As a dev server 1.29.1 does, where a page ends with the last event: the next one is empty."""
    first, last = _pages(8)
    _write(tmp_path, [first, last | {"nextPageToken": "AAAA"}], "page")
    assert _shown(tmp_path) == ["1: 11 events"]


def test_pages_in_two_folders_are_not_mixed(tmp_path: Path) -> None:
    _write(tmp_path / "one", _pages(8), "page")
    _write(tmp_path / "two", _pages(8, BASE_RUN_ID), "page")
    assert _shown(tmp_path) == ["1: 11 events", "0: 11 events"]


def test_a_page_that_two_files_hold_is_not_guessed(tmp_path: Path) -> None:
    first, last = _pages(8)
    _write(tmp_path, [first, last, last], "page")
    unclear = (
        "It is a page of a history, events 9-11, and it is not clear whose: 2 pages go on after the one that ends with "
        "event 8. Keep the pages of each history in a folder of its own, each page once."
    )
    missing = "It is one page of the history: later events are missing. Read it with the other pages."
    assert _shown(tmp_path) == [f"1: 8 events {missing}", unclear, unclear]


def test_a_page_alone_finds_the_others_beside_it_where_that_is_asked_for(tmp_path: Path) -> None:
    first, second, third = _write(tmp_path, _pages(4), "page")
    _write(tmp_path, [{"events": _events(BASE_RUN_ID)}], "whole")
    assert _shown(first) == [
        "1: 4 events It is one page of the history: later events are missing. Read it with the other pages."
    ]
    assert _shown(second) == [
        (
            "Its first event is 5 (WorkflowTaskScheduled), but event 1 (WorkflowExecutionStarted) says whose history "
            "it is: export it again, whole."
        )
    ]
    for path in (first, second, third):
        assert _shown(path, beside=True) == ["1: 11 events"]


def test_a_page_without_any_event_stops_no_other(tmp_path: Path) -> None:
    first, second = _write(tmp_path, _pages(8), "page")
    empty = tmp_path / "empty.json"
    empty.write_text(json.dumps({"history": {"events": [{"eventTime": "…"}]}, "nextPageToken": "AAAA"}))
    without = "No event has an ID and a time: export the history again."
    assert _shown(empty, first, second) == [without, "1: 11 events"]
    assert _shown(second, beside=True) == ["1: 11 events"]


def test_a_page_that_is_gone_before_it_is_read_again(tmp_path: Path) -> None:
    _write(tmp_path, _pages(4), "page")
    _write(tmp_path, [{"events": _events(BASE_RUN_ID)}], "whole")
    found = read(tmp_path)
    assert isinstance(next(found), History)
    (tmp_path / "page-2.json").unlink()
    (gone,) = found
    assert isinstance(gone, Unreadable)
    assert gone.reason == "It cannot be read (No such file or directory): check its permissions."


@given(
    st.lists(
        st.builds(
            Page,
            first=st.integers(1, 6),
            last=st.integers(1, 6),
            closed=st.booleans(),
            names=st.builds(Names, run_id=st.sampled_from(["", "a", "b"])),
        ).filter(lambda page: page.first <= page.last),
        max_size=8,
    )
)
def test_each_page_is_in_one_chain_and_chains_have_no_gap(pages: list[Page]) -> None:
    found = chains(pages)
    assert sorted(position for chain in found for position in chain.positions) == list(range(len(pages)))
    for chain in found:
        for before, after in zip(chain.positions, chain.positions[1:], strict=False):
            assert pages[before].last + 1 == pages[after].first
            assert not pages[before].closed
