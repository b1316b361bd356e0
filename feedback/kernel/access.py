"""Who may call a route, declared beside the route and checked by its door. It knows no Flask: a rule is an attribute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from feedback.kernel.actor import ROLES, Actor

V = TypeVar("V", bound=Callable[..., Any])
ANYONE, SIGNED_IN = "anyone", "signed_in"


@dataclass(frozen=True)
class AccessRule:
    """Roles of which one must be held (at any unit), or SIGNED_IN or ANYONE alone."""

    who: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Whether even people who are not signed in may call it."""
        return self.who == (ANYONE,)

    def admits(self, actor: Actor | None) -> bool:
        """Whether this actor (None: nobody is signed in) may call it. What they then see is for the rooms to say."""
        if self.is_open:
            return True
        return actor is not None and (self.who == (SIGNED_IN,) or actor.has_role(*self.who))

    def __str__(self) -> str:
        return ",".join(self.who)


def require(*who: str) -> Callable[[V], V]:
    """Declare who may call a view: `require("dispatcher", "leader")`, `require("signed_in")`, `require("anyone")`.

    Stands nearest to the function, under the route. ValueError for a word that is no role.
    """
    if not who or (set(who) - set(ROLES) and who not in ((ANYONE,), (SIGNED_IN,))):
        raise ValueError(f"require{who}: roles, or 'signed_in' or 'anyone' alone")
    rule = AccessRule(tuple(who))

    def declare(view: V) -> V:
        view.access_rule = rule  # type: ignore[attr-defined]
        return view

    return declare


def rule_of(view: object) -> AccessRule | None:
    """The rule declared for a view function; None where there is none (then no door lets anybody in)."""
    rule = getattr(view, "access_rule", None)
    return rule if isinstance(rule, AccessRule) else None
