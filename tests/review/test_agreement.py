"""Agreement of two readers, against tables that are worked out by hand."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import numpy as np
import pytest

from detector.types import Box, Detections
from viewer.dicom.model import Image, ImageKey
from viewer.review.agreement import (
    agreement_over,
    categories_of,
    category_table,
    cohens_kappa,
    compared,
)
from viewer.review.session import ReviewSession
from viewer.review.store import Store

MakeImage = Callable[..., Image]
MakeDetections = Callable[..., Detections]
Marks = dict[int, list[tuple[float, str]]]  # image number -> left edge and category

STUDY = "1.2.3"
IMAGES = 4


def key_of(number: int) -> ImageKey:
    return ImageKey(f"1.2.3.{number}", 1, f"{number:064x}")


@pytest.fixture
def read(store: Store, make_image: MakeImage) -> Callable[..., ReviewSession]:
    """What a reader marks on the four images of a study, signed."""

    def reading(reader: str, marks: Marks, seen: Iterable[int] = range(IMAGES)) -> ReviewSession:
        session = ReviewSession(store, STUDY, reader)
        for number in seen:
            session.remember_image(make_image(f"1.2.3.{number}"), f"{number:064x}")
        for number, boxes in marks.items():
            for left, category in boxes:
                session.add(key_of(number), Box(left, 10, left + 30, 40), category)
        session.sign()
        return session

    return reading


Read = Callable[..., ReviewSession]


class TestKappa:
    def test_a_table_by_hand(self) -> None:
        """Agreed 35 of 50; by chance (25 * 30 + 25 * 20) / 50**2 = 0.5: 0.2 / 0.5."""
        assert cohens_kappa(np.array([[20.0, 5.0], [10.0, 15.0]])) == pytest.approx(0.4)

    def test_a_table_of_three_by_hand(self) -> None:
        """Agreed 0.70; by chance 0.5 * 0.6 + 0.3 * 0.3 + 0.2 * 0.1 = 0.41."""
        table = np.array([[44.0, 5.0, 1.0], [7.0, 20.0, 3.0], [9.0, 5.0, 6.0]])
        assert cohens_kappa(table) == pytest.approx(0.29 / 0.59)
        assert cohens_kappa(table.T) == pytest.approx(0.29 / 0.59)

    def test_full_agreement_is_1_and_none_at_all_is_below_0(self) -> None:
        assert cohens_kappa(np.diag([3.0, 4.0])) == 1.0
        assert cohens_kappa(np.array([[0.0, 5.0], [5.0, 0.0]])) == -1.0

    @pytest.mark.parametrize("table", [[[0, 0], [0, 0]], [[7, 0], [0, 0]]])
    def test_over_nothing_and_of_one_answer_it_is_undefined(self, table: list[list[int]]) -> None:
        assert np.isnan(cohens_kappa(np.array(table, dtype=float)))

    def test_several_tables_at_once(self) -> None:
        tables = np.array([[[20.0, 5.0], [10.0, 15.0]], [[7.0, 0.0], [0.0, 0.0]]])
        found = cohens_kappa(tables)
        assert found[0] == pytest.approx(0.4)
        assert np.isnan(found[1])


def test_the_figures_of_two_readers_by_hand(read: Read) -> None:
    first = read("A", {0: [(10, "opacity"), (100, "opacity")], 1: [(10, "opacity"), (200, "nod")]})
    second = read("B", {0: [(10, "opacity"), (105, "opacity")], 1: [(12, "nod"), (100, "opacity")]})
    images = compared(first.state, second.state)
    found = agreement_over(images)
    assert (found.images, found.findings) == (4, 5)
    assert (found.both, found.only_first, found.only_second) == (3, 1, 1)
    assert found.same_category == 2
    # Rows A, columns B, in the order nod, opacity, nothing.
    assert categories_of(images) == ("nod", "opacity")
    assert category_table(images, ("nod", "opacity")).tolist() == [[0, 0, 1], [1, 2, 0], [0, 1, 0]]
    # Agreed 2 of 5; by chance (1 * 1 + 3 * 3 + 1 * 1) / 25: (0.4 - 0.44) / 0.56.
    assert found.category_kappa == pytest.approx(-1 / 14)
    # Two images positive for both, two negative for both.
    assert (found.images_both, found.images_first, found.images_second) == (2, 0, 0)
    assert found.image_kappa == 1.0
    assert found.mean_iou == pytest.approx((1 + 25 / 35 + 28 / 32) / 3)


def test_images_that_one_reader_alone_calls_positive(read: Read) -> None:
    """Both 1, only A 2, none 1: agreed 0.5, by chance (3 * 1 + 1 * 3) / 16: 0.125 / 0.625."""
    mark = [(10.0, "opacity")]
    first, second = read("A", {0: mark, 1: mark, 2: mark}), read("B", {0: mark})
    found = agreement_over(compared(first.state, second.state))
    assert (found.images_both, found.images_first, found.images_second) == (1, 2, 0)
    assert found.image_kappa == pytest.approx(0.2)


def test_what_is_undefined_is_none_and_never_a_number(read: Read) -> None:
    found = agreement_over(compared(read("A", {}).state, read("B", {}).state))
    assert found.images == 4
    assert (found.category_kappa, found.image_kappa, found.mean_iou) == (None, None, None)
    one = [(10.0, "opacity")]
    always = dict.fromkeys(range(IMAGES), one)
    found = agreement_over(compared(read("C", always).state, read("D", always).state))
    assert (found.both, found.category_kappa, found.image_kappa) == (4, None, None)
    assert found.mean_iou == 1.0


def test_only_images_that_both_have_signed_are_compared(read: Read, store: Store) -> None:
    first = read("A", {0: [(10, "opacity")], 3: [(10, "opacity")]})
    store_images = [key_of(number) for number in range(IMAGES)]
    second = ReviewSession(store, STUDY, "B")
    assert compared(first.state, second.state) == ()
    second.sign()
    assert [each.image for each in compared(first.state, second.state)] == store_images
    first.add(key_of(1), Box(10, 10, 40, 40), "opacity")  # which takes the signature back
    assert compared(first.state, second.state) == ()


def test_rejected_and_undecided_candidates_are_no_findings(
    session: ReviewSession, store: Store, key: ImageKey
) -> None:
    accepted, rejected, _open = session.findings()
    session.accept(accepted.id)
    session.reject(rejected.id)
    session.sign()
    other = ReviewSession(store, STUDY, "B")
    other.accept(accepted.id)
    other.accept(rejected.id)
    other.sign()
    found = agreement_over(compared(session.state, other.state))
    assert (found.both, found.only_first, found.only_second) == (1, 0, 1)


@pytest.mark.parametrize("seed", range(8))
def test_who_comes_first_changes_sides_and_no_figure(read: Read, seed: int) -> None:
    chance = random.Random(seed)

    def marks() -> Marks:
        return {
            number: [
                (chance.choice((10, 14, 26, 60, 150)), chance.choice(("opacity", "nod")))
                for _ in range(chance.randrange(4))
            ]
            for number in range(IMAGES)
        }

    first, second = read("A", marks()), read("B", marks())
    found = agreement_over(compared(first.state, second.state))
    turned = agreement_over(compared(second.state, first.state))
    assert (found.only_first, found.only_second) == (turned.only_second, turned.only_first)
    assert (found.both, found.same_category) == (turned.both, turned.same_category)
    assert (found.images_first, found.images_second) == (turned.images_second, turned.images_first)
    for name in ("category_kappa", "image_kappa", "mean_iou"):
        assert getattr(found, name) == pytest.approx(getattr(turned, name))
