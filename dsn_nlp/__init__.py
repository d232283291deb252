"""dsn-nlp: what staff and press say of Québec's Dossier santé numérique, labelled on premises."""

from importlib.metadata import version

__version__ = version("dsn-nlp")
