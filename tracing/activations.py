"""Wrappers of the SDK's workflow runner and instance that do what the wrapped one does, for readers of activations."""

from __future__ import annotations

from typing import Any

from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner


class DelegatingRunner(WorkflowRunner):
    """A workflow runner that leaves all to another; subclasses wrap the instances that it creates."""

    def __init__(self, inner: WorkflowRunner) -> None:
        self._inner = inner

    def prepare_workflow(self, defn: Any) -> None:
        """See the SDK."""
        self._inner.prepare_workflow(defn)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """See the SDK."""
        return self._inner.create_instance(det)

    def set_worker_level_failure_exception_types(self, types: Any) -> None:
        """See the SDK."""
        self._inner.set_worker_level_failure_exception_types(types)


class DelegatingInstance(WorkflowInstance):
    """A workflow instance that leaves all to another; subclasses see each activation and its completion."""

    def __init__(self, inner: WorkflowInstance) -> None:
        self._inner = inner

    def activate(self, act: Any) -> Any:
        """See the SDK."""
        return self._inner.activate(act)

    def get_serialization_context(self, command_info: Any) -> Any:
        """See the SDK."""
        return self._inner.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> Any:
        """See the SDK."""
        return self._inner.get_external_store_context(command_info)

    def get_info(self) -> Any:
        """See the SDK."""
        return self._inner.get_info()

    def get_thread_id(self) -> int | None:
        """See the SDK."""
        return self._inner.get_thread_id()
