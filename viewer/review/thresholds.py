"""Below which score an open candidate is hidden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from viewer.review.finding import Finding


@dataclass(frozen=True, slots=True)
class Thresholds:
    """One threshold for all, and those of the categories that have their own.

    Attributes
    ----------
    default : of every category that ``by_category`` does not name; scores run from 0 to 1.
    """

    default: float
    by_category: Mapping[str, float] = field(default_factory=dict)

    def of(self, category: str) -> float:
        return self.by_category.get(category, self.default)

    def passed_by(self, finding: Finding) -> bool:
        """Whether its score is high enough; the reader's own finding has none."""
        return finding.score is not None and finding.score >= self.of(finding.category)

    def moved(self, value: float, category: str | None = None) -> Thresholds:
        """With the default, or the own one of a category, at ``value``, kept within 0 to 1."""
        value = min(max(round(float(value), 4), 0.0), 1.0)
        if category is None:
            return replace(self, default=value)
        return replace(self, by_category={**self.by_category, category: value})

    def without(self, category: str) -> Thresholds:
        """The category follows the default again."""
        own = {name: value for name, value in self.by_category.items() if name != category}
        return replace(self, by_category=own)
