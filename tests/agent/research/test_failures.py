"""Which failures of a service are worth another attempt, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agent.research.failures import retry_after, status_failure

NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "delay"),
    [
        ("7", timedelta(seconds=7)),
        ("0.5", timedelta(seconds=0.5)),
        ("Thu, 01 Jan 2026 12:00:30 GMT", timedelta(seconds=30)),
        ("Thu, 01 Jan 2026 11:00:00 GMT", None),
        ("0", None),
        ("-1", None),
        ("86400", None),
        ("1e400", None),
        ("nan", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_delay_is_given_in_seconds_or_as_a_date_and_kept_only_where_it_makes_sense(
    value: str, delay: timedelta | None
) -> None:
    assert retry_after({"retry-after": value}, NOON) == delay


def test_no_header_no_delay() -> None:
    assert retry_after({}, NOON) is None


def test_what_is_known_to_be_final_is_not_retried_whatever_its_status() -> None:
    out_of_credit = status_failure(
        "The model", 429, "no credit left.", kind="RateLimitError", headers={"retry-after": "7"}, final=True
    )

    assert str(out_of_credit) == "RateLimitError: The model answered 429: no credit left."
    assert out_of_credit.non_retryable
    assert out_of_credit.next_retry_delay is None
