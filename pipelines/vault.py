"""Secrets from Prefect's encrypted blocks, where the environment does not give them.

``DSN_NLP_SECRET_BLOCKS="DSN_NLP_STORE__URL=dsn-store DSN_NLP_KEY=dsn-key"`` names the block of each
variable. They are put into this process's environment alone: never into parameters or results.
"""

import os

from prefect.blocks.system import Secret

from dsn_nlp.errors import ConfigError
from dsn_nlp.guards import close_up

NAMES = "DSN_NLP_SECRET_BLOCKS"


def open_vault() -> list[str]:
    """Fill in the variables that are named and not set; files are their owner's alone from here.

    Every flow, and every task on another machine, begins with it: a worker of Prefect starts them
    without the command line, under whatever file mode mask its service has.

    :return: the variables that were filled in.
    :raises ConfigError: when the list is not understood, or a block cannot be loaded.
    """
    close_up()
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
