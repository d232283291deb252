"""``python -m dsn_nlp.wordings``: what the French catalogue lacks, as lines to complete."""

import json
import sys

from dsn_nlp.wordings import read_catalogue
from dsn_nlp.wordings.sites import read_templates


def main() -> int:
    """List templates without French and entries that nothing makes; 1 when there are any."""
    made, known = read_templates(), read_catalogue()["messages"]
    for template in sorted(set(made) - set(known)):
        print(f'# {", ".join(made[template][:3])}\n{json.dumps(template, ensure_ascii=False)} = ""')
    for template in sorted(set(known) - set(made)):
        print(f"# nothing makes this any more: {json.dumps(template, ensure_ascii=False)}")
    return 1 if set(made) ^ set(known) else 0


if __name__ == "__main__":
    sys.exit(main())
