"""The REST/HAL facade, compiled at start-up from the schema's directives."""

from rest_compat.app import Facade
from rest_compat.errors import BadHalSchema
from rest_compat.operations import Operation

__all__ = ["BadHalSchema", "Facade", "Operation"]
