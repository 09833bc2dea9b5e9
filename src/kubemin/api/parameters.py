"""Parameters that several routes share."""

from typing import Annotated

from fastapi import Path, Query

_TEXT = r"^[^\x00-\x1f\x7f]*$"

AppId = Annotated[str, Path(description="Id of the application.", examples=["k3v9x0q2m7c4t8b1n5z6w0ya"])]
TaskId = Annotated[str, Path(description="Id of the task.", examples=["m8d2h5s0r4f7j1l9p3u6e0xb"])]
Page = Annotated[int | None, Query(ge=1, le=1_000_000, description="Which page, from 1.")]
PageSize = Annotated[int | None, Query(alias="pageSize", ge=1, le=1000, description="How many a page.")]
Search = Annotated[
    str | None, Query(max_length=200, pattern=_TEXT, description="A part of the name, alias, namespace or project.")
]

DEFAULT_PAGE_SIZE = 50
