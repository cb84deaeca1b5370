"""The version of the stored layout, kept beside the data so that an older server leaves newer data alone."""

from storage.engines.collection import Collection

SCHEMA_VERSION = 1
"""The layout this code reads and writes. Raise it when older code would misread what newer code stores."""

_ID = "schema"


class NewerSchema(Exception):
    """The data was written by a newer release, which this one can't read safely."""


async def check_schema_version(meta: Collection) -> None:
    """Stamp a new database, in its collection `meta`; accept one with an equal or older stamp.

    Raises:
        NewerSchema: the stamp is newer.
    """
    await meta.insert_one({"_id": _ID, "version": SCHEMA_VERSION})
    stamp = await meta.find_one({"_id": _ID})
    stored = stamp["version"] if stamp else SCHEMA_VERSION
    if stored > SCHEMA_VERSION:
        raise NewerSchema(
            f"The database has schema version {stored}, and this release knows those up to {SCHEMA_VERSION}: "
            "run the release that wrote it, or a newer one."
        )
