"""Pages of one history, in one file and in several."""

from __future__ import annotations

import json
import math
from itertools import pairwise
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


EMPTY_PAGE = (
    "It is a page without events, and nothing says of which history it is the last: put it into a folder with the "
    "other pages of that history alone, or export the history again."
)
MISSING = "It is one page of the history: later events are missing. Read it with the other pages."


@pytest.mark.parametrize(
    "empty",
    [
        {"history": {}},
        {"history": {"events": []}},
        {"events": []},
        {"history": {"events": []}, "rawHistory": [], "nextPageToken": None, "archived": False},
        {"history": None, "rawHistory": [], "nextPageToken": ""},
    ],
)
@pytest.mark.parametrize("token", ["AAAA", None])
def test_an_empty_page_ends_the_history_in_whose_folder_it_lies(
    tmp_path: Path, empty: dict[str, Any], token: str | None
) -> None:
    first, last = _pages(8)
    paths = _write(tmp_path, [first, last | {"nextPageToken": token}, empty], "page")
    (history,) = read(tmp_path)
    assert isinstance(history, History)
    assert (len(history.events), history.defects, history.source) == (11, (), " + ".join(map(str, paths)))
    assert _shown(*reversed(paths)) == ["1: 11 events"]
    for path in paths:
        assert _shown(path, beside=True) == ["1: 11 events"]


def test_an_empty_page_ends_a_run_that_is_still_open(tmp_path: Path) -> None:
    events = _events()[:7]
    _write(tmp_path, [{"history": {"events": events}, "nextPageToken": "AAAA"}], "page")
    assert _shown(tmp_path) == [f"1: 7 events {MISSING}"]
    (tmp_path / "page-2.json").write_text('{"history": {}}')
    assert _shown(tmp_path) == ["1: 7 events"]


def test_an_empty_page_in_one_file_with_the_others() -> None:
    first, last = _pages(8)
    pages = [first, last | {"nextPageToken": "AAAA"}, {"history": {"events": []}}]
    assert _shown(json.dumps(pages).encode()) == ["1: 11 events"]
    assert _shown(json.dumps(pages[:2]).encode(), json.dumps(pages[2]).encode()) == ["1: 11 events"]
    assert _shown(json.dumps([first, pages[2]]).encode()) == ["1: 8 events"]


def test_an_empty_page_alone_says_what_it_is(tmp_path: Path) -> None:
    *_, empty = _write(tmp_path, [*_pages(8), {"history": {}}], "page")
    assert _shown(empty) == [EMPTY_PAGE]
    assert _shown(b'{"workflowId": "wf", "events": []}') == [EMPTY_PAGE]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "It is empty: export the history again."),
        ('{"history": {"events": [', "Its JSON is broken (Input data was truncated): export the history again."),
        ("{}", "It is JSON, but holds no events: give a Temporal history, such as {“events”: […]}."),
        ("[]", "Its list of events is empty: export the history again."),
        (
            '{"history": {"events": []}, "nextPageToken": "BBBB"}',
            "Its list of events is empty: export the history again.",
        ),
        ('{"events": [], "error": "timed out"}', "Its list of events is empty: export the history again."),
        ('{"history": {"events": []}, "rawHistory": [{}]}', "Its rawHistory is empty: fetch the page again."),
        (
            '{"code": 5, "message": "workflow not found"}',
            "It is JSON, but holds no events: give a Temporal history, such as {“events”: […]}.",
        ),
    ],
)
def test_what_only_looks_like_an_empty_page_ends_no_history(tmp_path: Path, text: str, reason: str) -> None:
    first, _ = _pages(8)
    _write(tmp_path, [first], "page")
    (tmp_path / "page-2.json").write_text(text)
    assert _shown(tmp_path) == [reason, f"1: 8 events {MISSING}"]


@pytest.mark.parametrize("between", ['{"history": {"events": [', "{}", '{"events": [{"eventTime": "…"}]}'])
def test_an_empty_page_after_one_that_cannot_be_read_hides_no_gap(tmp_path: Path, between: str) -> None:
    first, _ = _pages(8)
    paths = _write(tmp_path, [first, {}, {"history": {}}], "page")
    paths[1].write_text(between)
    _, *shown = _shown(tmp_path)
    assert shown == [f"1: 8 events {MISSING}", EMPTY_PAGE]
    assert _shown(paths[0], beside=True) == [f"1: 8 events {MISSING}"]
    assert _shown(paths[2], beside=True) == [EMPTY_PAGE]


