"""A store full of passages that nobody has labelled: where labelling alone is to be measured."""

import json
import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle
from pathlib import Path

from dsn_nlp.records import Document
from dsn_nlp.store import Store
from tests.conftest import ROOT

DOCUMENTS_A_WRITE = 500


def texts(count: int, seed: int = 5) -> Iterator[str]:
    """Give as many texts of two labelled passages each; none comes twice before all have come."""
    passages = []
    for path in sorted((ROOT / "corpora" / "labelled").glob("*.jsonl")):
        lines = path.read_text(encoding="utf-8").splitlines()
        passages += [json.loads(line)["text"] for line in lines if line.strip()]
    random.Random(seed).shuffle(passages)
    drawn = cycle(passages)
    for _ in range(count):
        yield f"{next(drawn)} {next(drawn)}"


def fill(url: str, documents: int, version: str = "measure") -> str:
    """Store as many documents with their passages, in a run that is left open.

    :return: the run's id.
    """
    from dsn_nlp.prepare.passages import split_document

    with Store.open(url) as store:
        run_id = store.begin_run(version, timedelta(hours=12))
        batch = []
        for number, text in enumerate(texts(documents)):
            document = Document(f"d{number:09}", "comment", "s", text, "fr")
            batch.append((document, split_document(document)))
            if len(batch) == DOCUMENTS_A_WRITE:
                store.add_documents(run_id, batch)
                batch = []
        store.add_documents(run_id, batch)
    return run_id


def settings_text(url: str, /, **scale: object) -> str:
    """Write settings without any source, on that store."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in scale.items()]
    return (
        f'key_file = "key"\n[store]\nurl = "{url}"\n[labelling]\nmodels = "{ROOT}/models"\n'
        f"threads = 1\nbatch_passages = 64\n[scale]\n" + "\n".join(lines) + "\n"
    )


def write_settings(folder: Path, url: str, /, **scale: object) -> Path:
    """Write them to a file of a folder."""
    path = folder / "dsn.toml"
    path.write_text(settings_text(url, **scale), encoding="utf-8")
    return path
