"""Reader 1: what runs inside clients and workers."""
