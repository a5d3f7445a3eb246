"""The model server's embeddings and its list of models, as the real OpenAI client sees them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from openai import NotFoundError

from agent.local.journal import TokenUsage

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from agent.local.control_client import ControlClient

MODEL = "text-embedding-3-small"


async def test_each_text_has_a_vector_of_its_own_and_always_the_same(openai_client: AsyncOpenAI) -> None:
    answer = await openai_client.embeddings.create(model=MODEL, input=["a", "b"], dimensions=3, encoding_format="float")

    vectors = [tuple(round(number, 4) for number in item.embedding) for item in answer.data]
    assert vectors == [(0.724, -0.4568, 0.5168), (0.6891, 0.4601, -0.5599)]


async def test_a_vector_has_length_one_and_the_usual_number_of_dimensions(openai_client: AsyncOpenAI) -> None:
    answer = await openai_client.embeddings.create(model=MODEL, input="a")

    vector = answer.data[0].embedding
    assert len(vector) == 1536
    assert math.hypot(*vector) == pytest.approx(1)


async def test_the_clients_own_encoding_carries_the_same_vector(openai_client: AsyncOpenAI) -> None:
    plain = await openai_client.embeddings.create(model=MODEL, input="a", encoding_format="float")
    packed = await openai_client.embeddings.create(model=MODEL, input="a")

    assert packed.data[0].embedding == pytest.approx(plain.data[0].embedding)


async def test_an_embedding_uses_input_tokens_only(openai_client: AsyncOpenAI, model_control: ControlClient) -> None:
    answer = await openai_client.embeddings.create(model=MODEL, input="a")

    assert answer.usage.to_dict() == {"prompt_tokens": 7193, "total_tokens": 7193}
    assert [request.usage for request in await model_control.requests()] == [TokenUsage(7193, 0, 0, 0)]


async def test_models_are_listed_and_described(openai_client: AsyncOpenAI) -> None:
    listed = [model.id async for model in openai_client.models.list()]
    described = await openai_client.models.retrieve("gpt-4o")

    assert listed == ["gpt-4o", "gpt-4o-mini", "o4-mini", "text-embedding-3-small"]
    assert described.to_dict() == {"id": "gpt-4o", "object": "model", "created": 1767225600, "owned_by": "local"}
    with pytest.raises(NotFoundError, match="The model 'gpt-0' does not exist"):
        await openai_client.models.retrieve("gpt-0")
