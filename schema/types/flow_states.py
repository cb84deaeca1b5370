"""The states of flows, and what their failures and waits are called."""

from __future__ import annotations

from enum import Enum

import strawberry

from schema.types.enums import described


@strawberry.enum(description="Where a flow stands. The last three are final, until its owner retries it.")
class FlowState(Enum):
    PENDING = described("new", "It is being submitted.")
    RUNNING = described("running", "Its jobs are handed out as their turn comes.")
    PAUSED = described("paused", "Nothing of it is handed out; what is under way may be reported.")
    CANCELLING = described("cancelling", "What has not ended is being cancelled.")
    COMPLETED = described("completed", "It has its result.")
    FAILED = described("failed", "A job failed, or what was merged grew too large; `reason` says which.")
    CANCELLED = described("cancelled", "Its owner ended it, or never submitted it completely; `reason` says which.")


@strawberry.enum(description="Where a level or a job of a flow stands. The last four are final, until a retry.")
class FlowNodeState(Enum):
    WAITING = described("waiting", "Its turn has not come.")
    QUEUED = described("queued", "It waits for a host.")
    RUNNING = described("running", "A host has taken it; after a try that failed it waits for another one.")
    COMPLETED = described("completed", "It has its result.")
    FAILED = described("failed", "It can't be computed; `reason` says why.")
    SKIPPED = described("skipped", "Its `if` did not hold.")
    CANCELLED = described("cancelled", "The flow ended before it did.")


@strawberry.enum(description="Where one run of a flow's job stands.")
class FlowRunState(Enum):
    NEW = described("new", "Just stored; its tasks are being created.")
    OPEN = described("open", "It wants results.")
    DONE = described("done", "It has its canonical result.")
    FAILED = described("failed", "Its policy's limits were reached without a canonical result.")
    CANCELLED = described("cancelled", "The flow ended before it did.")


@strawberry.enum(description="What the failure of one job means for its flow.")
class OnFailure(Enum):
    FAIL = described("FAIL", "The flow fails, and the rest of it is cancelled.")
    CONTINUE = described("CONTINUE", "The job adds nothing to its level, and the flow goes on.")


@strawberry.enum(description="A kind of reason to wait.")
class WaitKind(Enum):
    PAUSED = described("PAUSED", "The flow is paused.")
    CANCELLING = described("CANCELLING", "The flow is being cancelled.")
    LEVEL = described("LEVEL", "Levels that it depends on have not ended.")
    STARTING = described("STARTING", "It is about to start.")
    NO_VOLUNTEER = described("NO_VOLUNTEER", "No volunteer has asked for work lately.")
    REVIEW = described("REVIEW", "Its job, or the account for its conditions, waits for the operator's approval.")
    ARCHIVED = described("ARCHIVED", "Its job was archived, and computes nothing more: it is about to fail.")
    NO_SUPPORTER = described("NO_SUPPORTER", "No volunteer supports this job or its owner.")
    NO_OTHER_VOLUNTEER = described("NO_OTHER_VOLUNTEER", "Every volunteer that asks for work has had it already.")
    QUEUE = described("QUEUE", "It is in the queue for a volunteer.")
    COMPUTING = described("COMPUTING", "Hosts are computing it.")
    JUDGING = described("JUDGING", "What hosts reported is being judged.")
    VOTES = described("VOTES", "More equal results are needed.")
    FAILURES = described("FAILURES", "Some of its results failed; others may still come.")
