"""What is said when Temporal cannot be used."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from agent.running.connection import TemporalUnavailableError, connect

if TYPE_CHECKING:
    from pathlib import Path

    from agent.local.serving import LocalServer


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the user's own Temporal settings out."""
    for name in ("TEMPORAL_PROFILE", "TEMPORAL_API_KEY", "TEMPORAL_TLS", "TEMPORAL_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "temporal.toml"))


async def failure() -> str:
    with pytest.raises(TemporalUnavailableError) as raised:
        await connect()
    return str(raised.value)


async def test_nothing_listens_at_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        monkeypatch.setenv("TEMPORAL_ADDRESS", address)

        assert await failure() == (
            f"No Temporal server can be reached at {address}: start one with `temporal server start-dev`, "
            "or set TEMPORAL_ADDRESS to one that runs."
        )


async def test_the_address_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "not an address")

    assert (await failure()).startswith("No Temporal server can be reached at not an address: start one with")


async def test_something_else_listens_at_the_address(model: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    address = model.url.removeprefix("http://").removesuffix("/v1")
    monkeypatch.setenv("TEMPORAL_ADDRESS", address)

    assert await failure() == (
        f"What listens at {address} is no Temporal server for this client: "
        "check TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY and the TEMPORAL_TLS settings."
    )


async def test_the_profile_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_PROFILE", "nobodys")

    assert await failure() == (
        "Temporal's settings cannot be read: Profile 'nobodys' not found. "
        "Mend the TEMPORAL_* variables or the profile file."
    )
