"""Thin Prefect flows over the library's stages. Only paths, ids and counts cross their edges."""
