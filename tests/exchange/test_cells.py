"""Cells that a spreadsheet would compute."""

from __future__ import annotations

import pytest

from viewer.exchange.cells import harmless, plain


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=", "\r", "\n", "'=", "''=", "＝1",
                                  "", "'", "''", "a'", "'a", "a=1", " =1"])  # fmt: skip
def test_a_cell_comes_back_as_it_was(text: str) -> None:
    assert plain(harmless(text)) == text
    assert not harmless(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))
