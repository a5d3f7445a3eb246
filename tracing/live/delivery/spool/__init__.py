"""What keeps finished spans when a worker is killed? Files that the next start sends from; see docs/delivery.md."""
