"""The REST/HAL facade, compiled at start-up from the schema's directives."""

from rest_compat.app import Facade
from rest_compat.errors import HalSchemaError
from rest_compat.operations import Operation

__all__ = ["Facade", "HalSchemaError", "Operation"]
