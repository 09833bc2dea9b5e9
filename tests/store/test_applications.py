"""Applications, components and workflows, on every database."""

from typing import Any

import pytest

from kubemin.spec.component import Component
from kubemin.store import Database, Duplicate, Unstorable, applications, components, workflows
from tests.store.rows import add_application, id_of, tick


async def test_what_goes_in_comes_out(db: Database) -> None:
    new = applications.NewApplication(
        id=id_of("shop"),
        name="shop",
        namespace="prod",
        alias="Läden 🛒 \x00\ud800",
        version="1.2",
        project="p",
        description="d" * 100_000,
        icon="i",
        tmp_enable=True,
    )
    async with db.begin("insert") as tx:
        before = await tx.now()
        await applications.insert(tx, new)
        after = await tx.now()
    async with db.read() as tx:
        got = await applications.get(tx, new.id)
        assert got == await applications.find(tx, "prod", "shop")
        assert await applications.get(tx, id_of("other")) is None
        assert await applications.find(tx, "default", "shop") is None
    assert got is not None
    assert (got.name, got.namespace, got.version, got.project, got.icon) == ("shop", "prod", "1.2", "p", "i")
    assert got.alias == "Läden 🛒 \ufffd\ufffd"  # what no database stores is replaced, the rest is kept
    assert got.description == new.description
    assert got.tmp_enable is True
    assert before <= got.created_at == got.updated_at <= after or before <= got.created_at <= got.updated_at <= after


async def test_a_name_is_unique_in_its_namespace(db: Database) -> None:
    await add_application(db, "shop")
    await add_application(db, "else", namespace="other")
    with pytest.raises(Duplicate) as raised:
        async with db.begin("insert") as tx:
            await applications.insert(tx, applications.NewApplication(id=id_of("second"), name="shop"))
    assert raised.value.constraint == "uq_applications_cluster_namespace_name"
    with pytest.raises(Duplicate) as raised:
        async with db.begin("rename") as tx:
            await applications.update(tx, applications.NewApplication(id=id_of("else"), name="shop"))
    assert raised.value.constraint == "uq_applications_cluster_namespace_name"
    async with db.read() as tx:
        assert await applications.count(tx) == 2


async def test_saving_changes_the_row_and_its_time(db: Database) -> None:
    await add_application(db, "shop")
    await tick(db)
    async with db.begin("save") as tx:
        assert await applications.update(tx, applications.NewApplication(id=id_of("shop"), name="shop", alias="Shop"))
        assert not await applications.update(tx, applications.NewApplication(id=id_of("none"), name="none"))
    async with db.read() as tx:
        got = await applications.get(tx, id_of("shop"))
    assert got is not None
    assert got.alias == "Shop"
    assert got.updated_at > got.created_at


async def test_pages_and_search(db: Database) -> None:
    for name, alias in [("shop", "The Shop"), ("blog", "100% Shop_talk"), ("wiki", "")]:
        await add_application(db, name, alias=alias, tmp_enable=name == "wiki")

    async def names(limit: int | None = None, offset: int = 0, **wanted: Any) -> list[str]:
        async with db.read() as tx:
            found = await applications.page(tx, applications.Filter(**wanted), limit=limit, offset=offset)
            assert limit is not None or len(found) == await applications.count(tx, applications.Filter(**wanted))
            return [row.name for row in found]

    assert await names() == ["wiki", "blog", "shop"]
    assert await names(limit=1, offset=1) == ["blog"]
    assert await names(search="SHOP") == ["blog", "shop"]
    assert await names(name="shop") == await names(name="shop", namespace="default") == ["shop"]
    assert await names(namespace="other") == await names(name="SHOP") == []
    assert await names(search="%") == ["blog"]
    assert await names(search="p_t") == ["blog"]
    assert await names(templates=True) == ["wiki"]
    async with db.begin("save") as tx:
        await applications.update(tx, applications.NewApplication(id=id_of("shop"), name="shop"))
    assert await names() == ["shop", "wiki", "blog"]


