from __future__ import annotations

from dataclasses import replace

import pytest

from detector.types import Box
from viewer.ui.view_transform import MAX_ZOOM, ViewTransform


def view(columns: int = 1000, rows: int = 500, **more: float) -> ViewTransform:
    return replace(ViewTransform(columns, rows, 800, 600), **more).fit()


@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0])
@pytest.mark.parametrize("aspect", [1.0, 0.5, 3.0])
def test_points_come_back(ratio: float, aspect: float) -> None:
    seen = view(ratio=ratio, aspect=aspect).zoomed(3.3, 100, 200).panned(17, -40)
    assert seen.to_image(*seen.to_screen(123.4, 56.7)) == pytest.approx((123.4, 56.7))


def test_fitting_shows_the_whole_frame_in_the_middle() -> None:
    box = view().box_to_screen(Box(0, 0, 1000, 500))
    assert (box.x_min, box.y_min, box.x_max, box.y_max) == (0, 100, 800, 500)


def test_pixels_twice_as_high_as_wide_are_drawn_so_and_none_is_lost_at_1_to_1() -> None:
    seen = view(aspect=2.0)
    box = seen.box_to_screen(Box(0, 0, 1000, 500))
    assert box.width / box.height == pytest.approx(1.0)
    assert seen.actual_size().device_scale == (1.0, 2.0)
    assert view(aspect=0.5).actual_size().device_scale == (2.0, 1.0)


def test_the_point_under_the_cursor_stays_while_zooming() -> None:
    before = view().zoomed(2.0)
    after = before.zoomed(1.7, 250, 330)
    point = before.to_image(250, 330)
    # the origin lies on whole device pixels, so half a pixel is all that may be lost
    assert after.to_screen(*point) == pytest.approx((250, 330), abs=1.0)
    assert not after.fitted


def test_zoom_has_an_end_both_ways() -> None:
    assert view().zoomed(1e9).zoom == MAX_ZOOM
    assert view().zoomed(1e-9).zoom == pytest.approx(view().zoom / 4)


def test_the_picture_cannot_be_lost_by_panning() -> None:
    away = view().zoomed(2).panned(1e6, -1e6)
    assert away.pixel_at(400, 300) is not None or away.pixel_at(401, 299) is not None


def test_a_fitted_view_follows_the_window_and_another_keeps_its_middle() -> None:
    assert view().resized(400, 300, 1.0).zoom == pytest.approx(view().zoom / 2)
    zoomed = view().zoomed(4, 10, 20)
    other = zoomed.resized(1000, 900, 1.0)
    assert (other.zoom, other.centre_x, other.centre_y) == (
        zoomed.zoom,
        zoomed.centre_x,
        zoomed.centre_y,
    )


def test_a_denser_screen_keeps_the_size_on_the_screen() -> None:
    zoomed = view().zoomed(4, 10, 20)
    assert zoomed.resized(800, 600, 2.0).scale == pytest.approx(zoomed.scale)


def test_the_pixel_under_the_cursor() -> None:
    seen = view().actual_size()
    x, y = seen.to_screen(300, 200)
    assert seen.pixel_at(x + 0.5, y + 0.5) == (300, 200)
    assert view().pixel_at(400, 50) is None


def test_a_box_in_comfortable_view_moves_nothing() -> None:
    seen = view()
    assert seen.showing(Box(300, 200, 500, 300)) is seen


def test_a_tiny_box_is_brought_to_the_middle_and_magnified_moderately() -> None:
    near = view().showing(Box(900, 400, 908, 408))
    screen = near.box_to_screen(Box(900, 400, 908, 408))
    assert 24 <= screen.width <= 130
    assert (screen.x_min + screen.x_max) / 2 == pytest.approx(400, abs=1)


def test_a_box_out_of_view_comes_into_view_at_the_same_zoom() -> None:
    far = view().zoomed(3).panned(1000, 0)
    box = Box(800, 100, 900, 200)
    near = far.showing(box)
    screen = near.box_to_screen(box)
    assert near.zoom == far.zoom
    assert screen.x_min > 0
    assert screen.x_max < 800


def test_a_box_larger_than_the_view_is_shown_whole() -> None:
    screen = view().zoomed(6).showing(Box(100, 50, 900, 450)).box_to_screen(Box(100, 50, 900, 450))
    assert screen.x_min >= 0
    assert screen.x_max <= 800
