"""Which server a command reaches: what the environment and the profile files of Temporal say."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest
from temporalio.client import Client

from agent.servers.endpoints import free_port
from tracing.cli import SOME_FAILED, USAGE, run
from tracing.cli.connection import Connection, TemporalUnreachableError

if TYPE_CHECKING:
    from pathlib import Path

PROFILES = """
[profile.default]
address = "default.example:7233"

[profile.staging]
address = "staging.example:7233"
namespace = "agents"
"""


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "temporal.toml"
    file.write_text(PROFILES)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(file))
    return file


@pytest.mark.usefixtures("profiles")
def test_a_profile_names_the_server_a_variable_wins_and_an_option_wins_over_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Connection().server() == ("default.example:7233", "default")
    assert Connection(profile="staging").server() == ("staging.example:7233", "agents")
    monkeypatch.setenv("TEMPORAL_PROFILE", "staging")
    assert Connection().server() == ("staging.example:7233", "agents")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "other.example:7233")
    assert Connection().server() == ("other.example:7233", "agents")
    assert Connection("here:1", "mine").server() == ("here:1", "mine")


@pytest.mark.usefixtures("profiles")
def test_a_profile_that_is_not_there_is_named() -> None:
    with pytest.raises(TemporalUnreachableError, match=r"nowhere.*or what --profile names"):
        Connection(profile="nowhere").server()


@pytest.mark.usefixtures("profiles")
def test_a_certificate_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_TLS_CLIENT_CERT_PATH", "/nowhere/client.pem")
    with pytest.raises(TemporalUnreachableError, match=r"settings cannot be read: .*/nowhere/client\.pem"):
        Connection().server()


@pytest.mark.usefixtures("profiles")
async def test_an_address_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "bad address")
    with pytest.raises(TemporalUnreachableError, match="No Temporal server answers at bad address"):
        await Connection().connect()


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (
            "Failed client connect: ConnectError(Custom { kind: InvalidData, error: InvalidCertificate(Expired) })",
            "its certificate is not accepted: Expired",
        ),
        (
            "Failed client connect: ConnectError(Custom { error: InvalidMessage(InvalidContentType) })",
            "it does not speak TLS",
        ),
        (
            'ConnectError("dns error", Custom { kind: Uncategorized, error: "failed to lookup address information" })',
            "failed to lookup address information",
        ),
    ],
)
@pytest.mark.usefixtures("profiles")
async def test_why_a_server_cannot_be_reached_is_told_without_the_layers_around_it(
    monkeypatch: pytest.MonkeyPatch, told: str, reason: str
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise RuntimeError(told)

    monkeypatch.setattr(Client, "connect", refuse)
    with pytest.raises(TemporalUnreachableError, match=f"default.example:7233 \\({reason}\\)"):
        await Connection().connect()


@pytest.mark.parametrize(
    ("code", "message", "shown"),
    [
        ("Unauthenticated", "Jwt is missing", "Jwt is missing"),
        ("PermissionDenied", 'no \\"agents\\" for you.', 'no "agents" for you'),
    ],
)
@pytest.mark.usefixtures("profiles")
async def test_a_server_that_refuses_is_told_from_one_that_is_away(
    monkeypatch: pytest.MonkeyPatch, code: str, message: str, shown: str
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise RuntimeError(
            "Failed client connect: `get_system_info` call error after connection: Status { code: "
            f'{code}, message: "{message}", metadata: MetadataMap {{ headers: {{}} }}, source: None }}'
        )

    monkeypatch.setattr(Client, "connect", refuse)
    with pytest.raises(TemporalUnreachableError) as error:
        await Connection().connect()
    assert error.value.message == (
        f"The Temporal server at default.example:7233 refuses ({shown}). Check TEMPORAL_API_KEY or the client "
        "certificate, and whether they are for this namespace and address."
    )


def test_a_profile_file_that_is_broken_is_named(profiles: Path) -> None:
    profiles.write_text("[profile")
    with pytest.raises(TemporalUnreachableError, match="settings cannot be read") as error:
        Connection().server()
    assert "profile file" in str(error.value)


def test_worker_processes_connect_as_well() -> None:
    connection = Connection("here:1", "mine", "staging")
    there = pickle.loads(pickle.dumps(connection.connect))
    assert there.__self__ == connection


@pytest.mark.usefixtures("profiles")
@pytest.mark.parametrize("command", ["export --workflow-id", "cost", "report -o report.html", "compare other"])
def test_commands_ask_the_server_that_options_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    address = f"127.0.0.1:{free_port()}"
    assert run([*command.split(), "agent-1", "--address", address]) == SOME_FAILED
    assert f"No Temporal server answers at {address} (" in capsys.readouterr().err


def test_a_key_is_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", "--workflow-id", "agent-1", "--api-key", "secret"]) == USAGE
    assert "No such option" in capsys.readouterr().err
