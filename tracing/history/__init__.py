"""Reader 2: past histories into the spans that were live."""
