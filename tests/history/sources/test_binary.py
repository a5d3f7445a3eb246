"""Binary histories that are damaged."""

from __future__ import annotations

from tests.history.recording import Recording
from tracing.history import History, Unreadable, read


def _history() -> bytes:
    recording = Recording()
    recording.task(ms=2)
    recording.complete(ms=5)
    return recording.proto().SerializeToString()


def test_events_that_cannot_be_decoded_are_left_out_and_counted() -> None:
    (history,) = read(_history() + b"\x0a\x02\x0a\x7f")
    assert isinstance(history, History)
    assert [event.id for event in history.events] == [1, 2, 3, 4, 5]
    assert history.defects == ("1 of its events cannot be decoded and are left out: copy the file again.",)


def test_a_file_that_is_cut_off_gives_what_is_there() -> None:
    (history,) = read(_history()[:-3])
    assert isinstance(history, History)
    assert [event.id for event in history.events] == [1, 2, 3, 4]
    assert history.defects == ("It ends in the middle of an event: copy the file again.",)
    (nothing,) = read(_history()[:20])
    assert isinstance(nothing, Unreadable)
    assert nothing.reason == ("It begins as a binary history, but none of its events can be decoded: copy it again.")


def test_json_may_begin_with_a_line_feed_as_messages_do() -> None:
    for text in (b"\n\n\n{}", b"\n{\n}", b"\n[\n", b"\n"):
        (refused,) = read(text)
        assert isinstance(refused, Unreadable)
        assert "binary" not in refused.reason