async def test_deleting_takes_components_and_workflows_along(db: Database) -> None:
    await add_application(db, "shop")
    async with db.begin("add") as tx:
        await components.replace_components(tx, id_of("shop"), [_component("api")])
        await workflows.insert(tx, workflows.NewWorkflow(id=id_of("flow"), app_id=id_of("shop"), name="flow"))
    async with db.begin("delete") as tx:
        assert await applications.delete(tx, id_of("shop"))
        assert not await applications.delete(tx, id_of("shop"))
    async with db.read() as tx:
        assert await components.of_application(tx, id_of("shop")) == []
        assert await workflows.of_application(tx, id_of("shop")) == []


def _component(name: str, **fields: Any) -> Component:
    return Component.model_validate({"name": name, "type": "webservice", **fields})


async def test_replacing_components_keeps_what_did_not_change(db: Database) -> None:
    await add_application(db, "shop")
    app = id_of("shop")
    env = {
        "properties": {"env": {"B": "2", "A": "1"}},
        "traits": {"storage": [{"name": "data", "type": "ephemeral", "mountPath": "/data"}]},
    }
    async with db.begin("first") as tx:
        first = {
            c.name: c
            for c in await components.replace_components(
                tx, app, [_component("web", **env), _component("api"), _component("old")]
            )
        }
    await tick(db)
    async with db.begin("second") as tx:
        rows = await components.replace_components(
            tx, app, [_component("api", replicas=2), _component("new"), _component("web", **env)]
        )
    second = {row.name: row for row in rows}
    assert [row.name for row in rows] == ["api", "new", "web"]
    assert second["web"] == first["web"]  # moved only
    assert (second["api"].id, second["api"].created_at) == (first["api"].id, first["api"].created_at)
    assert second["api"].spec == {"name": "api", "type": "webservice", "replicas": 2}  # as posted, without defaults
    assert second["api"].updated_at > first["api"].updated_at
    assert second["new"].id not in {row.id for row in first.values()}
    assert list(second["web"].spec["properties"]["env"]) == ["B", "A"]  # as written
    async with db.read() as tx:
        assert await components.of_application(tx, app) == rows


async def test_a_component_given_twice_is_refused(db: Database) -> None:
    await add_application(db, "shop")
    with pytest.raises(Duplicate) as raised:
        async with db.begin("replace") as tx:
            await components.replace_components(tx, id_of("shop"), [_component("api"), _component("api")])
    assert raised.value.constraint == "pk_components"


async def test_workflows(db: Database) -> None:
    await add_application(db, "shop")
    app = id_of("shop")
    steps = [{"name": "one", "components": ["api"]}]
    async with db.begin("insert") as tx:
        for name in ("first", "second"):
            await workflows.insert(tx, workflows.NewWorkflow(id=id_of(name), app_id=app, name=name, steps=steps))
    async with db.begin("save") as tx:
        changed = workflows.NewWorkflow(id=id_of("second"), app_id=app, name="renamed", alias="R", steps=[])
        assert await workflows.update(tx, changed)
        elsewhere = workflows.NewWorkflow(id=id_of("second"), app_id=id_of("other"), name="stolen")
        assert not await workflows.update(tx, elsewhere)
    async with db.read() as tx:
        rows = await workflows.of_application(tx, app)
        assert [(row.name, row.steps) for row in rows] == [("first", steps), ("renamed", [])]
        assert await workflows.first_ids(tx, [app, id_of("other")]) == {app: id_of("first")}
    with pytest.raises(Duplicate) as raised:
        async with db.begin("insert") as tx:
            await workflows.insert(tx, workflows.NewWorkflow(id=id_of("third"), app_id=app, name="first"))
    assert raised.value.constraint == "uq_workflows_app_id_name"


async def test_what_is_too_long_is_refused_on_every_database(db: Database) -> None:
    with pytest.raises(Unstorable):
        await add_application(db, "n" * 254)


async def test_an_application_keeps_the_key_that_it_has(db: Database) -> None:
    """Another key would change every digest, and so replace every Pod."""
    await add_application(db, "shop")
    kept = []
    for key in (None, "first", "second", None):
        async with db.begin("save") as tx:
            new = applications.NewApplication(id=id_of("shop"), name="shop", config_key=key)
            assert await applications.update(tx, new)
            row = await applications.with_key(tx, id_of("shop"))
            assert row is not None
            kept.append(row.config_key)
    assert kept == [None, "first", "first", "first"]
