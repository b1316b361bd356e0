"""Forms of signing in and of one's own account. What a password must be is said by people.passwords."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

from feedback.people.passwords import LONGEST

LONGEST_TYPED_LOGIN = 200
_NEEDED = _l("This is needed.")


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Who, and the password."""

    login = StringField(
        _l("Sign-in name"),
        [InputRequired(_NEEDED), Length(max=LONGEST_TYPED_LOGIN, message=_l("This name is too long."))],
    )
    password = PasswordField(
        _l("Password"), [InputRequired(_NEEDED), Length(max=LONGEST, message=_l("At most %(max)d characters."))]
    )


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """The present password, and the new one twice."""

    password = PasswordField(_l("Present password"), [InputRequired(_NEEDED)])
    new_password = PasswordField(_l("New password"), [InputRequired(_NEEDED)])
    repeat = PasswordField(
        _l("New password, again"),
        [InputRequired(_NEEDED), EqualTo("new_password", message=_l("This is not the same as the line above."))],
    )


class ChoosePasswordForm(FlaskForm):  # type: ignore[misc]
    """The new password twice; the link says whose."""

    new_password = PasswordField(_l("New password"), [InputRequired(_NEEDED)])
    repeat = PasswordField(
        _l("New password, again"),
        [InputRequired(_NEEDED), EqualTo("new_password", message=_l("This is not the same as the line above."))],
    )
