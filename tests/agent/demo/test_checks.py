"""What every demo claims holds where it does, and is seen where it does not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from agent.demo.checks import checks
from agent.demo.exported import ReplayedRun
from agent.demo.pairs import paired
from agent.demo.side import Side
from tests.agent.demo.killed import REQUESTS, SPANS, STORY, Exported, request
from tracing.conventions import QUERY_NAME

if TYPE_CHECKING:
    from agent.demo.story import Story
    from agent.local.journal import RequestRecord
    from tracing.tracefile import Span

ONCE, NONE_BESIDES, LIVE, TOKENS, REUSED, SILENT = (
    "each model call whose completion was in the history was made exactly once",
    "the model server counted one request for each attempt, none besides",
    "every live span is in the export, with the same IDs, parent, name, start and attributes",
    "tokens and calls of the account are those that the model server gave",
    "the replay took every result from history",
    "the replay made no model call",
)


def failed(
    story: Story = STORY, *, live: list[Span] = SPANS, reproduced: bool = True, replay_requests: int = 0
) -> list[str]:
    """The claims that do not hold."""
    side = Side.of("run", [Exported(SPANS)], [ReplayedRun(reproduced, SPANS)], story)
    held = checks(story, [side], paired(live, SPANS), replay_requests=replay_requests)
    return [claim for claim, holds in held.items() if not holds]


def asked(*more: RequestRecord, without: int = 0) -> Story:
    return replace(STORY, requests=(*more, *REQUESTS[without:]))


def test_all_of_it_holds_although_an_attempt_died_and_another_one_failed() -> None:
    assert failed() == []


def test_a_completed_call_that_is_made_again_is_seen() -> None:
    assert ONCE in failed(asked(request("1", 2, (1009, 211))))


def test_a_completed_call_that_was_never_made_is_seen() -> None:
    assert ONCE in failed(asked(without=1))


def test_a_story_in_which_nothing_was_completed_shows_nothing() -> None:
    assert failed(replace(STORY, completed=frozenset())) == [ONCE]


def test_requests_of_no_step_and_more_than_the_attempts_can_have_made_are_seen() -> None:
    assert NONE_BESIDES in failed(asked(request("9", 1, None)))
    assert NONE_BESIDES in failed(asked(request("1", 1, None, run_id="run-2")))
    assert NONE_BESIDES in failed(asked(request("3", 3, None)))


def test_a_live_span_that_is_not_in_the_export_or_differs_is_seen() -> None:
    renamed = [msgspec.structs.replace(SPANS[0], name="another"), *SPANS[1:]]
    alone = [*SPANS, msgspec.structs.replace(SPANS[0], span_id=99)]

    assert failed(live=renamed) == [LIVE]
    assert failed(live=alone) == [LIVE]
    assert failed(live=SPANS[3:]) == []  # what was lost live is in the export
    assert failed(live=[]) == [LIVE]  # of nothing nothing is claimed


def test_a_query_leaves_no_event_and_need_not_be_in_the_export() -> None:
    query = msgspec.structs.replace(SPANS[0], span_id=99, attributes={QUERY_NAME: "progress"})

    assert failed(live=[*SPANS, query]) == []


def test_other_tokens_than_the_servers_are_seen() -> None:
    assert failed(replace(STORY, requests=(request("1", 1, (1009, 212)), *REQUESTS[1:]))) == [TOKENS]


def test_a_replay_that_diverged_or_asked_the_model_is_seen() -> None:
    assert failed(reproduced=False) == [REUSED]
    assert failed(replay_requests=1) == [SILENT]
