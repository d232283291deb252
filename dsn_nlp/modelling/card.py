"""The model card, written from what the manifest says; never by hand."""

from dsn_nlp.label.folder import Manifest
from dsn_nlp.records import COMPLAINTS, SENTIMENTS


def write_card(manifest: Manifest) -> str:
    """Return the card as Markdown."""
    test = manifest.measured["test"]
    exact = manifest.measured["float_network"]
    parts = {"all": test} | test["by"]
    head = ["part", "passages", "complaints", *COMPLAINTS, "sentiment", *SENTIMENTS]
    lines = [
        f"# {manifest.model}",
        "",
        "Labels one passage of a news article or staff comment about Québec's Dossier santé "
        "numérique, in French or English: five complaints (several may hold) and sentiment "
        "towards the record.",
        "",
        f"* Base: {manifest.base}; architecture: {manifest.training.get('family', 'camembert')}; "
        "one int8 ONNX pass stacked with hashed n-grams.",
        f"* Written {manifest.created} from corpus "
        + ", ".join(f"{k} {v['passages']} ({v['digest']})" for k, v in manifest.corpus.items())
        + ".",
        f"* Thresholds: {', '.join(f'{k} {v}' for k, v in manifest.thresholds.items())}; "
        f"review above risk {manifest.review_risk}.",
        f"* At most {manifest.max_tokens} tokens are read of a passage.",
        "",
        "## Measured on the test split (F1)",
        "",
        "| " + " | ".join(head) + " |",
        "|" + " --- |" * len(head),
    ]
    for name, part in parts.items():
        figures = [part["macro_f1"], *(part["complaints"][c]["f1"] for c in COMPLAINTS)]
        figures += [part["sentiment_macro_f1"], *(part["sentiment"][s]["f1"] for s in SENTIMENTS)]
        cells = [name, str(part["passages"]), *(f"{f:.3f}" for f in figures)]
        lines.append("| " + " | ".join(cells) + " |")
    lines += [
        "",
        f"Expected calibration error: {test['calibration_error']}.",
        f"int8 against float network (complaints, sentiment): {exact}.",
        "",
        "## Limits",
        "",
        "The corpus is invented text, written and labelled by the project's guideline "
        "(`corpora/annotation-guideline.md`). Figures on real comments will differ; "
        "passages marked `needs_review` should be read by people. No person may be judged, "
        "ranked or singled out with it.",
    ]
    return "\n".join(lines) + "\n"
