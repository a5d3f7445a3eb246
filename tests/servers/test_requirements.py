"""The lock that Phoenix is installed from."""

from __future__ import annotations

import re

from agent.servers.cache import project_file


def test_every_package_is_pinned_with_hashes_and_no_index_is_named() -> None:
    lock = project_file("requirements/phoenix.txt").read_text()
    packages = [block for block in re.split(r"\n(?=[a-z0-9])", lock) if not block.startswith("#")]
    assert len(packages) > 100
    assert [block for block in packages if not re.match(r"[\w.\[\],-]+==\S+[^\n]*\\\n    --hash=sha256:", block)] == []
    assert re.findall(r"^-.*|https?://\S+", lock, re.MULTILINE) == []


def test_the_lock_has_the_version_that_is_asked_for() -> None:
    asked = project_file("requirements/phoenix.in").read_text().splitlines()[-1]
    assert f"\n{asked} \\\n" in project_file("requirements/phoenix.txt").read_text()
