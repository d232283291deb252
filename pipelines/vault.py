"""Secrets from Prefect's encrypted blocks, where the environment does not give them.

``DSN_NLP_SECRET_BLOCKS="DSN_NLP_STORE__URL=dsn-store DSN_NLP_KEY=dsn-key"`` names the block of each
variable. They are put into this process's environment alone: never into parameters or results.
"""

import os

from prefect.blocks.system import Secret

from dsn_nlp.errors import ConfigError

NAMES = "DSN_NLP_SECRET_BLOCKS"


def open_vault() -> list[str]:
    """Fill in the variables that are named and not set.

    :return: the variables that were filled in.
    :raises ConfigError: when the list is not understood, or a block cannot be loaded.
    """
    filled = []
    for pair in os.environ.get(NAMES, "").split():
        variable, _, block = pair.partition("=")
        if not block or not variable.startswith("DSN_NLP_"):
            raise ConfigError(f"{NAMES}: '{variable}' is not of the form DSN_NLP_…=block-name")
        if variable not in os.environ:
            os.environ[variable] = _load(block)
            filled.append(variable)
    return filled


def _load(block: str) -> str:
    try:
        return str(Secret.load(block).get())  # type: ignore[union-attr]
    except Exception as error:  # Prefect raises many types; none of their messages is passed on
        raise ConfigError(
            f"secret block '{block}': cannot be loaded ({type(error).__name__}); "
            "create it in Prefect's Blocks page"
        ) from None
