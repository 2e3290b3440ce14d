from xml.etree import ElementTree

import pytest

from benchmark.tracking.confusion import picture, table

COUNTS = [[3, 1], [0, 2]]
SVG = "{http://www.w3.org/2000/svg}"


def test_the_table_has_the_names_of_the_classes() -> None:
    assert table(COUNTS, ["calm", "angry"]) == "label,calm,angry\ncalm,3,1\nangry,0,2\n"


def test_the_picture_has_every_name_and_number_and_shades_the_share_of_a_row() -> None:
    image = ElementTree.fromstring(picture(COUNTS, ["calm", "<angry & loud>"]))
    texts = [element.text for element in image.iter(f"{SVG}text")]
    assert texts[1:] == ["calm", "calm", "3", "1", "<angry & loud>", "<angry & loud>", "0", "2"]
    cells = [element for element in image.iter(f"{SVG}rect") if "fill-opacity" in element.attrib]
    assert [float(cell.attrib["fill-opacity"]) for cell in cells] == [0.75, 0.25, 0, 1]
    numbers = {e.text: e.attrib["fill"] for e in image.iter(f"{SVG}text")}
    assert numbers["3"] == numbers["2"] != numbers["1"]  # light on dark


def test_everything_is_inside_the_picture() -> None:
    image = ElementTree.fromstring(picture([[0] * 7] * 7, [f"class {number}" for number in range(7)]))
    width, height = (float(image.attrib[name]) for name in ("width", "height"))
    for cell in image.iter(f"{SVG}rect"):
        x, y = float(cell.attrib.get("x", 0)), float(cell.attrib.get("y", 0))
        assert x + float(cell.attrib["width"]) <= width
        assert y + float(cell.attrib["height"]) <= height


def test_a_name_too_few_is_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        picture(COUNTS, ["calm"])
