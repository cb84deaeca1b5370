from datetime import UTC, datetime


def moment(milliseconds: int) -> datetime:
    """The time that a document keeps as milliseconds since the epoch."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def moment_or_none(milliseconds: int) -> datetime | None:
    return moment(milliseconds) if milliseconds else None
