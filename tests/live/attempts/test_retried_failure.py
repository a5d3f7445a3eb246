"""A failure that is retried and its attempt's ledger in 4 KiB: which gives way to which."""

from __future__ import annotations

from temporalio.api.failure.v1 import Failure as FailureProto

from tracing.live.attempts.retried_failure import MAX_RETRIED_FAILURE_BYTES, make_room, stamp_failure

FRAME = '  File "agent.py", line {}, in step\n    do()\n'
WITH_CONTENT, WITHOUT, USAGE_ONLY = 9_000, 1_200, 900
SIZES = [WITH_CONTENT, WITHOUT, USAGE_ONLY]


def trace(frames: int) -> str:
    return "\n".join(FRAME.format(100 + number) for number in range(frames))


def failure(message: str, frames: int, cause: FailureProto | None = None) -> FailureProto:
    made = FailureProto(message=message, stack_trace=trace(frames), cause=cause)
    made.application_failure_info.type = "Boom"
    return made


def test_beside_a_small_failure_there_is_room_for_all_but_content() -> None:
    small = failure("boom", 10)
    room = make_room(small, SIZES)
    assert small == failure("boom", 10)
    assert WITHOUT < room < WITH_CONTENT


def test_the_outermost_frames_give_way_also_of_causes() -> None:
    deep = failure("boom", 40, cause=failure("no answer", 30))
    room = make_room(deep, SIZES)
    assert room >= WITHOUT
    assert (deep.message, deep.cause.message, deep.cause.application_failure_info.type) == ("boom", "no answer", "Boom")
    for cut, whole in ((deep.stack_trace, trace(40)), (deep.cause.stack_trace, trace(30))):
        assert cut.startswith("  ...\n\n" + FRAME[:10])
        assert whole.endswith(cut.removeprefix("  ...\n\n"))


def test_the_failure_with_its_ledger_is_what_the_server_keeps_whole() -> None:
    for frames in range(100):
        deep = failure("boom", frames, cause=failure("no answer", frames))
        room = make_room(deep, SIZES)
        stamp_failure(deep, b"l" * room)
        assert deep.ByteSize() <= MAX_RETRIED_FAILURE_BYTES
        assert room >= WITHOUT


def test_attributes_give_way_where_messages_leave_little() -> None:
    long = failure("m" * 1_400, 10)
    room = make_room(long, SIZES)
    assert USAGE_ONLY <= room < WITHOUT
    assert long.message == "m" * 1_400


def test_where_messages_leave_no_room_stack_traces_stay() -> None:
    long = failure("m" * 2_000, 10)
    assert make_room(long, SIZES) < USAGE_ONLY
    assert long == failure("m" * 2_000, 10)


def test_without_a_ledger_stack_traces_stay() -> None:
    deep = failure("boom", 80)
    make_room(deep, [])
    assert deep == failure("boom", 80)


def test_frames_that_are_not_pythons_go_altogether() -> None:
    foreign = FailureProto(message="boom", stack_trace="at step (agent.ts:17)\n" * 200)
    assert make_room(foreign, SIZES) >= WITHOUT
    assert foreign.stack_trace == ""
