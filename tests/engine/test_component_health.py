"""How components do, from the watches."""

import asyncio

from kubemin.engine import ComponentWatch, ExecOptions
from tests.engine.instance import EVERYTHING, Instance, web


async def test_states_follow_the_cluster(instance: Instance) -> None:
    app_id = await instance.save([*EVERYTHING, web("broken", "broken:pull"), web("late", "late:never")])
    async with instance.worker() as engine:
        watch = ComponentWatch(engine.informers)
        watching = asyncio.create_task(watch.run())
        assert watch.states(app_id) == {}
        await instance.exec(app_id, ExecOptions())

        async def seen() -> bool:
            states = {name: one.status for name, one in watch.states(app_id).items()}
            return states == {
                "settings": "Running",
                "keys": "Running",
                "db": "Running",
                "api": "Running",
                "front": "Running",
                "broken": "Failed",
                "late": "Pending",
            }

        await instance.until(seen)
        assert "ImagePull" in watch.states(app_id)["broken"].abnormal
        await watching


async def test_links_of_ingresses(instance: Instance) -> None:
    route = {"hosts": ["shop.example.com"], "routes": [{"path": "/", "backend": {"serviceName": "api"}}]}
    app_id = await instance.save([web("api", traits={"ingress": [route]})])
    async with instance.worker() as engine:
        watch = ComponentWatch(engine.informers)
        await instance.settled(await instance.exec(app_id))
        await watch.run()
        assert watch.states(app_id)["api"].links == (("Ingress", "http://shop.example.com"),)
