"""What a killed process leaves in the spool: sent once, by whoever starts next."""

from __future__ import annotations

import os
import threading
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.live.delivery.spooling import Backend, Killed, Spooled, eventually, files, wire
from tracing.live.delivery.spool import takeover
from tracing.live.delivery.spool.folder import Lock, dead_owners, new_lock
from tracing.live.delivery.spool.records import MAGIC, Kind, record_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from tracing.live.delivery.spool.segment import Segment

pytestmark = pytest.mark.slow

OPEN_CALL = """
from opentelemetry import context, trace
from tests.live.attempts.attempts import INFO, RUN_ID
from tests.live.delivery.spooling_attempt import attempt_in
attempt = attempt_in(spooled.provider)
context.attach(attempt.context())
call = spooled.provider.get_tracer("openai").start_span("chat gpt-4o", kind=trace.SpanKind.CLIENT, attributes={
    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
    "gen_ai.input.messages": '[{"role":"user","parts":[]}]'})
"""


def test_finished_spans_of_a_killed_process_are_sent_once(tmp_path: Path) -> None:
    Killed(tmp_path, "spooled.span('chat gpt-4o', 'execute_tool search')").kill()
    assert files(tmp_path) == ["lock", "spool"]

    spooled = Spooled(tmp_path)
    eventually(lambda: len(spooled.backend.spans) == 2)
    assert sorted(spooled.backend.names) == ["chat gpt-4o", "execute_tool search"]
    spooled.close()
    assert files(tmp_path) == []


def test_as_the_killed_process_would_have_sent_them(tmp_path: Path) -> None:
    killed = Killed(
        tmp_path,
        """
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        own = Backend()
        spooled.provider.add_span_processor(SimpleSpanProcessor(own))
        spooled.span("chat gpt-4o")
        print(wire(own.spans)[0].hex())
        """,
    )
    killed.kill()
    spooled = Spooled(tmp_path)
    eventually(lambda: len(spooled.backend.spans) == 1)
    assert [data.hex() for data in wire(spooled.backend.spans)] == killed.said
    spooled.close()


def test_what_had_arrived_is_not_sent_again(tmp_path: Path) -> None:
    Killed(
        tmp_path,
        """
        spooled.span("arrived")
        spooled.backend.up = True
        spooled.flush()
        spooled.span("queued")
        """,
    ).kill()
    spooled = Spooled(tmp_path)
    eventually(lambda: spooled.backend.names == ["queued"])
    spooled.close()
    assert spooled.backend.names == ["queued"]


def test_files_of_a_living_process_are_its_own(tmp_path: Path) -> None:
    living = Killed(tmp_path, "spooled.span('of the living')")
    spooled = Spooled(tmp_path)
    spooled.span("of this one")
    spooled.close()
    assert spooled.backend.names == ["of this one"]
    assert files(tmp_path) == ["lock", "spool"]
    living.kill()


def test_of_many_that_start_at_once_one_takes_over(tmp_path: Path) -> None:
    for number in range(3):
        Killed(tmp_path, f"spooled.span('chat {number}', 'tool {number}')").kill()
    started = [Spooled(tmp_path) for _ in range(4)]
    arrived = lambda: [name for spooled in started for name in spooled.backend.names]  # noqa: E731
    eventually(lambda: len(arrived()) >= 6)
    started[-1].taken_over()
    for spooled in started:
        spooled.close()
    assert set(Counter(arrived()).values()) == {1}
    assert len(arrived()) == 6
    assert files(tmp_path) == []


def test_who_gets_the_lock_of_a_dead_process_finds_no_file_that_is_about_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[list[Path]] = []
    remove = Lock.remove

    def watched(lock: Lock) -> None:
        left.append(lock.segments())
        remove(lock)

    monkeypatch.setattr(Lock, "remove", watched)
    Killed(tmp_path, "spooled.span('chat gpt-4o')").kill()
    spooled = Spooled(tmp_path)
    eventually(lambda: spooled.backend.names == ["chat gpt-4o"])
    spooled.taken_over()
    spooled.close()
    assert files(tmp_path) == []
    assert left == [[], []]


