"""Which language a caller of the API reads: what the call asks for, else what the account chose, else the site's."""

from __future__ import annotations

from flask import current_app, g, request

CATALOGUES = {"zh": "zh", "en": "en"}


def reader_locale() -> str:
    """The catalogue's name: `zh` or `en`. Tags such as zh-CN, zh-Hans or en-GB fall to their language."""
    for tag, quality in request.accept_languages:
        language = tag.lower().replace("_", "-").split("-")[0]
        if quality > 0 and language in CATALOGUES:
            return CATALOGUES[language]
    chosen = getattr(g, "account_locale", None) or current_app.config["SETTINGS"].default_locale
    return CATALOGUES.get(str(chosen).split("_")[0], "zh")
