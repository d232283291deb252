"""The tagger's folder: which files it holds, its manifest, and the check that none was altered."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dsn_nlp.errors import ModelError
from dsn_nlp.weights import check_sums

FORMAT = 1
# Below the folder of models, and not "manifest.json", by which classifiers are listed.
REFERENCE = "dsn-deidentifier/1.1.0"
MANIFEST = "tagger.json"
CARD = "README.md"
NETWORK = "network.onnx"
TOKENIZER = "tokenizer.json"
FILES = (NETWORK, TOKENIZER)


class TaggerManifest(BaseModel):
    """What a tagger's folder says of itself; all that inference needs beside the weights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    name: str
    version: str
    base: str
    created: str
    types: tuple[str, ...] = Field(description="classes are O, then B and I of each type")
    thresholds: dict[str, float] = Field(description="by type: least probability of a word")
    doubts: float = Field(description="below: a name that lists alone suggest is not believed")
    max_tokens: int = Field(ge=16, le=510, description="tokens read at once")
    corpus: dict[str, Any]
    training: dict[str, Any]
    measured: dict[str, Any]
    files: dict[str, str] = Field(description="SHA-256 of each file")


def tagger_folder(models: Path | None) -> Path:
    """Give the folder of the tagger: below ``models``, or else below the installed project's."""
    project = Path(__file__).resolve().parents[2] / "models"
    below = [root / REFERENCE for root in (models, project) if root is not None]
    return next((folder for folder in below if folder.is_dir()), below[0])


def read_tagger_manifest(folder: Path, types: tuple[str, ...]) -> TaggerManifest:
    """Read a tagger's manifest and check that it fits this version of the code.

    :raises ModelError: when it is missing, malformed, or of other types than ``types``.
    """
    path = folder / MANIFEST
    try:
        manifest = TaggerManifest.model_validate_json(path.read_bytes())
    except OSError:
        raise ModelError(
            f"{folder}: no de-identification model here ({MANIFEST} is missing); restore the "
            "folder (git checkout, backup) or name another one in [prepare] deidentifier"
        ) from None
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise ModelError(f"{path}: not a manifest of ours ({where}); restore the folder") from None
    if manifest.format != FORMAT:
        raise ModelError(f"{path}: format {manifest.format}, this version reads {FORMAT}")
    if manifest.types != types or set(manifest.thresholds) != set(types):
        raise ModelError(f"{path}: its types are not those of this version; train it anew")
    return manifest


def verify_tagger(folder: Path, manifest: TaggerManifest) -> None:
    """Check every file against its checksum, before anything is loaded from it.

    :raises ModelError: when a file is missing, not listed, or altered.
    """
    if set(manifest.files) != set(FILES):
        raise ModelError(f"{folder / MANIFEST}: must list exactly {', '.join(FILES)}")
    check_sums(folder, manifest.files)


def write_tagger_manifest(folder: Path, manifest: TaggerManifest) -> None:
    """Write the manifest, readable and stable."""
    text = json.dumps(manifest.model_dump(), ensure_ascii=False, indent=1)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
