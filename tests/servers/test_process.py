"""Child processes: real ones, small Python programs that say what happens to them in their log."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from agent.servers.process import ProcessError, SupervisedProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

SERVER = """
import signal, sys, time
def stop(*_):
    print("stopping", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
while True:
    time.sleep(60)
"""

STUBBORN_SERVER = """
import signal, time
signal.signal(signal.SIGTERM, lambda *_: print("no", flush=True))
print("ready", flush=True)
while True:
    time.sleep(60)
"""

SERVER_WITH_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("child", child.pid, flush=True)
print("ready", flush=True)
time.sleep(600)
"""

# Starts a server, says its process ID, and waits to be killed, or ends by itself.
PARENT = """
import sys, time
from pathlib import Path
from agent.servers.process import SupervisedProcess
server = SupervisedProcess("server", [sys.executable, "-c", sys.argv[2]], log=Path(sys.argv[1]))
server.start()
server.wait_until(lambda: "ready" in Path(sys.argv[1]).read_text(), condition="was ready", timeout_seconds=30)
print(server.pid, flush=True)
if sys.argv[3] == "wait":
    time.sleep(600)
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "server.log"


def server(program: str, log: Path, *, grace_seconds: float = 10) -> SupervisedProcess:
    return SupervisedProcess("tiny server", [sys.executable, "-c", program], log=log, grace_seconds=grace_seconds)


def wait_until_ready(process: SupervisedProcess) -> None:
    process.wait_until(
        lambda: process.log.exists() and "ready" in process.log.read_text(), condition="was ready", timeout_seconds=30
    )


def assert_gone(pid: int) -> None:
    """The process has ended, or does within a time that no machine needs."""
    deadline = time.monotonic() + 30
    while _runs(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it may end between any two questions
        return False


class TestStopping:
    def test_sigterm_lets_it_end_by_itself(self, log: Path) -> None:
        with server(SERVER, log) as process:
            wait_until_ready(process)
            pid = process.pid
            assert pid is not None
            assert psutil.Process(pid).cmdline()[1:] == ["-c", SERVER]
        assert log.read_text() == "ready\nstopping\n"
        assert not process.running
        assert not psutil.pid_exists(pid)

    def test_sigkill_follows_after_the_grace_period(self, log: Path) -> None:
        with server(STUBBORN_SERVER, log, grace_seconds=0.2) as process:
            wait_until_ready(process)
            pid = process.pid
            assert pid is not None
        assert log.read_text() == "ready\nno\n"
        assert not psutil.pid_exists(pid)

    def test_kill_gives_it_no_chance(self, log: Path) -> None:
        with server(SERVER, log) as process:
            wait_until_ready(process)
            process.kill()
            assert not process.running
        assert log.read_text() == "ready\n"

    def test_what_it_started_ends_with_it(self, log: Path) -> None:
        with server(SERVER_WITH_CHILD, log) as process:
            wait_until_ready(process)
            child = int(log.read_text().split()[1])
            assert psutil.pid_exists(child)
        assert_gone(child)

    def test_stopping_twice_or_before_the_start_does_nothing(self, log: Path) -> None:
        process = server(SERVER, log)
        process.stop()
        process.start()
        process.stop()
        process.stop()
        assert not process.running

    def test_it_can_be_started_again_and_goes_on_with_its_log(self, log: Path) -> None:
        process = server(SERVER, log)
        for _ in range(2):
            process.start()
            process.wait_until(lambda: log.read_text().endswith("ready\n"), condition="was ready", timeout_seconds=30)
            process.stop()
        assert log.read_text() == "ready\nstopping\nready\nstopping\n"

    def test_its_exit_status_is_known(self, log: Path) -> None:
        with server("raise SystemExit(7)", log) as process:
            assert process.wait(30) == 7
        with server("import os, signal; os.kill(os.getpid(), signal.SIGABRT)", log) as process:
            assert process.wait(30) == 128 + signal.SIGABRT
        with server(SERVER, log) as process:
            assert process.wait(0) is None


class TestMessages:
    def test_a_program_that_is_not_there(self, log: Path) -> None:
        process = SupervisedProcess("Phoenix", ["/not/there"], log=log)
        with pytest.raises(ProcessError) as raised:
            process.start()
        assert str(raised.value) == (
            f"Phoenix did not start.\nIts log, {log}, ends with:\n"
            "    /not/there cannot be started: No such file or directory"
        )

    def test_a_server_that_ends_before_it_is_ready(self, log: Path) -> None:
        process = server("print('port 7233 is taken'); raise SystemExit(3)", log)
        process.start()
        with pytest.raises(ProcessError) as raised:
            process.wait_until(lambda: False, condition="accepted connections", timeout_seconds=30)
        assert str(raised.value) == (
            "tiny server ended with status 3 before it accepted connections.\n"
            f"Its log, {log}, ends with:\n    port 7233 is taken"
        )

    def test_a_server_that_never_gets_ready_is_stopped(self, log: Path) -> None:
        process = server(SERVER, log)
        process.start()
        wait_until_ready(process)
        with pytest.raises(ProcessError) as raised:
            process.wait_until(lambda: False, condition="answered", timeout_seconds=0.1)
        assert str(raised.value).splitlines()[0] == "tiny server was started, but never answered within 0.1 s."
        assert not process.running

    def test_only_the_end_of_a_long_log_is_shown(self, log: Path) -> None:
        process = server("for n in range(100000): print('line', n)", log)
        process.start()
        assert process.wait(30) == 0
        process.stop()
        shown = [f"    line {n}" for n in range(99985, 100000)]
        assert process.log_tail() == "\n".join([f"Its log, {log}, ends with:", *shown])

    def test_starting_it_twice_is_a_mistake(self, log: Path) -> None:
        with server(SERVER, log) as process, pytest.raises(RuntimeError, match="tiny server is running already"):
            process.start()


class TestWhenTheParentEnds:
    @pytest.fixture
    def parent(self, log: Path) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [sys.executable, "-c", PARENT, str(log), SERVER, "wait"], stdout=subprocess.PIPE, text=True
        ) as parent:
            yield parent
            parent.kill()

    def test_killed_with_sigkill(self, parent: subprocess.Popen[str], log: Path) -> None:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        parent.kill()
        assert_gone(pid)
        assert log.read_text() == "ready\nstopping\n"

    def test_ctrl_c_on_the_terminal_reaches_only_the_parent(self, parent: subprocess.Popen[str]) -> None:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert os.getpgid(pid) == pid != os.getpgid(parent.pid)

    def test_ended_without_stopping_it(self, log: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-W", "ignore::ResourceWarning", "-c", PARENT, str(log), SERVER, "end"],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        assert_gone(int(done.stdout))

    def test_what_the_server_started_ends_too(self, log: Path) -> None:
        with subprocess.Popen(
            [sys.executable, "-c", PARENT, str(log), SERVER_WITH_CHILD, "wait"], stdout=subprocess.PIPE, text=True
        ) as parent:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            child = int(log.read_text().split()[1])
            parent.kill()
        assert_gone(pid)
        assert_gone(child)
