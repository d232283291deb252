"""A software bill of materials from the lock file: CycloneDX 1.6 JSON, the same for the same lock.

No serial number and no time of making, which the format allows: the bill changes when the lock
does, and can be compared and committed.
"""

import json
import re
from pathlib import Path
from typing import Any

from dsn_nlp import __version__
from dsn_nlp.errors import InputError

_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9.!+_-]*)")


def bill_of_materials(lock: Path) -> str:
    """Write the bill of a lock file, one component a pinned package.

    :raises InputError: when the file is missing, or holds a line that pins nothing.
    """
    pins = sorted(_pins(lock))
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": f"pkg:pypi/dsn-nlp@{__version__}",
                "name": "dsn-nlp",
                "version": __version__,
                "purl": f"pkg:pypi/dsn-nlp@{__version__}",
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": [_component(name, version) for name, version in pins],
    }
    return json.dumps(bill, ensure_ascii=False, indent=2) + "\n"


def _pins(lock: Path) -> list[tuple[str, str]]:
    try:
        lines = lock.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{lock}: the lock file cannot be read ({error.strerror})") from None
    pins = []
    for number, line in enumerate(lines, start=1):
        stated = line.split("#", 1)[0].split(";", 1)[0].strip()
        if not stated:
            continue
        found = _PIN.fullmatch(stated)
        if not found:
            raise InputError(f"{lock}:{number}: not of the form name==version")
        pins.append((re.sub(r"[-_.]+", "-", found[1]).lower(), found[2]))
    return pins


def _component(name: str, version: str) -> dict[str, Any]:
    purl = f"pkg:pypi/{name}@{version.replace('+', '%2B')}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
