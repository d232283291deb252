"""Watching nights: what each measured, whether it drifts, and whether it may be published."""
