"""What we are made of, and what processes take on: bill of materials, core dumps, no pickles."""

import ast
import json
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from dsn_nlp.errors import InputError
from dsn_nlp.privacy.sbom import bill_of_materials
from tests.conftest import ROOT


def test_the_bill_lists_every_pin_once_and_is_the_same_each_time() -> None:
    text = bill_of_materials(ROOT / "constraints.txt")
    assert text == bill_of_materials(ROOT / "constraints.txt")
    bill = json.loads(text)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    pins = [
        line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    ]  # fmt: skip
    purls = [part["purl"] for part in bill["components"]]
    assert len(purls) == len(set(purls)) == len(pins)
    assert all(re.fullmatch(r"pkg:pypi/[a-z0-9-]+@[\w.%!+]+", purl) for purl in purls)


@pytest.mark.parametrize("line", ["requests", "requests>=2", "-e .", "git+https://x/y"])
def test_what_is_not_pinned_is_told(tmp_path: Path, line: str) -> None:
    (tmp_path / "lock.txt").write_text(f"# lock\nhttpx==0.28.1\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"lock\.txt:3"):
        bill_of_materials(tmp_path / "lock.txt")


def test_the_command_line_closes_up() -> None:
    code = (
        "import sys; sys.argv = ['dsn-nlp', '--version']\n"
        "import os, resource, dsn_nlp.cli\n"
        "try: dsn_nlp.cli.main()\n"
        "except SystemExit: pass\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE), oct(os.umask(0)))"
    )
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert done.stdout.splitlines()[-1] == "(0, 0) 0o77"
    assert resource.getrlimit(resource.RLIMIT_CORE) is not None


FORBIDDEN = {"eval", "exec", "os.system", "os.popen", "torch.load"}


def test_nothing_unpickles_runs_text_or_trusts_remote_code() -> None:
    """In the package: no pickle by any name, no eval, no shell, no remote code of a model."""
    found = []
    for path in [*(ROOT / "dsn_nlp").rglob("*.py"), *(ROOT / "pipelines").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        if re.search(
            r"\b(?:pickle|cPickle|dill|cloudpickle|joblib)\b|allow_pickle\s*=\s*True", text
        ):
            found.append((path.name, "pickle"))
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if called in FORBIDDEN:
                found.append((path.name, called))
            for word in node.keywords:
                if word.arg in ("trust_remote_code", "shell") and getattr(word.value, "value", 1):
                    found.append((path.name, word.arg))
    assert found == []
