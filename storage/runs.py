from __future__ import annotations

from storage.documents import Run
from storage.engines import Index
from storage.units import Units


class Runs(Units[Run]):
    collection_name = "runs"
    kind = Run
    indexes = (Index(("flow_job", "seq")), Index(("state", "due")))
