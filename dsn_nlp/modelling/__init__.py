"""Labelled corpus in, model folder out. The only room that imports torch and transformers."""
