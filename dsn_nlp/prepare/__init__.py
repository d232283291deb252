"""Preparing: raw comments become safe documents, and documents become passages."""
