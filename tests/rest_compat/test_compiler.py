"""What a schema can declare, and what keeps the server from starting."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import strawberry

from rest_compat import BadHalSchema, Facade
from schema.machinery.directives import Hal, HalField, HalMethod, HalRole
from tests.rest_compat.small_pool.facade import facade_of
from tests.rest_compat.small_pool.types import Pool


async def nothing(request: object) -> None:
    return None


@strawberry.type
class Planet:
    name: str


def planet() -> Planet | None:
    return None


def named(name: str) -> Planet | None:
    return None


def coded(code: str) -> Planet | None:
    return None


def planets() -> list[Planet]:
    return []


def text() -> str:
    return ""


def field(resolver: Callable[..., object], *directives: object) -> object:
    return strawberry.field(resolver=resolver, directives=directives)


def compile_query(**fields: object) -> Facade:
    query = strawberry.type(type("Query", (), dict(fields)))
    return Facade(strawberry.Schema(query), nothing)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        (
            {"a": field(planet, Hal(path=["/p/{name}"]))},
            r"Query\.a: the path variable \{name\} is not one of its arguments",
        ),
        (
            {"a": field(planet, Hal(path=["/p"])), "b": field(planet, Hal(path=["/p"]))},
            r"Query\.b: GET /p is answered by Query\.a already",
        ),
        (
            {"a": field(named, Hal(path=["/p/{name}"])), "b": field(coded, Hal(path=["/p/{code}"]))},
            r"Query\.b: GET /p/\{name\} is answered by Query\.a already",
        ),
        ({"a": field(planet, Hal(path=["p"]))}, r"Query\.a: the path 'p' must be absolute"),
        ({"a": field(planet, Hal(path=[]))}, r"Query\.a: a route needs a path"),
        ({"a": field(named, Hal(path=["/p{name}"]))}, r"Query\.a: .* neither a literal nor one \{variable\}"),
        ({"a": field(planet, Hal(path=["/p"], method=HalMethod.POST))}, r"Query\.a: a query is a GET"),
        ({"a": field(text, Hal(path=["/p"]))}, r"Query\.a: a route serves object types, not String"),
        (
            {"a": field(planet, Hal(path=["/p"], role=HalRole.LINKS))},
            r"Query\.a: Planet is neither a list nor a connection",
        ),
        ({"a": field(planets, Hal(path=["/p"]))}, r"Query\.a: no field with the role SELF .* Planet"),
        ({"a": field(planet, Hal(path=["/p"], role=HalRole.HOIST))}, r"Query\.a: nothing answers /p"),
        (
            {"a": field(coded, Hal(path=["/p/{code}"], role=HalRole.SELF))},
            r"Planet: no attribute gives the variable \{planet_code\}",
        ),
        (
            {
                "a": field(named, Hal(path=["/a/{name}"], role=HalRole.SELF)),
                "b": field(named, Hal(path=["/b/{name}"], role=HalRole.SELF)),
            },
            r"Query\.b: Planet has its address at Query\.a already",
        ),
        (
            {
                "a": field(named, Hal(path=["/planets/{name}"], role=HalRole.SELF)),
                "b": field(planets, Hal(path=["/planets"], role=HalRole.LINKS, rel_wide=["planets"])),
            },
            r"/planets: the relation 'planets' of its members is that of the link to /planets",
        ),
    ],
)
def test_contradictions_keep_the_server_from_starting(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadHalSchema, match=complaint):
        compile_query(**fields)


def test_a_relative_path_needs_a_type_with_an_address() -> None:
    @strawberry.type
    class Moon:
        @strawberry.field(directives=[Hal(path=["planet"])])
        def planet(self) -> Planet | None:
            return None

    def moon() -> Moon:
        return Moon()

    with pytest.raises(BadHalSchema, match=r"Moon\.planet: its path is relative to Moon"):
        compile_query(moon=field(moon, Hal(path=["/moon"])))


def test_a_property_that_breaks_the_published_clients_is_refused() -> None:
    @strawberry.type
    class Trap:
        key: str
        then: str

    def trap(key: str) -> Trap | None:
        return None

    with pytest.raises(BadHalSchema, match=r"Trap\.then: a property 'then' breaks"):
        compile_query(trap=field(trap, Hal(path=["/traps/{key}"], role=HalRole.SELF)))


def test_two_properties_of_one_name_are_refused() -> None:
    @strawberry.type
    class Twin:
        one: str
        other: str = strawberry.field(directives=[HalField(name="one")])

    def twin() -> Twin | None:
        return None

    with pytest.raises(BadHalSchema, match=r"Twin\.other: the type has a property 'one' already"):
        compile_query(twin=field(twin, Hal(path=["/twin"])))


def test_one_relation_to_two_addresses_is_refused() -> None:
    with pytest.raises(BadHalSchema, match="its link 'x' would lead to"):
        compile_query(
            a=field(planet, Hal(path=["/a"], rel_wide=["x"])),
            b=field(planet, Hal(path=["/b"], rel_wide=["x"])),
        )


def test_a_mutation_names_what_its_input_has() -> None:
    @strawberry.input
    class NameInput:
        name: str

    @strawberry.type
    class Mutation:
        @strawberry.mutation(directives=[Hal(path=["/planets/{nome}"])])
        def rename(self, input: NameInput) -> Planet:  # noqa: A002
            return Planet(name=input.name)

    query = strawberry.type(type("Query", (), {"a": field(planet, Hal(path=["/a"]))}))
    with pytest.raises(BadHalSchema, match=r"Mutation\.rename: .* NameInput has no field 'nome'"):
        Facade(strawberry.Schema(query, Mutation), nothing)


async def test_one_field_with_one_directive_is_a_whole_route() -> None:
    """No other line than that of `Star.moon` is about the route."""

    @strawberry.type
    class Moon:
        size: int

    @strawberry.type
    class Star:
        name: str

        @strawberry.field(directives=[Hal(path=["moons/{number}"], rel=["moon"])], description="One moon.")
        async def moon(self, number: int, bright: bool = False) -> Moon | None:
            return Moon(size=number * (2 if bright else 1)) if number < 5 else None

    @strawberry.type
    class Query:
        @strawberry.field(directives=[Hal(path=["/stars/{name}"], role=HalRole.SELF)])
        def star(self, name: str) -> Star:
            return Star(name=name)

    facade = Facade(strawberry.Schema(Query), nothing)
    transport = httpx.ASGITransport(facade)
    async with httpx.AsyncClient(transport=transport, base_url="http://sky") as client:
        moon = await client.get("/stars/sun/moons/2?bright=true")
        assert moon.json() == {"_links": {"self": {"href": "http://sky/stars/sun/moons/2?bright=true"}}, "size": 4}
        assert (await client.get("/stars/sun/moons/7")).status_code == 404
        assert (await client.options("/stars/sun/moons/2")).headers["allow"] == "GET, HEAD, OPTIONS"
        star = (await client.get("/stars/sun")).json()
        assert star["_links"]["moon"] == {"href": "http://sky/stars/sun/moons/{number}", "templated": True}
        described = (await client.get("/openapi.json")).json()["paths"]["/stars/{star_name}/moons/{number}"]["get"]
        assert described["summary"] == "One moon."
        assert [p["name"] for p in described["parameters"]] == ["star_name", "number", "bright"]
    assert [o.field for o in facade.operations] == ["Query.star", "Star.moon"]


def test_operations_name_their_fields_and_contract_lines(pool: Pool) -> None:
    listed = {(o.method, o.address.template): o for o in facade_of(pool).operations}
    job = listed["GET", "/jobs/{job_key}"]
    assert (job.id, job.field, job.description, job.contract) == ("job", "Query.job", "A job.", (1, 4))
    assert len({operation.id for operation in listed.values()}) == len(listed)


async def test_a_literal_goes_before_a_variable() -> None:
    facade = compile_query(
        any=field(named, Hal(path=["/p/{name}"], role=HalRole.SELF)),
        one=field(coded, Hal(path=["/p/special/{code}"])),
    )
    transport = httpx.ASGITransport(facade)
    async with httpx.AsyncClient(transport=transport, base_url="http://sky") as client:
        assert (await client.options("/p/special")).status_code == 200
        assert (await client.options("/p/special/1")).status_code == 200
        assert (await client.options("/p/other/1")).status_code == 404


async def test_a_whole_body_can_be_an_input_object_and_a_payload_its_own_answer() -> None:
    @strawberry.input
    class StepInput:
        job_key: str

    @strawberry.input
    class PlanInput:
        steps: list[StepInput]
        on_failure: str = "FAIL"

    @strawberry.input
    class SubmitPlanInput:
        plan: PlanInput
        dry_run: bool = False

    @strawberry.type
    class SubmitPlanPayload:
        keys: list[str]
        dry_run: bool
        user_errors: list[str] = strawberry.field(default_factory=list)

    @strawberry.type
    class Mutation:
        @strawberry.mutation(directives=[Hal(path=["/plans"], body="plan")])
        def submit_plan(self, input: SubmitPlanInput) -> SubmitPlanPayload:  # noqa: A002
            return SubmitPlanPayload(keys=[step.job_key for step in input.plan.steps], dry_run=input.dry_run)

    query = strawberry.type(type("Query", (), {"a": field(planet, Hal(path=["/a"]))}))
    facade = Facade(strawberry.Schema(query, Mutation), nothing)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(facade), base_url="http://sky") as client:
        made = await client.post("/plans?dry_run=true", json={"steps": {"job_key": "pi"}})
        assert made.status_code == 200
        assert made.json() == {
            "_links": {"self": {"href": "http://sky/plans?dry_run=true"}},
            "keys": ["pi"],
            "dry_run": True,
        }
        wrong = await client.post("/plans", json={"steps": [{"job_key": "pi"}, {}]})
        assert wrong.json()["field"] == "plan.steps[1].job_key"
        steps = [{"job_key": 3}, {"job_key": "pi"}, {}, {"job_key": "pi", "job": 1}, *[7] * 30]
        wrong = await client.post("/plans", json={"steps": steps, "on_failure": []})
        assert wrong.status_code == 400
        said = wrong.json()
        assert said["field"] == said["errors"][0]["field"] == "plan.steps[0].job_key"
        assert [each["field"] for each in said["errors"][:4]] == [
            *(f"plan.steps[{at}]" + name for at, name in ((0, ".job_key"), (2, ".job_key"), (3, ".job"), (4, ""))),
        ]
        assert len(said["errors"]) == 20
        assert {each["code"] for each in said["errors"]} == {"BAD_INPUT"}
        described = (await client.get("/openapi.json")).json()
    body = described["paths"]["/plans"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/PlanInput"}
    assert described["components"]["schemas"]["PlanInput"]["required"] == ["steps"]
