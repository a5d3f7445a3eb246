"""How does the help of a command with many options read? In sections, each option under what it is for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import click

_OTHERS: Final = "Options"
_COLUMN: Final = 32
"""Widest column of options, in characters: where one is longer, its help begins on the next line."""


class SectionedOption(click.Option):
    """An option that stands in a section of the help."""

    def __init__(self, *args: Any, section: str = _OTHERS, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.section = section

    def get_help_extra(self, ctx: click.Context) -> Any:
        """Defaults, as people write them, but no ranges: what is out of range is said when it is given."""
        extra = super().get_help_extra(ctx)
        extra.pop("range", None)
        if "default" in extra:
            extra["default"] = extra["default"].removesuffix(".0")
        return extra


class SectionedCommand(click.Command):
    """A command whose help lists its options section by section, in the order in which they were added."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections; options without one come last."""
        sections: dict[str, list[tuple[str, str]]] = {}
        others: list[tuple[str, str]] = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                name = getattr(parameter, "section", _OTHERS)
                (others if name == _OTHERS else sections.setdefault(name, [])).append(record)
        for name, records in {**sections, _OTHERS: others}.items():
            with formatter.section(name):
                formatter.write_dl(records, col_max=_COLUMN)


def section(name: str = _OTHERS) -> Callable[..., Callable[[Callable[..., Any]], Callable[..., Any]]]:
    """What adds options to a command that stand in a section: ``click.option`` with the section's name."""
    return partial(click.option, cls=SectionedOption, section=name)