def test_who_takes_over_and_dies_leaves_it_to_the_next(tmp_path: Path) -> None:
    Killed(tmp_path, "spooled.span('chat gpt-4o')").kill()
    Killed(tmp_path, "eventually(lambda: spooled.backend.asked.is_set())").kill()
    spooled = Spooled(tmp_path)
    eventually(lambda: spooled.backend.names == ["chat gpt-4o"])
    spooled.taken_over()
    spooled.close()
    assert files(tmp_path) == []


def test_an_exporter_that_is_down_delays_no_start(tmp_path: Path) -> None:
    Killed(tmp_path, "spooled.span('chat gpt-4o')").kill()
    backend = Backend()
    backend.answers.clear()
    spooled = Spooled(tmp_path, backend)  # returns although the exporter hangs
    assert backend.asked.wait(30)
    spooled.span("of this one")
    backend.answers.set()
    eventually(lambda: backend.names == ["chat gpt-4o"])
    spooled.close()
    assert backend.names == ["chat gpt-4o", "of this one"]


def test_who_is_closed_while_it_takes_over_leaves_the_rest_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Killed(tmp_path, "spooled.span('chat gpt-4o')").kill()
    opened = takeover._opened
    closing: list[Spooled] = []
    started = threading.Event()

    def close_first(path: Path) -> Segment | None:
        started.wait(30)
        for spooled in closing:
            spooled.close()
        return opened(path)

    monkeypatch.setattr(takeover, "_opened", close_first)
    closing.append(Spooled(tmp_path))
    started.set()
    closing[0].taken_over()
    assert closing[0].backend.names == []
    assert files(tmp_path) == ["lock", "spool"]
    closing.clear()

    spooled = Spooled(tmp_path)  # of the same process: no lock is left held
    eventually(lambda: spooled.backend.names == ["chat gpt-4o"])
    spooled.taken_over()
    spooled.close()
    assert files(tmp_path) == []


def test_who_is_closed_leaves_no_lock_of_an_owner_without_files(tmp_path: Path) -> None:
    """As where another process had dealt with them between the look into the folder and the lock."""
    spooled = Spooled(tmp_path)
    spooled.taken_over()
    spooled.close()
    (tmp_path / f"7-{'a' * 16}.lock").touch()
    takeover.take_over(spooled.spool)
    assert files(tmp_path) == []


def test_a_lock_that_its_owner_removes_meanwhile_is_not_made_again(tmp_path: Path) -> None:
    dead = f"1-{'0' * 16}"  # the first that is looked at
    (tmp_path / f"{dead}.lock").touch()
    ending = new_lock(tmp_path)
    found = []
    for lock in dead_owners(tmp_path):
        found.append(lock.owner)
        lock.remove()
        ending.remove()
    assert (found, files(tmp_path)) == ([dead], [])


class TestWhatWasOpen:
    """An attempt and a model call that were open when their worker died."""

    def test_ended_with_its_worker(self, tmp_path: Path) -> None:
        Killed(tmp_path, OPEN_CALL).kill()
        [spool_file] = tmp_path.glob("*.spool")
        [lock] = tmp_path.glob("*.lock")
        second = 1_000_000_000
        os.utime(spool_file, ns=(0, 1_800_000_000 * second))
        os.utime(lock, ns=(0, 1_800_000_001 * second))

        spooled = Spooled(tmp_path)
        eventually(lambda: len(spooled.backend.spans) == 2)
        attempt, call = sorted(spooled.backend.spans, key=lambda span: span.start_time or 0)
        assert (attempt.name, call.name) == ("RunActivity:call_llm", "chat gpt-4o")
        for span in (attempt, call):
            assert span.status.status_code.name == "ERROR"
            assert (span.attributes or {})["error.type"] == "worker_lost"
            assert span.end_time == 1_800_000_001 * second
        assert attempt.context
        assert call.parent
        # The attempt's identity is that which it would have had.
        assert attempt.context.span_id == call.parent.span_id == 0x3AD2377CCF84F419
        assert attempt.start_time == 1_763_884_800_123_456_000
        spooled.close()
        assert files(tmp_path) == []

    def test_says_nothing_of_what_it_used(self, tmp_path: Path) -> None:
        Killed(tmp_path, OPEN_CALL).kill()
        spooled = Spooled(tmp_path)
        eventually(lambda: len(spooled.backend.spans) == 2)
        told = {key for span in spooled.backend.spans for key in span.attributes or {}}
        assert not {key for key in told if "usage" in key or "cost" in key or key.startswith("durable.llm")}
        [attempt] = [span for span in spooled.backend.spans if span.name == "RunActivity:call_llm"]
        assert (attempt.attributes or {})["durable.unrecorded"] is True
        spooled.close()

    def test_has_no_content_where_content_is_off(self, tmp_path: Path) -> None:
        Killed(tmp_path, OPEN_CALL).kill()
        assert not any(b"gen_ai.input.messages" in path.read_bytes() for path in tmp_path.iterdir())

    def test_is_nothing_once_it_has_ended(self, tmp_path: Path) -> None:
        Killed(tmp_path, OPEN_CALL + "call.end()\n").kill()
        spooled = Spooled(tmp_path)
        eventually(lambda: len(spooled.backend.spans) == 2)
        by_name = {span.name: (span.attributes or {}).get("error.type") for span in spooled.backend.spans}
        assert by_name == {"RunActivity:call_llm": "worker_lost", "chat gpt-4o": None}
        spooled.close()

    def test_is_told_by_nobody_while_its_worker_lives(self, tmp_path: Path) -> None:
        living = Killed(tmp_path, OPEN_CALL)
        spooled = Spooled(tmp_path)
        spooled.close()
        assert spooled.backend.names == []
        living.kill()


