"""Jobs, variables and results from files into a pool."""

from comp_pool.loading.entries import LoadProblem, Workload
from comp_pool.loading.files import read_workload
from comp_pool.loading.loader import Loaded, Loader

__all__ = ["LoadProblem", "Loaded", "Loader", "Workload", "read_workload"]
