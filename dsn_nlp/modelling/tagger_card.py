"""The card of a tagger's folder, written from its manifest."""

from dsn_nlp.prepare.deid_folder import TaggerManifest


def write_tagger_card(manifest: TaggerManifest) -> str:
    """Write the card in Markdown."""
    size = manifest.corpus
    rows = [
        f"| {lang} | " + " | ".join(f"{value:.3f}" for value in measures.values()) + " |"
        for lang, measures in manifest.measured.items()
    ]
    names: list[str] = list(next(iter(manifest.measured.values()), {}))
    table = ["| | " + " | ".join(names) + " |", "| --- " * (len(names) + 1) + "|", *rows]
    cuts = ", ".join(f"{kind} {cut:g}" for kind, cut in manifest.thresholds.items())
    return "\n".join(
        [
            f"# {manifest.name} {manifest.version}",
            "",
            "Tells in Québec French and English staff comments which words are part of a personal "
            "identifier. One part of de-identification, beside rules; alone it is not enough.",
            "",
            f"- Base: {manifest.base}; {manifest.training['recipe']['layers']} layers, int8.",
            f"- Trained on {size.get('tagged', 0)} tagged invented comments, told anew each epoch "
            f"with other names and numbers, and on {size.get('free', 0)} passages without any.",
            f"- Thresholds were chosen by a run that had not seen {size.get('held', 0)} of the "
            "comments; then all were trained on.",
            f"- Thresholds: {cuts}; names of the rules below {manifest.doubts:g} are not believed.",
            "",
            "On the comments held out, rules and tagger together, with the thresholds chosen "
            "there (optimistic for that reason):",
            "",
            *table,
            "",
            "Not for anonymisation: what it leaves may still identify a person to who knows them.",
            "",
        ]
    )
