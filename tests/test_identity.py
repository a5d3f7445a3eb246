"""The IDs of scheme 1, as literals: changing one would orphan every trace that was made before."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracing.identity import (
    SCHEME,
    StepKind,
    activity_trace_id,
    attempt_span_id,
    comparison_score_id,
    run_span_id,
    run_trace_id,
    step_span_id,
)

RUN = "0199c0de-0000-7000-8000-000000000001"
STARTED_US = 1_763_884_800_123_456
KINDS = get_args(StepKind)


def test_the_scheme_is_version_1() -> None:
    assert SCHEME == 1


def test_a_run_has_its_trace_and_span() -> None:
    assert f"{run_trace_id(RUN):032x}" == "0884fd559f037feb254717f53be6bb10"
    assert f"{run_span_id(RUN):016x}" == "ba9a8c23fb2921d1"


def test_an_activity_without_a_workflow_has_its_trace() -> None:
    assert f"{activity_trace_id(RUN):032x}" == "9637f881410c26130c5c48a05b182cb8"


def test_steps_differ_by_kind() -> None:
    assert {kind: f"{step_span_id(RUN, kind, '1'):016x}" for kind in KINDS} == {
        "activity": "d1903ea4e88a9181",
        "local_activity": "c3a9e7985e63e59c",
        "timer": "0e89eca9717449d6",
        "signal": "d3765fc09f2e20b8",
        "child_workflow": "f910cd1beaca42ae",
        "update": "84a2ebcbc7537708",
        "nexus_operation": "f69d385ceb57c548",
        "external_signal": "7b699da77191f56e",
        "external_cancel": "ab7e800e3943a160",
    }


def test_the_second_use_of_an_activity_id_is_another_step() -> None:
    assert f"{step_span_id(RUN, 'activity', '1', 2):016x}" == "a29950bcbd780206"


def test_attempts_differ_by_number_and_by_start() -> None:
    assert [
        f"{attempt_span_id(RUN, '1', 1, STARTED_US):016x}",
        f"{attempt_span_id(RUN, '1', 2, STARTED_US):016x}",
        f"{attempt_span_id(RUN, '1', 1, STARTED_US + 1):016x}",
    ] == ["3ad2377ccf84f419", "27c2d7c6e3760d53", "31dde0455cacc3fc"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((RUN, "activity", "1\n1", 1), (RUN, "activity", "1", 1)),
        ((RUN, "activity", "2\nx", 1), (RUN, "activity", "x", 2)),
        ((RUN, "activity", "", 1), (RUN, "activity", "\n", 1)),
    ],
)
def test_no_separator_in_a_key_imitates_another_step(
    one: tuple[str, StepKind, str, int], other: tuple[str, StepKind, str, int]
) -> None:
    assert step_span_id(*one) != step_span_id(*other)


@given(run=st.text(), key=st.text(), kind=st.sampled_from(KINDS), nth=st.integers(1, 1 << 40))
def test_any_text_has_a_valid_id(run: str, key: str, kind: StepKind, nth: int) -> None:
    assert 0 < step_span_id(run, kind, key, nth) < 1 << 64
    assert 0 < attempt_span_id(run, key, nth, nth) < 1 << 64
    assert 0 < run_span_id(run) < 1 << 64
    assert 0 < run_trace_id(run) < 1 << 128


def test_a_key_with_a_lone_surrogate_has_an_id() -> None:
    assert f"{step_span_id(RUN, 'activity', chr(0xD800)):016x}" == "f4dfc4473c52c409"


def test_scores_differ_by_name_and_sides() -> None:
    ids = [
        comparison_score_id(name, first, second)
        for name, first, second in (
            ("durable.saved_usd", ["run-1"], ["run-2"]),
            ("durable.retry_waste_usd", ["run-1"], ["run-2"]),
            ("durable.saved_usd", ["run-2"], ["run-1"]),
            ("durable.saved_usd", ["run-1", "run-2"], ["run-3"]),
            ("durable.saved_usd", ["run-1"], ["run-2", "run-3"]),
        )
    ]
    assert f"{ids[0]:032x}" == "fe1e4d7f31b8bc414b7d0fb118ab2b7c"
    assert len(set(ids)) == len(ids)
