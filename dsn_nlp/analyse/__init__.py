"""Questions to the labelled store, read only; answered as tables."""
