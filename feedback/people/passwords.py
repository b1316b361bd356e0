"""Which passwords are taken, and how they are kept and checked (argon2id). Nothing here asks the database."""

from __future__ import annotations

import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text

SHORTEST, LONGEST = 10, 200
FEWEST_DIFFERENT = 4

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""OWASP's recommended floor; the library's default takes half a second here, which a flood of sign-ins could abuse."""

_COMMON_TEXT = """
1234567890 0123456789 9876543210 12345678910 123456789a a123456789 1234567890a 123456789q q123456789 123456789qq
1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc 1qaz@wsx3edc zaq12wsxcde3 qwertyuiop qwertyuiop123 qwerty12345 qwerty123456
asdfghjkl1 asdfghjkl123 zxcvbnm123 abcdefghij abcd123456 abc1234567 abc123456789 aa123456789 147258369a 1472583690
password12 password123 password1234 passw0rd123 p@ssw0rd123 p@ssword123 admin12345 admin123456 administrator
administrator1 root123456 test123456 user123456 guest12345 welcome123 welcome1234 changeme123 letmein123 7894561230
iloveyou123 iloveyou1314 woaini1314 woaini520 woaini1314520 1314520woaini 5201314woaini 5201314520 woaizhongguo
zhongguo123 zhonghua123 nihao123456 qq123456789 asd123456789 qwe123456789
"""
_COMMON = frozenset(_COMMON_TEXT.split())


def fold_password(typed: str) -> str:
    """One form of the characters, so that two keyboards that spell a letter differently type one password."""
    return unicodedata.normalize("NFKC", typed)


def check_length(password: str) -> None:
    """Invalid (`password`) above 200 characters, or with halves of characters: refused before anything is computed."""
    if len(password) > LONGEST:
        raise Invalid({"password": Text(N_("Must be at most %(most)s characters."), most=LONGEST)})
    if any("\ud800" <= letter <= "\udfff" for letter in password):
        raise Invalid({"password": Text(N_("Holds characters that can't be read. Type it again."))})


def check_password(password: str, login: str) -> None:
    """The policy: 10 to 200 characters, four different ones, not the login, not among the commonest. Raises Invalid."""
    check_length(password)
    folded = fold_password(password).lower()
    if len(password) < SHORTEST:
        raise Invalid({"password": Text(N_("Must be at least %(least)s characters."), least=SHORTEST)})
    if folded.strip("0123456789!@#._- ") == login or folded == login:
        raise Invalid({"password": Text(N_("Must not be the sign-in name, nor the sign-in name with figures."))})
    if folded in _COMMON or len(set(folded)) < FEWEST_DIFFERENT:
        raise Invalid({"password": Text(N_("This one is among the first that others try. Take another one."))})


def hash_password(password: str) -> str:
    """What is kept of a password: about 20 ms of work and 19 MiB."""
    return _HASHER.hash(fold_password(password))


@cache
def _nobodys_hash() -> str:
    return hash_password("the password of nobody, so that unknown names cost the same")


def verify_password(kept: str | None, password: str) -> bool:
    """Whether it is the one; without a kept hash the same work is done, and the answer is no."""
    try:
        _HASHER.verify(kept or _nobodys_hash(), fold_password(password))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def needs_rehash(kept: str) -> bool:
    """Whether it was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(kept)
