"""The pictures that pages show are there, are of the story, and are small; no other is kept."""

import re
import struct

from tests.docs.markdown import pages
from tests.docs.pictures import FOLDER, SCHEMES, SIZE, STORY, file_of

MOST_BYTES = 150 * 1024

FILES = {file_of(name, scheme) for name in STORY for scheme in SCHEMES}


def test_a_picture_that_a_page_shows_is_of_the_story() -> None:
    shown = {(str(page), name) for page in pages() for name in re.findall(r"pictures/([\w.-]+)", page.path.read_text())}
    assert shown, "no page shows a picture"
    assert not {one for one in shown if one[1] not in FILES}


def test_the_pictures_of_the_story_are_kept_and_no_others() -> None:
    assert {path.name for path in FOLDER.iterdir()} == FILES, "run `make pictures`"


def test_they_are_small_and_of_one_size() -> None:
    for path in FOLDER.iterdir():
        data = path.read_bytes()
        assert data.startswith(b"\x89PNG")
        assert struct.unpack(">II", data[16:24]) == SIZE
        assert len(data) <= MOST_BYTES, path
