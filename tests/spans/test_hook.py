"""What the user adds to every span."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from tests.spans.research import OFF, RUN, SECOND, START
from tracing.config import TracingConfig
from tracing.spans import hook as hook_module
from tracing.spans.hook import with_added
from tracing.spans.step import Outcome
from tracing.spans.timer import timer_span

SPAN = timer_span(OFF, RUN, "1", start=START, outcome=Outcome(START), timeout=SECOND)


def test_without_a_hook_a_span_is_what_it_was() -> None:
    assert with_added(OFF, SPAN) is SPAN


def test_what_the_hook_returns_is_added() -> None:
    def team(name: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
        return {"team": f"{name} of {attributes['temporalWorkflowID']}"}

    added = with_added(TracingConfig(add_attributes=team), SPAN)
    assert added == replace(SPAN, attributes={**SPAN.attributes, "team": "Timer of research-1"})


def test_it_gets_a_copy_of_the_attributes() -> None:
    def forgetful(_name: str, attributes: Any) -> dict[str, Any]:
        attributes.clear()
        return {}

    assert with_added(TracingConfig(add_attributes=forgetful), SPAN) == SPAN


@pytest.mark.parametrize("hook", [lambda _name, given: given["nothing"], lambda _name, _given: 7])
def test_a_hook_that_fails_adds_nothing_and_is_named_once(hook: Any, caplog: pytest.LogCaptureFixture) -> None:
    hook_module._say_failed.cache_clear()
    for _ in range(2):
        assert with_added(TracingConfig(add_attributes=hook), SPAN) is SPAN
    [record] = caplog.records
    assert (record.levelno, record.getMessage().startswith("add_attributes failed on Timer")) == (logging.WARNING, True)


def test_what_no_attribute_can_be_is_left_out_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    # `None` is what an environment variable that is not set gives: both readers leave it out.
    given = {
        "team": None,
        "owner": object(),
        "many": 2**63,
        "tags": ["a", 1],
        "name": "caf\ud800",
        "ratio": 0.5,
        "on": True,
    }
    config = TracingConfig(add_attributes=lambda _name, _given: given)
    hook_module._say_left_out.cache_clear()
    added = with_added(config, SPAN)
    assert with_added(config, SPAN) == added
    assert added.attributes == {
        **SPAN.attributes,
        "tags": ("a", "1"),
        "name": "caf\N{REPLACEMENT CHARACTER}",
        "ratio": 0.5,
        "on": True,
    }
    assert [record.getMessage() for record in caplog.records] == [
        "add_attributes gave 'team' as NoneType, which no attribute can be: it is left out",
        "add_attributes gave 'owner' as object, which no attribute can be: it is left out",
        "add_attributes gave 'many' as int, which no attribute can be: it is left out",
    ]
