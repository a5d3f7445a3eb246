"""What the user is told of an outage, and how long is waited."""

from __future__ import annotations

from tracing.export.watch.troubles import Trouble


def test_an_outage_is_told_once_and_waits_grow_up_to_a_minute() -> None:
    told: list[str] = []
    trouble = Trouble("It answers again.", told.append)
    assert [trouble.met("It is away.") for _ in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert told == ["It is away. Trying again until it works."]
    trouble.over()
    trouble.over()
    assert told[1:] == ["It answers again."]
    assert trouble.met("It is away once more.") == 1
    assert told[2:] == ["It is away once more. Trying again until it works."]


def test_a_server_that_asks_for_a_longer_wait_gets_it() -> None:
    trouble = Trouble("It answers again.", lambda _: None)
    assert [trouble.met("Busy.", at_least=90), trouble.met("Busy.", at_least=1), trouble.met("Busy.")] == [90, 2, 4]


def test_what_was_never_away_is_not_back() -> None:
    told: list[str] = []
    Trouble("It answers again.", told.append).over()
    assert told == []


def test_waits_stay_finite_however_long_it_lasts() -> None:
    trouble = Trouble("It answers again.", lambda _: None)
    assert [trouble.met("Away.") for _ in range(3_000)][-1] == 60
