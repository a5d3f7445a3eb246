"""The names of a run's files: safe whatever the IDs say."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracing.tracefile.names import check_name, run_name

RUN = "0199f2a4-7c11-7d21-9a53-0c5f3b0e77aa"


def test_harmless_ids_stay_as_they_are() -> None:
    assert run_name("research-42.v1", RUN) == "research-42.v1_0199f2a4-7c11-7d21-9a53-0c5f3b0e77aa"


@pytest.mark.parametrize(
    ("workflow_id", "name"),
    [
        ("../../etc/passwd", "_.._.._etc_passwd"),
        ("..", "_"),
        ("/etc/cron.d/x", "_etc_cron.d_x"),
        ("C:\\windows", "C_windows"),
        ("a\x00b\nc\x1b[2Jd", "a_b_c_2Jd"),
        (".hidden", "_.hidden"),
        ("-rf", "_-rf"),
        ("", "_"),
        ("nul", "_nul"),
        ("COM1.log", "_COM1.log"),
        ("Grüße/世界", "Gr_e_"),
        ("ends with dots...", "ends_with_dots"),
        ("Order-7", "Order-7"),
        ("x" * 1000, "x" * 96),
    ],
)
def test_other_ids_are_changed_and_told_by_a_hash(workflow_id: str, name: str) -> None:
    changed, _, digest = run_name(workflow_id, RUN).partition("~")
    assert changed == f"{name}_{RUN}"
    assert len(digest) == 12


def test_the_hash_is_of_both_ids() -> None:
    assert [run_name("Order-7", RUN), run_name("order-7", RUN.upper()), run_name("a/b", "r"), run_name("a/b", "s")] == [
        "Order-7_0199f2a4-7c11-7d21-9a53-0c5f3b0e77aa~025a4d25c115",
        "order-7_0199F2A4-7C11-7D21-9A53-0C5F3B0E77AA~4b6678629b4f",
        "a_b_r~9505a741f8a7",
        "a_b_s~b73cc0f2995a",
    ]


# Letters that meet in one name on some file system, separators, and everything else.
ids = (
    st.text("aAbB\u017f\u212a_-./~\\ \x00\xe9", max_size=6)
    | st.text(max_size=200)
    | st.sampled_from([RUN, "con", "..", "a_" + RUN])
)
pairs = st.tuples(ids, ids | st.just(RUN))


@settings(derandomize=True)
@given(pairs)
def test_no_ids_choose_a_path(ids: tuple[str, str]) -> None:
    name = run_name(*ids)
    assert check_name(name) == name
    assert name.isascii()
    assert len(f"{name}.history.json.zst") <= 255
    assert (Path("/folder") / f"{name}.otlp.jsonl").parent == Path("/folder")


@pytest.mark.slow
@settings(derandomize=True, max_examples=1000)
@given(pairs, pairs)
def test_two_runs_have_two_names_also_where_case_does_not_count(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (run_name(*one).casefold() == run_name(*other).casefold()) == (one == other)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../a", "a\\b", "a\x00", "con", "Con.x", ".a", "a\n", "x" * 221]
)
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"cannot name a run's files: take the name that run_name\(\) gives\."):
        check_name(name)
