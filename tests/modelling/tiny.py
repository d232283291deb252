"""A tiny random CamemBERT in Hugging Face form, with a SentencePiece tokenizer of its own."""

import json
from pathlib import Path

import sentencepiece
from transformers import CamembertConfig, CamembertModel


def save_tiny_camembert(folder: Path, sentences: list[str]) -> Path:
    """Train a small SentencePiece model and save a random encoder beside it."""
    folder.mkdir(parents=True)
    text = folder / "sentences.txt"
    text.write_text("\n".join(sentences), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(folder / "sentencepiece.bpe"), vocab_size=500,
        model_type="unigram", bos_id=-1, eos_id=-1, pad_id=-1, unk_id=0, unk_piece="<unk>",
        user_defined_symbols=[], hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    text.unlink()
    (folder / "sentencepiece.bpe.vocab").unlink()
    config = CamembertConfig(
        vocab_size=600, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=130, type_vocab_size=1,
        pad_token_id=1, bos_token_id=5, eos_token_id=6,
    )  # fmt: skip
    CamembertModel(config, add_pooling_layer=False).save_pretrained(folder)
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "CamembertTokenizer", "model_max_length": 128})
    )
    return folder
