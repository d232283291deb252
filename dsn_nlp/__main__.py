"""``python -m dsn_nlp`` is ``dsn-nlp``."""

from dsn_nlp.cli import main

main()
