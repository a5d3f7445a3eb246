"""A workflow that asks for everything a workflow can ask for. `recorded/shop.history.json` is a run of it.

Each step is a method of its own, so that a changed version overrides one.
"""

from __future__ import annotations

from datetime import timedelta

import nexusrpc
from temporalio import workflow
from temporalio.common import SearchAttributeKey

SOON = timedelta(seconds=10)
TASK_QUEUE = "shop"
ENDPOINT = "translation"
WAREHOUSE = "warehouse-1"
CUSTOMER = SearchAttributeKey.for_keyword("Customer")


@nexusrpc.service
class Translation:
    translate: nexusrpc.Operation[str, str]


class Steps:
    """What the shop does, step by step."""

    async def note(self) -> None:
        workflow.patched("with-memo")
        workflow.upsert_memo({"order": "order-1"})

    async def index(self) -> None:
        workflow.upsert_search_attributes([CUSTOMER.value_set("alice")])

    async def reserve(self) -> None:
        await workflow.execute_activity("reserve", "order-1", start_to_close_timeout=SOON)

    async def price(self) -> None:
        await workflow.execute_local_activity("price", "order-1", start_to_close_timeout=SOON)

    async def pause(self) -> None:
        await workflow.sleep(0.05)

    async def ship(self) -> None:
        await workflow.execute_child_workflow("Shipping", "order-1", id="shipping-1")

    async def tell(self) -> None:
        await workflow.get_external_workflow_handle(WAREHOUSE).signal("shipped", "order-1")

    async def translate(self) -> None:
        client = workflow.create_nexus_client(service=Translation, endpoint=ENDPOINT)
        await client.execute_operation(Translation.translate, "thanks")

    async def stop(self) -> None:
        await workflow.get_external_workflow_handle(WAREHOUSE).cancel()

    async def finish(self) -> str:
        return "order-1 is done"

    async def all(self) -> str:
        await self.note()
        await self.index()
        await self.reserve()
        await self.price()
        await self.pause()
        await self.ship()
        await self.tell()
        await self.translate()
        await self.stop()
        return await self.finish()


@workflow.defn
class Shop(Steps):
    @workflow.run
    async def run(self) -> str:
        return await self.all()
