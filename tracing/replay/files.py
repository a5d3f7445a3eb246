"""In which order are files of histories replayed? Pages last: whose they are is known when all of them are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from tracing.history.sources.files import File
from tracing.replay.job import Replayed, Task
from tracing.replay.processes import Processes


def replayed(processes: Processes, files: Sequence[File]) -> Iterator[tuple[str, list[Replayed]]]:
    """Replay the histories of files, each history once, also where several of the files hold pages of it.

    Args:
        processes: Who replays them.
        files: The files.

    Yields:
        The name of each file as it is done, with what came of its histories. Those of which it holds pages come later,
        by the first of the files that hold any in the folder.
    """
    paged: set[str] = set()
    for task, done in processes.run(Task((file.name,)) for file in files):
        if done.pages:
            paged.update(task.paths)
        yield task.name, done.replayed
    folders: defaultdict[str, list[str]] = defaultdict(list)
    for file in files:
        if file.name in paged:
            folders[file.folder].append(file.name)
    for task, done in processes.run(Task(tuple(names), pages=True) for names in folders.values()):
        yield task.paths[0], done.replayed
