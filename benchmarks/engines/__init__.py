"""How do Temporal and DBOS compare on the same agent? Everything on the page docs/engines.md is measured here."""
