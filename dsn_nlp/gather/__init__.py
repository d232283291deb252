"""Gathering: URLs and files become articles and raw comments."""
