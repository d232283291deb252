"""The retraining flow: corpus and reviewed labels → train → evaluate → promote, or say why not."""

from datetime import date
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas import State
from prefect.states import Completed, Failed

from dsn_nlp.config import load_settings
from dsn_nlp.errors import DsnNlpError
from dsn_nlp.modelling.build import Target
from dsn_nlp.modelling.finetune import Recipe, changed
from dsn_nlp.modelling.retrain import Outcome, as_example
from dsn_nlp.modelling.retrain import retrain as run_retraining
from dsn_nlp.review.labels import reviewed_passages
from dsn_nlp.stages import open_store
from pipelines.policy import POLICY
from pipelines.vault import open_vault


@task(task_run_name="retrain-{version}", timeout_seconds=24 * 3600, **POLICY)
def train_and_judge(
    config: str, corpus: str, base: str, version: str, work: str, settings: list[str]
) -> Outcome:
    """Train a candidate on what people have reviewed so far, and promote it if it is better.

    Reviewed passages are read, and used, inside this call; only counts and figures come out.
    """
    own = load_settings(Path(config))
    with open_store(own) as store:
        reviewed = [as_example(passage) for passage in reviewed_passages(store)]
    recipe = changed(Recipe(base=base), settings)
    target = Target(own.labelling.models, "dsn-camembert", version)
    return run_retraining(Path(corpus), reviewed, recipe, Path(work), target, resume=True)


@flow(name="retrain", flow_run_name="retrain-{version}", persist_result=False, log_prints=False)
def retrain(
    config: str = "dsn.toml",
    corpus: str = "corpora/labelled",
    base: str = "work/base",
    version: str = "",
    work: str = "work/retrain",
    settings: list[str] | None = None,
) -> Any:
    """Retrain once.

    :param version: of the candidate; today's date without one.
    :param settings: changes of the recipe, ``key=value`` each.
    """
    version = version or date.today().strftime("%Y.%m.%d")
    try:
        open_vault()
        outcome = train_and_judge(config, corpus, base, version, work, settings or [])
    except DsnNlpError as error:
        return Failed(message=str(error), data=error)
    create_markdown_artifact(summary(outcome), key="retrain-summary")
    verdict = "promoted" if outcome.verdict.promoted else "kept the serving model"
    return Completed(message=f"{outcome.reference}: {verdict}", data=outcome)


def run_retrain(**parameters: Any) -> Outcome:
    """Run the flow in this process, without any server.

    :raises DsnNlpError: the failure that ended it.
    """
    state: State[Any] = retrain(**parameters, return_state=True)  # type: ignore[assignment]
    outcome = state.result(raise_on_failure=False)
    if isinstance(outcome, BaseException):
        raise outcome
    assert isinstance(outcome, Outcome)
    return outcome


def summary(outcome: Outcome) -> str:
    """Write an outcome as Markdown."""
    verdict = outcome.verdict
    lines = [
        f"Candidate `{outcome.reference}`, {outcome.reviewed} reviewed passages trained on.",
        "",
        "| | complaints | sentiment |",
        "| --- | ---: | ---: |",
        "| candidate | {:.4f} | {:.4f} |".format(*verdict.candidate),
    ]
    if verdict.serving:
        lines.append("| serving before | {:.4f} | {:.4f} |".format(*verdict.serving))
    lines += ["", "Promoted." if verdict.promoted else "Not promoted:"]
    return "\n".join(lines + [f"* {reason}" for reason in verdict.reasons]) + "\n"