class TestDamage:
    """Files that were damaged, or made by others."""

    def start(self, folder: Path, taken: threading.Event, monkeypatch: pytest.MonkeyPatch) -> Spooled:
        take_over = takeover.take_over

        def watched(spool: object) -> None:
            take_over(spool)  # type: ignore[arg-type]
            taken.set()

        monkeypatch.setattr("tracing.live.delivery.spool.upkeep.take_over", watched)
        return Spooled(folder)

    def test_a_record_that_was_not_written_to_its_end_is_ignored(self, tmp_path: Path) -> None:
        Killed(tmp_path, "spooled.span('first', 'second')").kill()
        [path] = tmp_path.glob("*.spool")
        path.write_bytes(path.read_bytes()[:-1])
        spooled = Spooled(tmp_path)
        eventually(lambda: spooled.backend.names == ["first"])
        spooled.close()
        assert files(tmp_path) == []

    def test_a_damaged_file_is_named_and_put_aside(self, tmp_path: Path, tracing_log: list[str]) -> None:
        Killed(tmp_path, "spooled.span('first', 'second')").kill()
        [path] = tmp_path.glob("*.spool")
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
        offset = (len(data) - len(MAGIC) + 1) // 2 + len(MAGIC)
        spooled = Spooled(tmp_path)
        eventually(lambda: spooled.backend.names == ["first"])
        spooled.close()
        [said] = tracing_log
        assert said.startswith(f"The spool file {path} is skipped in part: the record at byte ")
        assert abs(int(said.split("byte ")[1].split()[0]) - offset) < 10
        assert files(tmp_path) == ["damaged"]

    @pytest.mark.parametrize(
        "content",
        [b"hello", MAGIC + b"\0" * 64, MAGIC + record_bytes(Kind.ENDED, b"k" * 24, b"no span")],
        ids=["another file", "noise", "a record of something else"],
    )
    def test_a_hostile_file_harms_nobody(
        self, content: bytes, tmp_path: Path, tracing_log: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "1-0123456789abcdef.000001.spool").write_bytes(content)
        taken = threading.Event()
        spooled = self.start(tmp_path, taken, monkeypatch)
        assert taken.wait(30)
        spooled.span("of this one")
        spooled.flush()
        eventually(lambda: len(tracing_log) == 1)
        spooled.close()
        assert spooled.backend.names == ["of this one"]
        assert "1-0123456789abcdef.000001.spool" in tracing_log[0]

    def test_a_link_out_of_the_folder_is_not_followed(
        self, tmp_path: Path, tracing_log: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        outside = tmp_path / "outside"
        outside.write_bytes(b"precious")
        folder = tmp_path / "spool"
        folder.mkdir(0o700)
        (folder / "1-0123456789abcdef.000001.spool").symlink_to(outside)
        taken = threading.Event()
        spooled = self.start(folder, taken, monkeypatch)
        assert taken.wait(30)
        spooled.close()
        assert outside.read_bytes() == b"precious"
        assert len(tracing_log) == 1
