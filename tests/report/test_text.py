from __future__ import annotations

import re
from decimal import Decimal
from importlib.resources import files

import pytest

from tracing.cost import Amount
from tracing.report.text import HIDDEN, difference, duration, exact, instant, money, tick, visible

KNOWN = Amount(Decimal("0.0046325"), 1)
PART = Amount(Decimal("0.0046325"), 1, 1)
UNKNOWN = Amount(unknown_parts=1)
NOTHING = Amount()


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("call_llm Grüße 你好 👍", "call_llm Grüße 你好 👍"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("invoice\u202efdp.exe", "invoice⟨U+202E⟩fdp.exe"),
        ("\x1b[31mred\x07", "⟨U+001B⟩[31mred⟨U+0007⟩"),
        ("a\u200bb\ufeffc\u2066d", "a⟨U+200B⟩b⟨U+FEFF⟩c⟨U+2066⟩d"),
        ("half \ud83d", "half ⟨U+D83D⟩"),
        (17, "17"),
    ],
)
def test_every_character_shows(text: object, written: str) -> None:
    assert visible(text) == written


def test_the_script_hides_the_same_characters() -> None:
    script = files("tracing.report").joinpath("report.js").read_text("utf-8")
    found = re.search(r"/\[(.*)\]/gu;", script)
    assert found is not None

    assert found[1].encode().decode("unicode_escape") == HIDDEN + "\ud800-\udfff"


@pytest.mark.parametrize(
    ("nanoseconds", "written"),
    [
        (None, "open"),
        (0, "0 µs"),
        (400_000, "400 µs"),
        (4_000_000, "4.0 ms"),
        (999_400_000, "999 ms"),
        (2_500_000_000, "2.50 s"),
        (61_000_000_000, "1 min 1 s"),
        (90_061_000_000_000, "1 d 1 h 1 min 1 s"),
    ],
)
def test_durations(nanoseconds: int | None, written: str) -> None:
    assert duration(nanoseconds) == written


@pytest.mark.parametrize(
    ("nanoseconds", "written"),
    [
        (0, "0"),
        (200, "0"),
        (5_000, "5 µs"),
        (20_000_000, "20 ms"),
        (15_000_000_000, "15 s"),
        (600_000_000_000, "10 min"),
    ],
)
def test_ticks(nanoseconds: int, written: str) -> None:
    assert tick(nanoseconds) == written


def test_instants() -> None:
    assert instant(1_795_000_000_123_456_789) == "2026-11-18 11:06:40.123 UTC"
    assert instant(10**30) == f"{10**30} ns"


def test_money() -> None:
    assert [money(amount) for amount in (KNOWN, PART, UNKNOWN, NOTHING)] == [
        "$0.004633",
        "≥ $0.004633",
        "unknown",
        "$0",
    ]
    assert money(Amount(Decimal("1234.5"), 1)) == "$1,234.500000"
    assert money(Amount(Decimal("1e300"), 1)) == "$1.000E+300"
    assert [exact(amount) for amount in (KNOWN, PART)] == ["0.0046325 USD", "0.0046325 USD known, 1 parts unknown"]


def test_differences() -> None:
    assert difference(KNOWN, NOTHING) == "-$0.004633"
    assert difference(NOTHING, KNOWN) == "+$0.004633"
    assert difference(KNOWN, KNOWN) == "$0"
    assert difference(PART, NOTHING) == "≤ -$0.004633"
    assert difference(NOTHING, PART) == "≥ +$0.004633"
    assert [difference(PART, PART), difference(UNKNOWN, KNOWN), difference(KNOWN, UNKNOWN)] == ["unknown"] * 3
