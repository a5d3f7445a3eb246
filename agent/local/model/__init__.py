"""The model server: OpenAI's wire format on one side, deterministic answers and token usage on the other."""
