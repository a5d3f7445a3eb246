"""What does a worker process of an export do?

It takes tasks from its parent and does one after the other, until that is gone. Runs of a server that it is to do next
are fetched meanwhile.
"""

from __future__ import annotations

import logging
from collections import deque
from contextlib import closing
from multiprocessing.connection import Connection

from tracing.exit import exit_process
from tracing.export.job import Job
from tracing.export.settings import ExportSettings
from tracing.export.staging import Staged
from tracing.export.tasks import Make, Task


def main(descriptor: int) -> None:
    """Work for the parent at the other end of a socket.

    Args:
        descriptor: The socket.
    """
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    with Connection(descriptor) as parent:
        try:
            settings: ExportSettings = parent.recv()
            with closing(Job(settings)) as job:
                parent.send(None)  # ready
                _work(parent, job, settings)
        except (EOFError, ConnectionError):
            pass  # the parent is done, or was killed
    exit_process(0)


def _work(parent: Connection, job: Job, settings: ExportSettings) -> None:
    tasks: deque[Task] = deque()
    while True:
        while not tasks or parent.poll():
            tasks.append(parent.recv())
            job.prepare(tasks[-1])
        task = tasks.popleft()
        result = job.do(task)
        try:
            parent.send(result)
        except ConnectionError:
            if isinstance(task, Make):
                Staged(settings.folder, task.ordinal).discard()
            raise
