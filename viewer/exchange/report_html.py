"""The report as one HTML file that needs nothing else: pictures inside, marks as SVG over them."""

from __future__ import annotations

import base64

import jinja2

from viewer.exchange.report_model import Report
from viewer.home import bundled_resources

_TEMPLATE = "report.html"


def html_of(report: Report) -> str:
    """The report as HTML; whatever a file or a reader wrote is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(bundled_resources()),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["base64"] = lambda content: base64.b64encode(content).decode("ascii")
    return environment.get_template(_TEMPLATE).render(report=report)
