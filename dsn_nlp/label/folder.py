"""The model folder: which files it holds, its manifest, and the check that none was altered."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from dsn_nlp.errors import ModelError
from dsn_nlp.records import COMPLAINTS, SENTIMENTS
from dsn_nlp.weights import check_sums

FORMAT = 1
MANIFEST = "manifest.json"
CARD = "README.md"
NETWORK = "network.onnx"
TOKENIZER = "tokenizer.json"
NGRAMS = "ngrams.safetensors"
FILES = (NETWORK, TOKENIZER, NGRAMS)
# Not needed to label: what corrects counts for the model's errors. Models before 1.2.0 have none.
PROFILE = "profile.safetensors"
CURRENT = "current.toml"
_REFERENCE = re.compile(r"[a-z0-9][a-z0-9._-]*/[0-9A-Za-z][0-9A-Za-z._-]*")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Calibration(_Strict):
    """How logits of network and n-grams become probabilities; fitted on development.

    Complaint ``k``: ``sigmoid(w[k] · (network, n-grams) + b[k])`` (Platt scaling of a stack).
    Sentiment: ``softmax(W · (3 network, 3 n-gram logits) + b)``.
    """

    complaint_weights: list[tuple[float, float]] = Field(min_length=5, max_length=5)
    complaint_biases: list[float] = Field(min_length=5, max_length=5)
    sentiment_weights: list[list[float]] = Field(min_length=3, max_length=3)
    sentiment_biases: list[float] = Field(min_length=3, max_length=3)


class Manifest(_Strict):
    """What a model folder says of itself; everything inference needs beside the weights."""

    format: int
    name: str
    version: str
    base: str
    created: str
    complaints: tuple[str, ...]
    sentiments: tuple[str, ...]
    thresholds: dict[str, float]
    review_risk: float = Field(description="passages whose risk of error is above go to people")
    calibration: Calibration
    exits: tuple[int, ...] = Field(
        default=(), description="layers after which a text that is sure enough goes no deeper"
    )
    exit_risk: float = Field(
        default=0.0, description="the most risk of error with which it may leave"
    )
    max_tokens: int
    activations: Literal["batch", "token"] = Field(
        "batch", description="what shares one int8 scale; 'batch' before 1.2.0: run texts alone"
    )
    corpus: dict[str, Any]
    training: dict[str, Any]
    measured: dict[str, Any]
    files: dict[str, str] = Field(description="SHA-256 of each file")

    @field_validator("exits")
    @classmethod
    def _deeper_and_deeper(cls, layers: tuple[int, ...]) -> tuple[int, ...]:
        if list(layers) != sorted({layer for layer in layers if layer > 0}):
            raise ValueError("layers in ascending order, from 1")
        return layers

    @property
    def model(self) -> str:
        """The identity that label rows carry, ``name@version``."""
        return f"{self.name}@{self.version}"

    @property
    def parts(self) -> list[str]:
        """Files of the network, in the order in which they run."""
        return [NETWORK, *map(part_name, self.exits)]


def part_name(layer: int) -> str:
    """File of the part of the network that goes on after a layer."""
    return f"network.{layer}.onnx"


def read_manifest(folder: Path) -> Manifest:
    """Read a folder's manifest and check that it fits this version of the code.

    :raises ModelError: when it is missing, malformed, or lists other labels than ours.
    """
    path = folder / MANIFEST
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except OSError:
        raise ModelError(
            f"{folder}: no model here ({MANIFEST} is missing); name another folder with --model, "
            "or train one with 'dsn-nlp train'"
        ) from None
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise ModelError(
            f"{path}: not a manifest of ours ({where}); train the model anew"
        ) from None
    if manifest.format != FORMAT:
        raise ModelError(f"{path}: format {manifest.format}, this version reads {FORMAT}")
    if manifest.complaints != COMPLAINTS or manifest.sentiments != SENTIMENTS:
        raise ModelError(f"{path}: its labels are not those of this version; train the model anew")
    return manifest


def verify(folder: Path, manifest: Manifest) -> None:
    """Check every file against its checksum, before anything is loaded from it.

    :raises ModelError: when a file is missing, extra in the manifest, or altered.
    """
    needed = {*FILES, *manifest.parts}
    if set(manifest.files) - {PROFILE} != needed:
        raise ModelError(f"{folder / MANIFEST}: must list exactly {', '.join(sorted(needed))}")
    check_sums(folder, manifest.files)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, readable and stable."""
    text = json.dumps(manifest.model_dump(), ensure_ascii=False, indent=1)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def serving_folder(models: Path) -> Path:
    """Return the folder that ``current.toml`` names as the serving model.

    :raises ModelError: when it names none, or one outside ``models``.
    """
    path = models / CURRENT
    try:
        reference = str(tomllib.loads(path.read_text(encoding="utf-8"))["serving"])
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        raise ModelError(
            f'{path}: names no serving model; write: serving = "<name>/<version>"'
        ) from None
    if not _REFERENCE.fullmatch(reference):
        raise ModelError(f"{path}: '{reference}' is not of the form <name>/<version>")
    return models / reference


def set_serving(models: Path, reference: str) -> None:
    """Make ``<name>/<version>`` the serving model.

    :raises ModelError: when that folder holds no model, or an altered one.
    """
    folder = models / reference
    verify(folder, read_manifest(folder))
    comment = "# The model that labels; change it with: dsn-nlp models serve <name>/<version>"
    text = f'{comment}\nserving = "{reference}"\n'
    (models / CURRENT).write_text(text, encoding="utf-8")


def list_models(models: Path) -> list[Manifest]:
    """Read the manifest of every model below ``models``, oldest first."""
    found = [read_manifest(path.parent) for path in models.glob(f"*/*/{MANIFEST}")]
    return sorted(found, key=lambda m: m.created)
