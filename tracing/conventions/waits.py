"""What do spans say of waiting for a person?"""

from __future__ import annotations

from typing import Final

from tracing.conventions.registry import define

WAIT_FOR: Final = define(
    "temporal.wait.for",
    "string",
    "",
    "person, where the run waits for one. Where absent, it is a timer and no more.",
    "Timer",
)
WAIT_OUTCOME: Final = define(
    "temporal.wait.outcome",
    "string",
    "",
    "answered; timed_out; or canceled, by the workflow's code or with the run. Absent where it had not ended, or where "
    "that is not known.",
    "Timer",
)
WAIT_ANSWERS: Final = define(
    "temporal.wait.answers",
    "string[]",
    "",
    "Spans of the signals and updates, 16 at most, that came while it went on and may have ended it; linked.",
    "Timer",
)
WAIT_ANSWERED_BY: Final = define(
    "temporal.wait.answered_by",
    "string[]",
    "",
    "Who sent them, one for each: the user of the sender's session where one was set, else the client's identity.",
    "Timer",
)

PERSON: Final = "person"
"""The value of `WAIT_FOR`."""

WAIT_KEYS: Final = (WAIT_FOR, WAIT_OUTCOME, WAIT_ANSWERS, WAIT_ANSWERED_BY)
