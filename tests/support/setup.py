"""What a site has before anybody is there: default policies, calendar and danger words."""

from __future__ import annotations


def install_defaults() -> None:
    """Install the site's defaults in the present database."""
