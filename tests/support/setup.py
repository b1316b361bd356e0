"""What a site has before anybody is there: default policies, calendar and danger words."""

from __future__ import annotations

from feedback.demo.defaults import install_site_defaults
from tests.support.county import START


def install_defaults() -> None:
    """Install the site's defaults in the present database."""
    install_site_defaults(now=START)