def test_an_empty_page_after_one_that_is_not_there_hides_no_gap(tmp_path: Path) -> None:
    first, _, last = _pages(4)
    _write(tmp_path, [first, last, {"history": {}}], "page")
    assert _shown(tmp_path) == [
        f"1: 4 events {MISSING}",
        (
            "Its first event is 9 (WorkflowTaskStarted), but event 1 (WorkflowExecutionStarted) says whose history it "
            "is: export it again, whole."
        ),
        EMPTY_PAGE,
    ]


def test_beside_whole_histories_an_empty_page_needs_one_that_announces_it(tmp_path: Path) -> None:
    """It may be all that was saved of another run."""
    first, last = _pages(8)
    _write(tmp_path, [{"events": _events(BASE_RUN_ID)}], "whole")
    *_, empty = _write(tmp_path, [first, last, {"events": []}], "page")
    assert _shown(tmp_path) == ["0: 11 events", "1: 11 events", EMPTY_PAGE]
    assert _shown(empty, beside=True) == [EMPTY_PAGE]
    _write(tmp_path, [first, last | {"nextPageToken": "AAAA"}], "page")
    assert _shown(tmp_path) == ["0: 11 events", "1: 11 events"]
    assert _shown(empty, beside=True) == ["1: 11 events"]


def test_an_empty_history_beside_a_whole_one_is_no_page_of_it(tmp_path: Path) -> None:
    _write(tmp_path, [{"events": _events()}, {"events": []}], "run")
    assert _shown(tmp_path) == ["1: 11 events", EMPTY_PAGE]


def test_empty_pages_of_two_histories_are_not_guessed(tmp_path: Path) -> None:
    for name, run_id in (("a", RUN_ID), ("b", BASE_RUN_ID)):
        _write(tmp_path, [page | {"runId": run_id} for page in _pages(8, run_id)], name)
    empty, *_ = _write(tmp_path, [{"history": {}}], "c")
    assert _shown(tmp_path) == ["1: 11 events", "0: 11 events", EMPTY_PAGE]
    assert _shown(empty, beside=True) == [EMPTY_PAGE]


def test_two_empty_pages_end_no_history(tmp_path: Path) -> None:
    *_, first, second = _write(tmp_path, [*_pages(8), {"history": {}}, {"history": {}}], "page")
    assert _shown(tmp_path) == ["1: 11 events", EMPTY_PAGE, EMPTY_PAGE]
    assert _shown(second, beside=True) == _shown(first, beside=True) == [EMPTY_PAGE]


def test_an_empty_page_that_names_another_run_does_not_end_it(tmp_path: Path) -> None:
    first, last = (page | {"runId": RUN_ID} for page in _pages(8))
    _write(tmp_path, [first, last | {"nextPageToken": "AAAA"}, {"runId": BASE_RUN_ID, "events": []}], "page")
    assert _shown(tmp_path) == ["1: 11 events", EMPTY_PAGE]


def test_a_run_without_events_in_an_export_is_no_page(tmp_path: Path) -> None:
    _write(tmp_path, [_pages(8)[0], {"items": [{"history": {}}]}], "page")
    assert _shown(tmp_path) == [
        "It is JSON, but holds no events: give a Temporal history, such as {“events”: […]}.",
        f"1: 8 events {MISSING}",
    ]


def test_a_page_that_is_named_twice_is_one_page(tmp_path: Path) -> None:
    paths = _write(tmp_path, _pages(4), "page")
    assert _shown(tmp_path, *paths, f"{tmp_path}/../{tmp_path.name}") == ["1: 11 events"]


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
    pages=st.lists(
        st.builds(
            Page,
            first=st.integers(1, 6),
            last=st.integers(1, 6),
            closed=st.booleans(),
            names=st.builds(Names, run_id=st.sampled_from(["", "a", "b"])),
            more=st.booleans(),
        ).filter(lambda page: page.first <= page.last)
        | st.just(Page(0, 0, closed=False, names=Names())),
        max_size=8,
    ),
    beside=st.fixed_dictionaries({"whole": st.booleans(), "damaged": st.booleans()}),
)
def test_each_page_is_in_one_chain_and_chains_have_no_gap(pages: list[Page], beside: dict[str, bool]) -> None:
    found = chains(pages, **beside)
    assert sorted(position for chain in found for position in chain.positions) == list(range(len(pages)))
    for chain in found:
        *others, last = chain.positions
        with_events = others if pages[last].empty else chain.positions
        assert not any(pages[position].empty for position in others)
        for before, after in pairwise(with_events):
            assert pages[before].last + 1 == pages[after].first
            assert not pages[before].closed
