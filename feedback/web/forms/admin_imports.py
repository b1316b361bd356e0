"""The forms with which files come in."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, FileField

from feedback.web.forms.base import PageForm, WordsField, needed


class UploadForm(PageForm):
    """One file."""

    slug = "upload"

    file = FileField(_("File (CSV or XLSX)"), needed())
    apply_to_open = BooleanField(_("Let tickets that are open now run by the new policies too"))


class NoticeForm(PageForm):
    """The year's official days, as the notice says them."""

    slug = "notice"

    holidays = WordsField(_("Days off, a span a line"), needed(), rows=8)
    workdays = WordsField(_("Make-up workdays, one a line"), rows=4)
