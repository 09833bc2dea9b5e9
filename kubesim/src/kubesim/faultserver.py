"""Faults over HTTP, so that another process can ask for them."""

import json
from dataclasses import fields
from typing import Any, get_args

from aiohttp import web

from kubesim.faults import DENIAL_CODES, Action, Fault, Faults, When
from kubesim.jsondata import Object, dump_json
from kubesim.problems import Problem, bad_request

_NUMBERS: dict[str, tuple[type, ...]] = {
    "skip": (int,),
    "times": (int,),
    "code": (int,),
    "retry_after": (int,),
    "seconds": (int, float),
}


async def serve_faults(faults: Faults, request: web.BaseRequest) -> web.StreamResponse:
    """Answer a request below ``/sim/faults``.

    ``POST /sim/faults`` arms the fault in the body and answers with its id; ``GET`` lists, ``DELETE`` clears.
    ``POST /sim/faults/<id>/release`` and ``DELETE /sim/faults/<id>`` are about one;
    ``POST /sim/faults/cut`` (``{"resource": glob}``) breaks the open watches.
    """
    parts = [part for part in request.path.split("/") if part][2:]
    route = (request.method, *("<id>" if part.isdecimal() else part for part in parts))
    if route == ("GET",):
        return _json({"faults": [armed.describe() for armed in faults.armed]})
    if route == ("DELETE",):
        await faults.clear()
        return _json({})
    if route == ("POST",):
        return _json(faults.add(_parse(await _body(request))).describe(), 201)
    if route == ("POST", "cut"):
        return _json({"cut": faults.cut_watches(str((await _body(request)).get("resource", "*")))})
    armed = faults.find(int(parts[0])) if len(route) > 1 and route[1] == "<id>" else None
    if armed is not None and route == ("GET", "<id>"):
        return _json(armed.describe())
    if armed is not None and route == ("POST", "<id>", "release"):
        return _json({"outcomes": await armed.release()})
    if armed is not None and route == ("DELETE", "<id>"):
        faults.remove(armed)
        return _json({})
    raise Problem(404, "NotFound", "there is no such fault")


def _parse(body: Object) -> Fault:
    known = {found.name for found in fields(Fault)} - {"call"}
    unknown = sorted(set(body) - known)
    if unknown:
        raise bad_request(f"unknown field of a fault: {unknown[0]}")
    if body.get("action") not in get_args(Action) or body["action"] == "call":
        raise bad_request(f"action: one of {', '.join(name for name in get_args(Action) if name != 'call')}")
    if body.get("when", "before") not in get_args(When):
        raise bad_request("when: before or after")
    if body["action"] == "deny" and body.get("code") not in DENIAL_CODES:
        raise bad_request(f"code: one of {', '.join(str(code) for code in DENIAL_CODES if code)}")
    for name, value in body.items():
        if name in _NUMBERS:
            if value is not None and (isinstance(value, bool) or not isinstance(value, _NUMBERS[name])):
                raise bad_request(f"{name}: a number")
        elif name == "dry_run":
            if value not in (True, False, None):
                raise bad_request("dry_run: true, false or null")
        elif not isinstance(value, str):
            raise bad_request(f"{name}: a string")
    return Fault(**body)


async def _body(request: web.BaseRequest) -> Any:
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError as error:
        raise bad_request(f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise bad_request("the body is not an object")
    return body


def _json(body: Object, status: int = 200) -> web.Response:
    return web.Response(body=dump_json(body), status=status, content_type="application/json")
