"""Jobs, variables and results from files into a pool."""

from server.loading.entries import LoadProblem, Workload
from server.loading.files import read_workload
from server.loading.loader import Loaded, Loader

__all__ = ["LoadProblem", "Loaded", "Loader", "Workload", "read_workload"]
