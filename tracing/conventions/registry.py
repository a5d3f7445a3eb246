"""What does the reference page know of each attribute, metric and score?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

AttributeType = Literal["string", "int", "double", "boolean", "string[]"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One line of the attribute reference.

    Attributes:
        key: The attribute's key.
        type: Its type, in OpenTelemetry's words.
        unit: UCUM unit, or "" where the value has none.
        meaning: What it says.
        on: The spans that carry it.
        reader: "both" where live spans and exported spans carry it alike; else the one reader that can know it.
    """

    key: str
    type: AttributeType
    unit: str
    meaning: str
    on: str
    reader: Literal["both", "live", "history"] = "both"


REFERENCE: Final[dict[str, Attribute]] = {}
"""Every attribute that the toolkit sets itself, by key."""


def define(  # noqa: PLR0917 - a table row reads best in one line
    key: str,
    type_: AttributeType,
    unit: str,
    meaning: str,
    on: str,
    reader: Literal["both", "live", "history"] = "both",
) -> str:
    """Enter an attribute; returns its key."""
    REFERENCE[key] = Attribute(key, type_, unit, meaning, on, reader)
    return key


Instrument = Literal["counter", "histogram", "observable counter", "observable gauge"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One line of the metric reference.

    Attributes:
        name: The metric's name.
        instrument: What it is measured by.
        unit: UCUM unit.
        meaning: What it says.
        attributes: Keys of its attributes: never IDs, never content.
    """

    name: str
    instrument: Instrument
    unit: str
    meaning: str
    attributes: tuple[str, ...]


METRICS: Final[dict[str, Metric]] = {}
"""Every metric that the toolkit records itself, by name."""


def define_metric(
    name: str,
    instrument: Instrument,
    unit: str,
    meaning: str,
    attributes: tuple[str, ...],
) -> str:
    """Enter a metric; returns its name."""
    METRICS[name] = Metric(name, instrument, unit, meaning, attributes)
    return name


@dataclass(frozen=True, slots=True)
class ScoreName:
    """One line of the reference of scores.

    Attributes:
        name: The score's name.
        unit: UCUM unit, or "" of a category.
        meaning: What it says.
    """

    name: str
    unit: str
    meaning: str


SCORES: Final[dict[str, ScoreName]] = {}
"""Every score that a comparison puts on a trace, by name."""


def define_score(name: str, unit: str, meaning: str) -> str:
    """Enter a score; returns its name."""
    SCORES[name] = ScoreName(name, unit, meaning)
    return name
