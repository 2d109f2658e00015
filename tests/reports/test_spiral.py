import re
from itertools import pairwise

import pytest

from lti_tool.reports.spiral import REACH, TILE_HEIGHT, TILE_WIDTH, Drawing, Turn, draw_spiral


def turns(count: int, level: int = 3, complexity: int = 1, specialities: str = "A") -> list[Turn]:
    return [Turn(level, complexity, f"jour {i + 1}", list(specialities)) for i in range(count)]


def both(some_turns: list[Turn]) -> list[Drawing]:
    picture = draw_spiral(some_turns)
    return [picture.phone, picture.wide]


def ends(thread: str) -> list[tuple[float, float]]:
    """Where each segment of the path ends, its start left out."""
    segments = re.findall(r"[QC]([^QC]+)", thread)
    return [tuple(float(number) for number in segment.split()[-2:]) for segment in segments]


# Six turns from October to March.
MOCKUP = [
    Turn(2, 1, "8 oct.", ["A"]),
    Turn(3, 1, "26 nov.", ["C", "V"]),
    Turn(2, 2, "14 janv.", ["V"]),
    Turn(4, 2, "2 févr.", ["V"]),
    Turn(3, 2, "12 mars", ["C"]),
    Turn(2, 3, "19 mars", ["A", "V"]),
]


def test_six_turns_stand_where_the_mock_up_puts_them():
    phone, wide = both(MOCKUP)

    assert [(tile.x, tile.y) for tile in phone.tiles] == [
        (89.5, 240), (136.5, 222), (183.5, 148), (230.5, 112), (277.5, 130), (324.5, 56),
    ]  # fmt: skip
    assert [(tile.x, tile.y) for tile in wide.tiles] == [
        (125.5, 250.7), (208.5, 231.3), (291.5, 154.7), (374.5, 116), (457.5, 135.3), (540.5, 58.7),
    ]  # fmt: skip
    assert (phone.width, phone.height, phone.axis_y) == (366, 306, 282)
    assert (wide.width, wide.height, wide.axis_y) == (600, 318, 294)
    assert phone.thread.startswith("M66.0 249.0 Q77.8 248.0 89.5 240.0 C113.0 240.0 113.0 222.0 136.5 222.0")


@pytest.mark.parametrize("count", [1, 2, 8, 9, 14, 15, 30])
def test_the_thread_passes_through_the_centre_of_every_tile(count):
    some_turns = [Turn(1 + i % 4, 1 + i % 3, "", []) for i in range(count)]

    for drawing in both(some_turns):
        assert ends(drawing.thread) == [(tile.x, tile.y) for tile in drawing.tiles]


def test_without_a_turn_there_are_floors_and_no_thread():
    for drawing in both([]):
        assert [floor.complexity for floor in drawing.floors] == [3, 2, 1]
        assert drawing.tiles == []
        assert drawing.thread == ""
        assert drawing.earlier == 0


def test_a_single_turn_stands_in_the_middle_with_its_date():
    for drawing in both(turns(1)):
        [tile] = drawing.tiles
        assert tile.x == (drawing.left + drawing.right) / 2
        assert tile.date_shown


@pytest.mark.parametrize(
    ("count", "on_phone", "on_wide"),
    [(0, 0, 0), (1, 1, 1), (8, 8, 8), (9, 8, 9), (14, 8, 14), (15, 8, 14), (30, 8, 14)],
)
def test_the_latest_turns_are_drawn_and_the_others_counted(count, on_phone, on_wide):
    some_turns = turns(count)

    for drawing, drawn in zip(both(some_turns), (on_phone, on_wide), strict=True):
        assert [tile.turn for tile in drawing.tiles] == some_turns[count - drawn :]
        assert drawing.earlier == count - drawn


@pytest.mark.parametrize("count", [2, 7, 8, 14, 30])
def test_neighbours_never_touch_even_with_three_specialities(count):
    for drawing in both(turns(count, specialities="ACV")):
        for before, after in zip(drawing.tiles, drawing.tiles[1:], strict=False):
            assert after.x - before.x > TILE_WIDTH
            assert before.marks[-1].x + before.marks[-1].size < after.marks[0].x


@pytest.mark.parametrize("count", [7, 8, 14])
def test_dates_are_thinned_until_they_fit_and_the_last_is_always_there(count):
    for drawing in both(turns(count)):
        dated = [tile.x for tile in drawing.tiles if tile.date_shown]
        assert all(after - before >= 40 for before, after in zip(dated, dated[1:], strict=False))
        assert dated[-1] == drawing.tiles[-1].x


@pytest.mark.parametrize("complexity", [1, 2, 3])
@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_a_tile_and_its_marks_stay_on_their_floor_and_in_the_picture(level, complexity):
    for drawing in both(turns(8, level, complexity, "ACV")):
        [floor] = [floor for floor in drawing.floors if floor.complexity == complexity]
        for tile in drawing.tiles:
            tops = [tile.top] + [mark.y for mark in tile.marks]
            feet = [tile.top + TILE_HEIGHT] + [mark.y + mark.size for mark in tile.marks]
            assert floor.top <= min(tops)
            assert max(feet) <= floor.top + floor.height
            assert drawing.left <= tile.left
            assert tile.left + TILE_WIDTH <= drawing.right


def test_a_better_level_stands_higher_and_a_harder_situation_higher_still():
    for drawing in both(
        [Turn(level, complexity, "", []) for complexity in (1, 2, 3) for level in (1, 2, 3, 4)][:8]
    ):
        heights = [tile.y for tile in drawing.tiles]
        assert heights == sorted(heights, reverse=True)
        assert len(set(heights)) == len(heights)


def test_the_dotted_line_is_at_level_three():
    for drawing in both([]):
        for floor in drawing.floors:
            assert floor.target_y == dict(floor.levels)[3]


def test_a_picture_knows_whether_a_turn_leads_somewhere():
    assert draw_spiral([Turn(3, 1, "", [], href="/a")]).linked
    assert not draw_spiral(MOCKUP).linked


@pytest.mark.parametrize("count", [1, 2, 5, 8, 14])
def test_what_answers_to_a_finger_is_a_target_wide_and_never_a_neighbours(count):
    for drawing in both(turns(count)):
        assert all(24 <= tile.reach <= REACH for tile in drawing.tiles)
        for before, after in pairwise(drawing.tiles):
            assert before.x + before.reach / 2 <= after.x - after.reach / 2
