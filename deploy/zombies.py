"""Give a Prefect server the automation that ends runs whose process died.

``python deploy/zombies.py``, once; again, it does nothing. A run that is killed stays Running for
ever in Prefect, and keeps the one slot of its deployment: the store's own lease would let the next
night begin, and Prefect would not.
"""

from datetime import timedelta

from prefect.automations import Automation
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger, Posture

NAME = "dsn-nlp: runs that died"
SILENCE = timedelta(seconds=90)  # three heartbeats


def automation() -> Automation:
    """After a heartbeat expect another, or an end, within 90 s; else mark the run Crashed."""
    ends = ["Completed", "Failed", "Cancelled", "Crashed"]
    return Automation(
        name=NAME,
        trigger=EventTrigger(
            after={"prefect.flow-run.heartbeat"},
            expect={"prefect.flow-run.heartbeat", *(f"prefect.flow-run.{end}" for end in ends)},
            match={"prefect.resource.id": ["prefect.flow-run.*"]},  # type: ignore[arg-type]
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=SILENCE,
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED, message="no heartbeat for 90 s: its process is gone"
            )
        ],
    )


def main() -> None:
    """Create it, unless it is there."""
    try:
        Automation.read(name=NAME)
    except ValueError:
        automation().create()


if __name__ == "__main__":
    main()
