"""A small night, for tests to run whole, or as a child process that they kill.

As a program: ``store_nights.py URL`` works one night and prints a line after each write.
"""

import sys
from datetime import UTC, datetime, timedelta

from dsn_nlp.records import COMPLAINTS, Document, Label, Passage, Rejection
from dsn_nlp.store import Store
from dsn_nlp.text import content_id

LEASE = timedelta(minutes=30)
MODEL = "toy@1"
DOCUMENTS, CUTS = 12, 3


def document(number, marker=""):
    text = "".join(
        f"Phrase {number}-{cut} : le DSN est tombé, « encore » 😀{marker}. " for cut in range(CUTS)
    )
    url = f"https://exemple.test/{number}" if number % 2 else None
    return Document(
        document_id=content_id("article", url) if url else content_id("source", str(number)),
        kind="article" if number % 2 else "comment",
        source="presse",
        text=text,
        lang="fr",
        url=url,
        title=f"Titre {number}" if number % 2 else None,
        published_at=datetime(2026, 3, 1 + number % 28, 5, 6, 7, 89, tzinfo=UTC),
        site="CHUM" if number % 3 else None,
    )


def passages(of):
    size = len(of.text) // CUTS
    return [
        Passage(
            passage_id=content_id(of.document_id, str(cut)),
            document_id=of.document_id,
            position=cut,
            start=cut * size,
            end=(cut + 1) * size,
            text=of.text[cut * size : (cut + 1) * size],
            lang="fr",
        )
        for cut in range(CUTS)
    ]


def pair(number, marker=""):
    made = document(number, marker)
    return made, passages(made)


def label(of, model=MODEL):
    share = int(of.passage_id[:4], 16) / 0xFFFF
    scores = tuple(share / (rank + 1) for rank in range(len(COMPLAINTS)))
    return Label(
        passage_id=of.passage_id,
        model=model,
        complaints=tuple(n for n, s in zip(COMPLAINTS, scores, strict=True) if s >= 0.5),
        complaint_scores=scores,
        sentiment="negative",
        sentiment_scores=(0.7, 0.2, 0.1),
        needs_review=share < 0.1,
    )


def rejection(number):
    return Rejection("presse", f"https://exemple.test/r{number}", "screen", "off-topic")


def register(store, model=MODEL):
    name, version = model.split("@")
    store.register_model(model, name, version, {"files": {"model.onnx": "00"}}, "digest")


def work(store, run_id, numbers=range(DOCUMENTS), model=MODEL, tell=lambda: None):
    """Do all of a night but its publishing; call ``tell`` after each write."""
    register(store, model)
    for number in numbers:
        store.add_documents(run_id, [pair(number)])
        tell()
        if number % 4 == 0:
            store.add_rejections(run_id, [rejection(number)])
            tell()
    while found := store.unlabelled(model, 5):
        store.add_labels(run_id, [label(one, model) for one in found])
        tell()


def night(store, numbers=range(DOCUMENTS), model=MODEL):
    """Run a whole night and publish it."""
    run_id = store.begin_run("0.1.0", LEASE)
    work(store, run_id, numbers, model)
    store.publish(run_id, store.counts(), model)
    return run_id


if __name__ == "__main__":
    with Store.open(sys.argv[1]) as opened:
        begun = opened.begin_run("0.1.0", LEASE)
        print(begun, flush=True)
        work(opened, begun, tell=lambda: print("wrote", flush=True))
        print("done", flush=True)
        sys.stdin.read()
