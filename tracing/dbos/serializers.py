"""By which serialiser of the user's are ledgers read that were written by it?

None is ever called but one that the user hands over, and only for ledgers that name it. Pickle is refused: it runs
whatever a row says.
"""

from __future__ import annotations

from typing import Any, Final, Protocol, runtime_checkable

from tracing.importing import load_object

PICKLE: Final = "py_pickle"
"""Name of DBOS's default serialiser."""


@runtime_checkable
class Serializer(Protocol):
    """What this needs of a serialiser of DBOS (``dbos.Serializer``)."""

    def name(self) -> str:
        """Its name, which stands beside each value that it wrote."""

    def deserialize(self, serialized_data: str) -> Any:
        """Read a value."""


def checked(given: object, named: str) -> Serializer:
    """A serialiser that was handed over: itself, or what a class or function without arguments gives.

    Args:
        given: What was handed over.
        named: What messages call it.

    Raises:
        ValueError: It is none, or pickle.
    """
    try:
        found = given if not isinstance(given, type) and isinstance(given, Serializer) else _made(given)
    except Exception as error:
        raise ValueError(f"{named} cannot be made ({type(error).__name__}: {error}).") from error
    if isinstance(found, Serializer) and found.name() != PICKLE:
        return found
    why = (
        "is pickle, which runs whatever a row says: it is not used. Ledgers beside pickled values are portable JSON, "
        "and are read without it."
        if isinstance(found, Serializer)
        else f"is no serializer but {type(found).__name__}: name a dbos.Serializer, or a function that gives one."
    )
    raise ValueError(f"{named} {why}")


def loaded(reference: str) -> Serializer:
    """The serialiser that ``module:object`` means.

    Raises:
        ValueError: There is none, or it is pickle.
    """
    return checked(load_object(reference, what="serializer", example="package.module:serializer"), reference)


def _made(given: object) -> object:
    return given() if callable(given) else given
