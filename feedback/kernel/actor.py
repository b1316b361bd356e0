"""Who is acting: an account with the roles it holds at units, or the system itself."""

from __future__ import annotations

from dataclasses import dataclass

ROLES = (
    "submitter",
    "handler",
    "unit_head",
    "dispatcher",
    "supervisor",
    "adjudicator",
    "leader",
    "auditor",
    "admin",
)
"""In the order in which an action picks one when several would do (contract.md, Acting-As)."""


@dataclass(frozen=True)
class Grant:
    """A role held at a unit. `unit_path` is the unit's place in the tree, such as `/1/4/9/`."""

    role: str
    unit_id: int
    unit_code: str
    unit_path: str


@dataclass(frozen=True)
class Actor:
    """Whoever calls a use-case.

    `stands_in_for` are accounts this one is deputy of; `acting_as` narrows to one grant; `exempt_unit_ids` are units
    whose own tickets (about them) this person was named to take all the same.
    """

    account_id: int | None
    login: str = ""
    name: str = ""
    grants: tuple[Grant, ...] = ()
    submitter_key: str = ""
    stands_in_for: tuple[int, ...] = ()
    exempt_unit_ids: tuple[int, ...] = ()
    acting_as: Grant | None = None
    channel: str = "web"
    scopes: frozenset[str] | None = None

    def audit_name(self) -> str:
        """How the audit trail names an account that acts for itself: `account:12`, or `system`."""
        return "system" if self.is_system else f"account:{self.account_id}"

    @property
    def is_system(self) -> bool:
        return self.account_id is None

    def grants_for(self, *roles: str) -> tuple[Grant, ...]:
        """The grants of these roles, in the order of ROLES; only `acting_as` where one was chosen."""
        held = (self.acting_as,) if self.acting_as else self.grants
        return tuple(sorted((g for g in held if g.role in roles), key=lambda g: ROLES.index(g.role)))

    def has_role(self, *roles: str) -> bool:
        return bool(self.grants_for(*roles))


SYSTEM = Actor(account_id=None, login="system", name="system", channel="system")
