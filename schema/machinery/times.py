from datetime import UTC, datetime


def moment(milliseconds: int) -> datetime:
    """The time that a document keeps as milliseconds since the epoch."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def moment_or_none(milliseconds: int) -> datetime | None:
    return moment(milliseconds) if milliseconds else None


def milliseconds(time: datetime | None) -> int:
    """The same the other way round; a time without a zone is in UTC, and none is 0."""
    if time is None:
        return 0
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
