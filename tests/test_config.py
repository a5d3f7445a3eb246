"""Settings: from arguments, from the environment, and what a broken one does."""

from __future__ import annotations

import logging

import pytest

from tracing import config as config_module
from tracing.config import TracingConfig


def test_defaults() -> None:
    assert TracingConfig.from_environment({}) == TracingConfig(
        capture_content=False,
        max_content_length=32_768,
        ledger=True,
        max_ledger_bytes=65_536,
        max_run_ledger_bytes=4_194_304,
        idle_release_seconds=2.0,
        include_workflows=(),
        exclude_workflows=(),
        include_activities=(),
        exclude_activities=(),
        temporal_ui="",
        add_attributes=None,
        redact=None,
    )


def test_each_setting_has_a_variable() -> None:
    environ = {
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
        "DURABLE_TRACE_MAX_CONTENT_LENGTH": "100",
        "DURABLE_TRACE_LEDGER": "off",
        "DURABLE_TRACE_MAX_LEDGER_BYTES": "2048",
        "DURABLE_TRACE_MAX_RUN_LEDGER_BYTES": "4096",
        "DURABLE_TRACE_IDLE_RELEASE_SECONDS": "0.5",
        "DURABLE_TRACE_INCLUDE_WORKFLOWS": "Research*, Report",
        "DURABLE_TRACE_EXCLUDE_WORKFLOWS": "*Cleanup",
        "DURABLE_TRACE_INCLUDE_ACTIVITIES": "call_*,,",
        "DURABLE_TRACE_EXCLUDE_ACTIVITIES": " ",
        "DURABLE_TRACE_TEMPORAL_UI": " http://localhost:8233 ",
    }
    assert TracingConfig.from_environment(environ) == TracingConfig(
        capture_content=True,
        max_content_length=100,
        ledger=False,
        max_ledger_bytes=2048,
        max_run_ledger_bytes=4096,
        idle_release_seconds=0.5,
        include_workflows=("Research*", "Report"),
        exclude_workflows=("*Cleanup",),
        include_activities=("call_*",),
        exclude_activities=(),
        temporal_ui="http://localhost:8233",
    )


def test_arguments_win_over_the_environment() -> None:
    environ = {"DURABLE_TRACE_LEDGER": "off", "DURABLE_TRACE_MAX_LEDGER_BYTES": "2048"}
    assert TracingConfig.from_environment(environ, ledger=True) == TracingConfig(ledger=True, max_ledger_bytes=2048)


@pytest.mark.parametrize(
    ("text", "on"),
    [
        ("SPAN_ONLY", True),
        ("span_and_event", True),
        ("true", True),
        ("EVENT_ONLY", False),
        ("NO_CONTENT", False),
        ("false", False),
        ("", False),
    ],
)
def test_the_content_switch_is_opentelemetrys(text: str, *, on: bool) -> None:
    environ = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": text}
    assert TracingConfig.from_environment(environ).capture_content is on


@pytest.mark.parametrize(
    ("name", "text", "default"),
    [
        ("DURABLE_TRACE_MAX_LEDGER_BYTES", "64k", "65536"),
        ("DURABLE_TRACE_MAX_LEDGER_BYTES", "-1", "65536"),
        ("DURABLE_TRACE_MAX_CONTENT_LENGTH", "1.5", "32768"),
        ("DURABLE_TRACE_IDLE_RELEASE_SECONDS", "soon", "2.0"),
        ("DURABLE_TRACE_IDLE_RELEASE_SECONDS", "nan", "2.0"),
        ("DURABLE_TRACE_IDLE_RELEASE_SECONDS", "inf", "2.0"),
        ("DURABLE_TRACE_LEDGER", "maybe", "True"),
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "ALL", "False"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named_and_its_default_used(
    name: str, text: str, default: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert TracingConfig.from_environment({name: text}) == TracingConfig()
    assert caplog.messages == [f"{name}={text!r} is not understood: using {default} instead"]


def test_content_is_cut_to_its_limit_with_a_mark() -> None:
    config = TracingConfig(max_content_length=40)
    assert config.content("input.value", "a" * 100) == "aaaaaaaaaaaaaaaaa… [cut: 100 characters]"


def test_content_within_its_limit_stays() -> None:
    assert TracingConfig(max_content_length=3).content("input.value", "abc") == "abc"


def test_cutting_what_was_cut_changes_nothing() -> None:
    # The ledger holds content that was cut live; the history reader cuts again.
    config = TracingConfig(max_content_length=50)
    once = config.content("input.value", "a" * 1_000)
    assert config.content("input.value", once) == once


def test_a_limit_of_zero_leaves_nothing() -> None:
    assert TracingConfig(max_content_length=0).content("input.value", "secret") == ""


def test_the_redactor_sees_key_and_text_before_the_cut() -> None:
    def redact(key: str, text: str) -> str:
        return f"{key}: {text.replace('ada@example.com', '[mail]')}"

    config = TracingConfig(redact=redact, max_content_length=60)
    assert config.content("input.value", "write to ada@example.com") == "input.value: write to [mail]"


@pytest.mark.parametrize("redact", [lambda key, text: text[key], lambda _key, _text: None])
def test_content_that_the_redactor_fails_on_is_withheld_and_said_once(
    redact: object, caplog: pytest.LogCaptureFixture
) -> None:
    config_module._say_withheld.cache_clear()
    config = TracingConfig(redact=redact)  # type: ignore[arg-type]
    for _ in range(2):
        assert config.content("input.value", "secret") == "[withheld: the redactor failed]"
    assert caplog.record_tuples == [
        ("durable_trace", logging.WARNING, "Redactor failed on input.value with TypeError: content withheld")
    ]


@pytest.mark.parametrize(
    ("include", "exclude", "name", "traced"),
    [
        ((), (), "Research", True),
        (("Research*",), (), "ResearchAgent", True),
        (("Research*",), (), "Report", False),
        (("Research", "Rep?rt"), (), "Report", True),
        ((), ("*Cleanup",), "NightlyCleanup", False),
        ((), ("*Cleanup",), "Cleanups", True),
        (("Nightly*",), ("*Cleanup",), "NightlyCleanup", False),
        (("research",), (), "Research", False),
    ],
    ids=["all", "included", "not included", "one of two", "excluded", "not excluded", "exclusion wins", "case counts"],
)
def test_patterns_choose_what_is_traced(
    include: tuple[str, ...], exclude: tuple[str, ...], name: str, *, traced: bool
) -> None:
    workflows = TracingConfig(include_workflows=include, exclude_workflows=exclude)
    activities = TracingConfig(include_activities=include, exclude_activities=exclude)
    assert (workflows.traces_workflow(name), activities.traces_activity(name)) == (traced, traced)
    assert (workflows.traces_activity(name), activities.traces_workflow(name)) == (True, True)


def test_the_address_of_the_ui_is_shown_without_a_password() -> None:
    config = TracingConfig.from_environment({"DURABLE_TRACE_TEMPORAL_UI": " https://ada:secret@temporal.example:8233 "})
    assert config.temporal_ui == "https://temporal.example:8233"


def test_patterns_may_be_one_text() -> None:
    config = TracingConfig(include_workflows="Agent*, Research", exclude_activities="poll")  # type: ignore[arg-type]
    assert (config.include_workflows, config.exclude_activities) == (("Agent*", "Research"), ("poll",))
    assert (config.traces_workflow("Agent7"), config.traces_workflow("A"), config.traces_activity("poll")) == (
        True,
        False,
        False,
    )
