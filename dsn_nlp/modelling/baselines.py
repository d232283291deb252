"""Simple systems that a model has to beat, fitted on the same split."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dsn_nlp.label.classifier import Classifier
from dsn_nlp.modelling.corpus import Example, Split, complaint_matrix, sentiment_vector
from dsn_nlp.modelling.evaluate import Predictions, Report, measure
from dsn_nlp.modelling.ngrams import fit_ngrams
from dsn_nlp.records import COMPLAINTS

MAX_TOKENS = 160


def measure_baselines(splits: dict[Split, list[Example]], base: str) -> dict[str, Report]:
    """Fit each baseline on ``train`` and measure it on ``test``.

    :param base: folder or Hugging Face id of the encoder to freeze.
    :raises TrainingError: when the base cannot be loaded.
    """
    train, test = splits["train"], splits["test"]
    return {
        "majority": measure(test, _majority(train, test)),
        "TF-IDF + logistic regression": measure(test, _ngrams(train, test)),
        "frozen encoder + logistic regression": measure(test, _frozen(train, test, base)),
    }


def measure_encoder(classifier: Classifier, examples: Sequence[Example]) -> Report:
    """Measure a model's network without its n-grams, uncalibrated: logits above 0, highest wins.

    :raises CorpusError: when there is nothing to measure on.
    """
    logits = classifier.network_logits([e.text for e in examples])
    cut = len(COMPLAINTS)
    return measure(examples, Predictions(logits[:, :cut] > 0, logits[:, cut:].argmax(1)))


def _majority(train: Sequence[Example], test: Sequence[Example]) -> Predictions:
    common = complaint_matrix(train).mean(axis=0) >= 0.5
    mood = np.bincount(sentiment_vector(train), minlength=3).argmax()
    size = len(test)
    return Predictions(np.tile(common, (size, 1)), np.full(size, mood, np.int64))


def _ngrams(train: Sequence[Example], test: Sequence[Example]) -> Predictions:
    logits = fit_ngrams(train).logits([e.text for e in test])
    return Predictions(logits[:, : len(COMPLAINTS)] > 0, logits[:, len(COMPLAINTS) :].argmax(1))


def _frozen(train: Sequence[Example], test: Sequence[Example], base: str) -> Predictions:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler()
    rows = scaler.fit_transform(embed(base, [e.text for e in train]))
    others = scaler.transform(embed(base, [e.text for e in test]))
    gold = complaint_matrix(train)
    told = [
        LogisticRegression(C=0.01, max_iter=2000).fit(rows, gold[:, k]).predict(others) > 0.5
        for k in range(len(COMPLAINTS))
    ]
    moods = LogisticRegression(C=0.01, max_iter=2000).fit(rows, sentiment_vector(train))
    return Predictions(np.column_stack(told), moods.predict(others))


def embed(base: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Mean-pooled token states of the base encoder, shape ``(n, hidden)``."""
    import torch

    from dsn_nlp.modelling.network import load_base, positions_of

    encoder, tokenizer = load_base(base)
    encoder.eval()
    max_tokens = min(MAX_TOKENS, positions_of(encoder))
    pooled = []
    with torch.no_grad():
        for begin in range(0, len(texts), 64):
            batch = tokenizer(
                list(texts[begin : begin + 64]), padding=True, truncation=True,
                max_length=max_tokens, return_tensors="pt",
            )  # fmt: skip
            mask = batch["attention_mask"]
            states = encoder(input_ids=batch["input_ids"], attention_mask=mask).last_hidden_state
            weights = mask.unsqueeze(-1)
            pooled.append(((states * weights).sum(1) / weights.sum(1)).float().numpy())
    return np.vstack(pooled)
