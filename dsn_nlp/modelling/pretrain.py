"""Stages before fine-tuning that make another base: masked-language and contrastive."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import (
    AutoModelForMaskedLM,
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    Trainer,
    TrainingArguments,
    set_seed,
)

from dsn_nlp.errors import TrainingError
from dsn_nlp.modelling.corpus import Example, Split
from dsn_nlp.modelling.finetune import Recipe, finetune


def pretrain_base(
    base: str, texts: Sequence[str], output: Path, *, epochs: float = 1.0, seed: int = 17
) -> None:
    """Go on with masked-language training on in-domain texts (Gururangan et al. 2020,
    arXiv 2004.10964), and write the encoder as a base folder.

    :raises TrainingError: when the base cannot be loaded for masked-language training.
    """
    set_seed(seed)
    try:
        tokenizer = AutoTokenizer.from_pretrained(base)
        model = AutoModelForMaskedLM.from_pretrained(base)
    except (OSError, ValueError) as error:
        raise TrainingError(f"{base}: no masked-language head ({type(error).__name__})") from None
    encoded = tokenizer(list(texts), truncation=True, max_length=128)
    rows = Dataset.from_dict({"input_ids": encoded["input_ids"]})
    arguments = TrainingArguments(
        output_dir=str(output / "run"), use_cpu=not torch.cuda.is_available(), bf16=True,
        per_device_train_batch_size=32, num_train_epochs=epochs, learning_rate=1e-4,
        warmup_steps=20, save_strategy="no", report_to=[], seed=seed, logging_steps=50,
        dataloader_pin_memory=False,
    )  # fmt: skip
    collator = DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15)
    Trainer(model=model, args=arguments, train_dataset=rows, data_collator=collator).train()
    _save(model.base_model, tokenizer, output)


def contrast_base(
    splits: dict[Split, list[Example]], recipe: Recipe, work: Path, output: Path
) -> None:
    """Train the encoder for an epoch with contrast in the lead, as SetFit does before its head
    (Tunstall et al. 2022, arXiv 2209.11055), and write it as a base folder.
    """
    goal = replace(recipe.objective, contrast=3.0)
    stage = replace(recipe, epochs=1.0, batch=32, objective=goal)
    trained = finetune(splits, stage, work)
    _save(trained.network.encoder, trained.tokenizer, output)


def _save(encoder: Any, tokenizer: Any, output: Path) -> None:
    encoder.save_pretrained(str(output))
    tokenizer.save_pretrained(str(output))
