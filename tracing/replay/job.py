"""What is done with a file of histories, or with pages: each history is replayed, and its trace written and sent."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from temporalio.converter import DataConverter
from temporalio.worker import Plugin

from tracing.backends.registry import target_for
from tracing.backends.target import Target
from tracing.config import TracingConfig
from tracing.decoding import Decoder, Decoding
from tracing.history import History, Unreadable, to_spans
from tracing.history.documents import Names
from tracing.history.reading import Reading
from tracing.replay.loading import load_data_converter, load_plugin, load_workflows, of_type, workflow_type_of
from tracing.replay.run import Replay, replay
from tracing.replay.source import Recording, recorded
from tracing.replay.spans import replay_spans
from tracing.spans.model import Span
from tracing.tracefile.names import run_name
from tracing.tracefile.send import send
from tracing.tracefile.write import write_trace


@dataclass(frozen=True, slots=True)
class ReplaySettings:
    """How histories are replayed. It can be pickled: nothing is imported before a `Job` is opened.

    Attributes:
        workflows: Workflow classes, as for ``load_workflows``.
        data_converter: ``module:object`` of the worker's data converter; "" for the SDK's.
        plugins: ``module:object`` of the worker's plugins.
        decoding: By what payloads are decoded.
        namespace: Namespace of histories that do not name theirs; None for "default".
        folder: Where traces are written; None for nowhere.
        to: Backend or address that they are sent to; None for none.
        skip_unknown: Whether histories of other workflow types are left out.
    """

    workflows: tuple[str, ...]
    data_converter: str = ""
    plugins: tuple[str, ...] = ()
    decoding: Decoding = field(default_factory=Decoding)
    namespace: str | None = None
    folder: Path | None = None
    to: str | None = None
    skip_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """What is done at once.

    Attributes:
        paths: A file; or the files of one folder that hold pages.
        pages: Whether the histories are replayed of which the files hold pages, instead of those that each holds whole.
    """

    paths: tuple[str, ...]
    pages: bool = False

    @property
    def name(self) -> str:
        """How it is called in messages."""
        return " + ".join(self.paths)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of one history.

    Attributes:
        source: Where it was read.
        outcome: As of a `Replay`; or ``unreadable``, or ``skipped`` as its workflow type is of no class.
        reason: Why it was not reproduced; "" where it was.
        workflow_type: Workflow type; "" where it is not known.
        replay: The replay, without its steps; None where there was none.
        reused_steps: How many steps took their results from history.
        file: Its trace file.
        sent: How many spans a backend took.
        problems: What went wrong with its trace.
        foreign: Whether its file is a whole JSON document of another kind.
    """

    source: str
    outcome: Literal["reproduced", "diverged", "failed", "unreadable", "skipped"]
    reason: str = ""
    workflow_type: str = ""
    replay: Replay | None = None
    reused_steps: int = 0
    file: Path | None = None
    sent: int = 0
    problems: tuple[str, ...] = ()
    foreign: bool = False

    @property
    def good(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.outcome in {"reproduced", "skipped"} and not self.problems


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a task.

    Attributes:
        replayed: What came of its histories.
        pages: Whether its file holds pages, too, which are a task of their own: all files of the folder that do.
    """

    replayed: list[Replayed]
    pages: bool = False


@dataclass(frozen=True, slots=True)
class _Means:
    """What the settings name, loaded."""

    workflows: list[type]
    plugins: list[Plugin]
    converter: DataConverter
    decoder: Decoder | None
    target: Target | None


class Job:
    """Replays files one after the other. See `opened`."""

    def __init__(self, settings: ReplaySettings, means: _Means) -> None:
        self._settings = settings
        self._means = means
        self._config = TracingConfig.from_environment()

    @classmethod
    @asynccontextmanager
    async def opened(cls, settings: ReplaySettings) -> AsyncIterator[Job]:
        """A job, while the block lasts.

        Raises:
            ValueError: Something that the settings name cannot be loaded or is of another kind.
            TargetError: The backend is none.
        """
        workflows = load_workflows(*settings.workflows)
        plugins = [load_plugin(reference) for reference in settings.plugins]
        target = target_for(settings.to, os.environ) if settings.to else None
        decoding = settings.decoding
        own = load_data_converter(settings.data_converter) if settings.data_converter else DataConverter.default
        if not decoding and (own.payload_codec is not None or own.external_storage is not None):
            decoding = Decoding(codec=settings.data_converter)
        async with AsyncExitStack() as stack:
            decoded = await stack.enter_async_context(decoding.data_converter())
            if settings.data_converter:
                decoded = replace(own, payload_codec=decoded.payload_codec, external_storage=decoded.external_storage)
            decoder = stack.enter_context(decoding.open()) if decoding else None
            yield cls(settings, _Means(workflows, plugins, decoded, decoder, target))

    async def do(self, task: Task) -> Done:
        """Replay histories. What cannot be replayed is in what it returns."""
        reading = Reading(Names(namespace=self._settings.namespace or ""), raw=True, beside=True)
        whole = reading.whole(task.paths)
        if not task.pages:
            return Done(await self._all(whole, task), reading.pages)
        for _ in whole:  # they were replayed when it was found that there are pages beside them
            pass
        changed = Unreadable(task.name, "It has changed while it was read: try again.")
        return Done(await self._all(reading.paged() if reading.pages else [changed], task))

    async def _all(self, found: Iterable[History | Unreadable], task: Task) -> list[Replayed]:
        return [await self._one(recorded(each, task.name)) for each in found]

    async def _one(self, record: Recording | Unreadable) -> Replayed:
        if isinstance(record, Unreadable):
            return Replayed(record.source, "unreadable", record.reason, foreign=record.foreign)
        workflow_type = record.workflow_type
        if of_type(self._means.workflows, workflow_type) is None:
            known = ", ".join(sorted(str(workflow_type_of(each)) for each in self._means.workflows))
            reason = f"No workflow of type {workflow_type!r} is among those given ({known})"
            if self._settings.skip_unknown:
                return Replayed(record.source, "skipped", f"{reason}.", workflow_type)
            return Replayed(record.source, "failed", f"{reason}: give its class, or skip unknown types.", workflow_type)
        try:
            result = await replay(
                record,
                self._means.workflows,
                data_converter=self._means.converter,
                plugins=self._means.plugins,
                guard="process",
            )
        except Exception as error:  # noqa: BLE001 - a class that the SDK refuses, a plugin that raises
            return Replayed(record.source, "failed", f"{type(error).__name__}: {error}", workflow_type)
        replayed = Replayed(
            record.source,
            result.outcome,
            result.message,
            workflow_type,
            replace(result, steps=()),
            reused_steps=len(result.reused_steps),
        )
        return self._traced(replayed, record, result)

    def _traced(self, replayed: Replayed, record: Recording, result: Replay) -> Replayed:
        """Write and send the trace, where that is asked for."""
        if self._settings.folder is None and self._means.target is None:
            return replayed
        known = record.known if self._means.decoder is None else self._means.decoder.decode(record.known)
        spans = replay_spans(result, to_spans(known, self._config), self._config)
        file, problems, sent = None, [], 0
        if self._settings.folder is not None:
            name = f"{run_name(result.workflow_id, result.run_id)}-replay"
            try:
                file = write_trace(self._settings.folder, name, spans)
            except OSError as error:
                problems.append(f"Its trace cannot be written ({error.strerror or error}): give another folder.")
        if self._means.target is not None:
            sent = self._send(self._means.target, spans, problems)
        return replace(replayed, file=file, sent=sent, problems=tuple(problems))

    def _send(self, target: Target, spans: list[Span], problems: list[str]) -> int:
        result = send(spans, target)
        problems += result.problems
        return result.sent
