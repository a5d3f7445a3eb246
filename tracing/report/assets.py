"""Of which files are the page's style, script and markup made, and what does its policy let run?

There is no build step: the files stand in the page one after the other, in the order of these lists.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from tracing.cost import difference
from tracing.report.text import change, counted, duration, exact, instant, money, visible

_STYLES: Final = ("colours", "page", "tables", "waterfall", "panel", "narrow", "print")
_SCRIPTS: Final = (
    "format",
    "row",
    "scale",
    "search",
    "element",
    "panel",
    "overview",
    "axis",
    "bars",
    "waterfall",
    "page",
    "keyboard",
    "start",
)


@cache
def style() -> str:
    """The page's style sheet."""
    return "\n".join(_read(f"style/{name}.css") for name in _STYLES)


@cache
def script() -> str:
    """The page's script: one function, in which each file sees what the files before it declare."""
    return '(() => {\n"use strict";\n' + "\n".join(_read(f"script/{name}.js") for name in _SCRIPTS) + "})();\n"


def policy() -> str:
    """The page's Content-Security-Policy: exactly this style and this script, and nothing that is loaded."""
    return (
        f"default-src 'none'; style-src '{_hash(style())}'; script-src '{_hash(script())}'; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def environment() -> Environment:
    """The templates. What they print is escaped, and every character of it shows."""
    found = Environment(
        autoescape=True,
        loader=FunctionLoader(lambda name: _read(f"markup/{name}.html.jinja")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    found.filters.update(duration=duration, instant=instant, money=money, exact=exact, counted=counted, change=change)
    found.filters.update(trace_id=lambda number: f"{number:032x}")
    found.globals.update(difference=difference)
    return found


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


@cache
def _read(name: str) -> str:
    return files("tracing.report").joinpath(name).read_text("utf-8")


def _shown(value: object) -> object:
    return value if isinstance(value, (Markup, int, float)) else visible(value)
