"""The demo: an agent whose worker is killed, what it did, what it cost, and what its replay saved."""
