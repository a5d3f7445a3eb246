"""Where are histories found, and in which shapes? Local files, buckets, JSON, binary messages, pages."""
