"""What do the bytes of an export depend on, and how many processes pay?"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.export.folders import CONFIG, settings
from tracing.export.parallelism import worthwhile_jobs
from tracing.redaction import redactors

FOLDER = Path("out")


def hook(_key: str, text: str) -> str:
    return text


def other_hook(_key: str, text: str) -> str:
    return text


@pytest.mark.slow
def test_the_same_settings_have_the_same_fingerprint_in_every_process() -> None:
    program = (
        "from tests.export.test_settings import *;"
        "print(settings(FOLDER, config=replace(CONFIG, redact=redactors('keys'), add_attributes=hook)).fingerprint())"
    )
    ours = settings(Path("elsewhere"), config=replace(CONFIG, redact=redactors("keys"), add_attributes=hook))
    theirs = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    assert theirs.stdout.strip() == ours.fingerprint()


def test_settings_survive_the_way_to_a_worker() -> None:
    given = settings(FOLDER, config=replace(CONFIG, redact=redactors("keys", "email"), add_attributes=hook))
    assert pickle.loads(pickle.dumps(given)) == given


def test_other_hooks_and_other_prices_are_other_settings(tmp_path: Path) -> None:
    prices = tmp_path / "prices.json"
    prices.write_text('{"prices": []}')
    seen = [
        settings(FOLDER, config=config).fingerprint()
        for config in (
            CONFIG,
            replace(CONFIG, redact=hook),
            replace(CONFIG, redact=other_hook),
            replace(CONFIG, redact=redactors("keys")),
            replace(CONFIG, redact=redactors("email")),
            replace(CONFIG, add_attributes=hook),
            replace(CONFIG, prices=str(prices)),
        )
    ]
    prices.write_text('{"prices": [ ]}')
    seen.append(settings(FOLDER, config=replace(CONFIG, prices=str(prices))).fingerprint())
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize(
    ("items", "size", "jobs"),
    [(1, 25 << 20, 1), (20, 2 << 20, 1), (8, 500 << 20, 8), (10_000, 1 << 30, 32), (None, 0, 32), (0, 0, 1)],
)
def test_workers_are_started_where_they_pay(
    monkeypatch: pytest.MonkeyPatch, items: int | None, size: int, jobs: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(32)), raising=False)
    assert worthwhile_jobs(items, size) == jobs
