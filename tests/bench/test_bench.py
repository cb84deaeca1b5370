"""The benchmarks measure something, and the one promise that takes long to check is kept."""

from __future__ import annotations

import shutil

import pytest

from bench.cycles import cycles
from bench.dashboard import CHROMIUM, dashboard
from bench.figures import Figure
from bench.flows import flows
from bench.http_costs import http_costs
from bench.portable_math import portable_math
from bench.validations import validations
from tests.conftest import lacking


def test_requests_are_measured() -> None:
    figures = list(http_costs(80, many=100))
    assert all(figure.value > 0 for figure in figures)
    assert [figure.target for figure in figures if figure.target] == [2.5, 8]


def test_cycles_are_measured_and_need_few_storage_operations() -> None:
    figures = list(cycles(50))
    assert [figure.met for figure in figures if figure.target] == [True, True]


def test_validations_are_measured() -> None:
    single, batched = validations(200)
    assert single.value > 0
    assert batched.value > 0


def test_flows_are_measured_and_a_job_takes_few_storage_operations() -> None:
    figures = {figure.name: figure for figure in flows(0.1)}
    assert all(figure.value > 0 for figure in figures.values())
    for shape in ("a flat flow of 100 jobs", "a chain of 10 levels", "a while of 100 iterations"):
        assert f"{shape}: advanced" in figures
    assert figures["a flat flow of 100 jobs: storage operations a job"].value < 3
    for look in ("progress", "nodes(first: 100)", "tree"):
        assert figures[f"{look} of a flow of 1,000 jobs"].ratio is not None


def test_the_page_of_a_flow_is_measured() -> None:
    if not CHROMIUM.exists():
        lacking(str(CHROMIUM))
    figures = list(dashboard(0.1))
    assert [figure.target for figure in figures if figure.target] == [1, 1]
    assert figures[-1].value > 0


def test_the_portable_math_is_measured_beside_the_engines_own() -> None:
    if not shutil.which("node"):
        lacking("Node.js")
    figures = list(portable_math(1))
    assert all(figure.value > 0 for figure in figures)
    assert {figure.target for figure in figures if figure.ratio} == {2, 3}


def test_a_ratio_over_its_target_is_said_to_miss_it() -> None:
    assert Figure("f", 1.0, "us", ratio=2.0, target=2.5).met
    assert Figure("f", 1.0, "us", ratio=3.0, target=2.5).met is False
    assert Figure("f", 1.0, "us").met is None


@pytest.mark.soak
def test_a_page_of_a_million_variables_costs_what_one_of_a_hundred_costs() -> None:
    *_, page = http_costs(2_000, many=1_000_000)
    assert page.ratio is not None
    assert page.ratio < 1.5
