"""Lines 10 and 11 of the contract, over HTTP: collections and their pages."""

from __future__ import annotations

from tests.contract.scenario import Job, create_variables, links


async def test_line_10_generic_clients_find_location_names_and_embedded_selves(job: Job, variable: str) -> None:
    made = await job.client.post(f"{variable}/results", json=1)
    assert "Location" in made.headers["access-control-expose-headers"]
    assert (await job.client.get(made.headers["location"])).status_code == 200
    assert all(link["name"] for link in links(await job.client.get("/jobs"))["jobs"])
    for embedded in (await job.client.get(f"{variable}/results")).json()["_embedded"]["results"]:
        assert (await job.client.get(embedded["_links"]["self"]["href"])).json() == embedded


async def test_line_10_long_collections_lead_on_and_back(job: Job) -> None:
    await create_variables(job, 250)
    pages = [await job.client.get(f"{job.url}/variables")]
    while onward := links(pages[-1]).get("next"):
        pages.append(await job.client.get(onward["href"]))
    shown = [[link["href"] for link in links(page)["variables"]] for page in pages]
    assert "prev" not in links(pages[0])
    back = [shown[-1]]
    before = links(pages[-1])["prev"]
    while before:
        page = links(await job.client.get(before["href"]))
        back.insert(0, [link["href"] for link in page["variables"]])
        before = page.get("prev")
    assert back == shown


async def test_line_11_collections_have_pages_of_100_that_cover_all_once_in_random_order(job: Job) -> None:
    urls = await create_variables(job, 250)
    orders = set()
    for _ in range(4):  # Two begin at the same place once in a hundred times.
        found: list[str] = []
        url: str | None = f"{job.url}/variables"
        sizes = []
        while url:
            page = links(await job.client.get(url))
            sizes.append(len(page["variables"]))
            found += [link["href"] for link in page["variables"]]
            url = page.get("next", {}).get("href")
        assert sizes == [100, 100, 50]
        assert len(found) == len(set(found))
        assert set(found) == urls
        orders.add(tuple(found))
    assert len(orders) > 1


async def test_line_11_a_page_of_links_holds_only_variables_that_still_want_work(job: Job) -> None:
    urls = await create_variables(job, 12)
    done = sorted(urls)[:7]
    for url in done:
        assert (await job.client.post(f"{url}/results", json={"sum": 1})).status_code == 201
    for _ in range(3):
        page = links(await job.client.get(f"{job.url}/variables"))
        assert {link["href"] for link in page["variables"]} == urls - set(done)
        assert page["self"]["href"] in urls - set(done)
