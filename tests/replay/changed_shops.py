"""Versions of the shop that were changed since its run was recorded: each does one thing in another way."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from tests.replay.shop import SOON, WAREHOUSE, Steps

S = TypeVar("S", bound=type[Steps])


def changed(cls: S) -> S:
    """Make a workflow of the type `Shop` of it."""

    async def run(self: Steps) -> str:
        return await self.all()

    run.__qualname__ = f"{cls.__qualname__}.run"  # the SDK wants a method that is no local function
    cls.run = workflow.run(run)  # type: ignore[attr-defined]
    return workflow.defn(name="Shop", sandboxed=False)(cls)


@changed
class BooksInsteadOfReserving(Steps):
    async def reserve(self) -> None:
        await workflow.execute_activity("book", "order-1", start_to_close_timeout=SOON)


@changed
class BooksInTheGroup(Steps):
    async def reserve(self) -> None:
        booking = workflow.execute_activity("book", "order-1", start_to_close_timeout=SOON)
        await asyncio.gather(booking)


@changed
class ReservesNothing(Steps):
    async def reserve(self) -> None: ...


@changed
class ReservesTwice(Steps):
    async def reserve(self) -> None:
        await super().reserve()
        await workflow.execute_activity("confirm", "order-1", start_to_close_timeout=SOON)


@changed
class ReservesAfterTheShipment(Steps):
    async def reserve(self) -> None:
        await super().ship()

    async def ship(self) -> None:
        await super().reserve()


@changed
class SleepsInsteadOfReserving(Steps):
    async def reserve(self) -> None:
        await workflow.sleep(5)


@changed
class BooksInsteadOfSleeping(Steps):
    async def pause(self) -> None:
        await workflow.execute_activity("book", "order-1", start_to_close_timeout=SOON)


@changed
class WaitsForAReservation(Steps):
    async def reserve(self) -> None:
        await workflow.wait_condition(lambda: False)


@changed
class WeighsInsteadOfPricing(Steps):
    async def price(self) -> None:
        await workflow.execute_local_activity("weigh", "order-1", start_to_close_timeout=SOON)


@changed
class PricesNothing(Steps):
    async def price(self) -> None: ...


@changed
class WeighsFirst(Steps):
    async def reserve(self) -> None:
        await workflow.execute_local_activity("weigh", "order-1", start_to_close_timeout=SOON)
        await super().reserve()


@changed
class PostsInsteadOfShipping(Steps):
    async def ship(self) -> None:
        await workflow.execute_child_workflow("Post", "order-1", id="shipping-1")


@changed
class ShipsUnderAnotherId(Steps):
    async def ship(self) -> None:
        await workflow.execute_child_workflow("Shipping", "order-1", id="shipping-2")


@changed
class TellsNobody(Steps):
    async def tell(self) -> None: ...


@changed
class TranslatesNothing(Steps):
    async def translate(self) -> None: ...


@changed
class SignalsInsteadOfCancelling(Steps):
    async def stop(self) -> None:
        await workflow.get_external_workflow_handle(WAREHOUSE).signal("stop")


@changed
class HasAnotherPatch(Steps):
    async def note(self) -> None:
        workflow.patched("without-memo")
        workflow.upsert_memo({"order": "order-1"})


@changed
class HasLostItsPatch(Steps):
    async def note(self) -> None:
        workflow.upsert_memo({"order": "order-1"})


@changed
class NotesNothing(Steps):
    async def note(self) -> None:
        workflow.patched("with-memo")


@changed
class IndexesNothing(Steps):
    async def index(self) -> None: ...


@changed
class GoesOn(Steps):
    async def finish(self) -> str:
        workflow.continue_as_new()


@changed
class DoesMore(Steps):
    async def finish(self) -> str:
        await workflow.execute_activity("thank", "order-1", start_to_close_timeout=SOON)
        return "order-1 is done"


@changed
class ReturnsEarly(Steps):
    async def all(self) -> str:
        await self.note()
        await self.index()
        return await self.finish()


@changed
class NeverEnds(Steps):
    async def finish(self) -> str:
        await workflow.wait_condition(lambda: False)
        return "order-1 is done"


@changed
class FailsAtTheEnd(Steps):
    async def finish(self) -> str:
        raise ApplicationError("order-1 is lost")


@changed
class RaisesAtTheEnd(Steps):
    async def finish(self) -> str:
        raise KeyError("order-1")


@changed
class LoopsAtTheEnd(Steps):
    async def finish(self) -> str:
        while True:
            pass


@changed
class TakesBackATimerAtTheEnd(Steps):
    """Asks for a timer and cancels it in the same task, so that it is never sent: the run is the same."""

    async def finish(self) -> str:
        timer = asyncio.create_task(workflow.sleep(5))
        await asyncio.sleep(0)
        timer.cancel()
        return await super().finish()


@changed
class TakesBackATimerBeforeAnother(Steps):
    """Timers are counted: the next one has another ID."""

    async def reserve(self) -> None:
        timer = asyncio.create_task(workflow.sleep(5))
        await asyncio.sleep(0)
        timer.cancel()
        await super().reserve()


@changed
class TakesBackAndBooks(Steps):
    async def reserve(self) -> None:
        timer = asyncio.create_task(workflow.sleep(5))
        await asyncio.sleep(0)
        timer.cancel()
        await workflow.execute_activity("book", "order-1", start_to_close_timeout=SOON)
