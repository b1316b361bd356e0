"""Every address of this door in one list: method, path, who may call it, what it takes and gives.

Routes, the permission table (`flask routes`) and the OpenAPI document are all made from ENDPOINTS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Blueprint
from pydantic import BaseModel

from feedback.kernel.access import SIGNED_IN, require
from feedback.kernel.text import N_

READ, WRITE = "read", "write"
NO_TOKEN = ""
"""The scope of what anyone may read."""
V1 = "/v1"

api = Blueprint("api", __name__, url_prefix="/api")

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Endpoint:
    """One address. `scope` is what a token needs; `rule` says in words who gets an answer."""

    method: str
    path: str
    name: str
    scope: str
    rule: str
    summary: str
    answer: type[BaseModel] | None
    status: int = 200
    body: type[BaseModel] | None = None
    has_filters: bool = False
    is_repeatable: bool = False
    query: type[BaseModel] | None = None
    takes_file: bool = False
    gives_file: bool = False


ENDPOINTS: dict[str, Endpoint] = {}

VISIBLE = N_("Whoever may see the ticket; everybody else gets the same 404 as for one that does not exist.")
OWN_LIST = N_("Everybody; it holds only what the caller may see.")
EVERYBODY = N_("Every account that can sign in.")


def endpoint(
    method: str,
    path: str,
    *,
    answer: type[BaseModel] | None,
    summary: str,
    rule: str,
    scope: str = READ,
    who: tuple[str, ...] = (SIGNED_IN,),
    status: int = 200,
    body: type[BaseModel] | None = None,
    has_filters: bool = False,
    is_repeatable: bool = False,
    query: type[BaseModel] | None = None,
    takes_file: bool = False,
    gives_file: bool = False,
) -> Callable[[View], View]:
    """Put a view on the blueprint and on the list; `who` as for `require`.

    `is_repeatable`: takes an Idempotency-Key; `query`: the parameters it takes in its address; `takes_file`, `gives_file`:
    its body or its answer is a file.
    """

    def wrap(view: View) -> View:
        name = view.__name__
        ENDPOINTS[f"api.{name}"] = Endpoint(
            *(method, path, name, scope, rule, summary, answer, status),
            *(body, has_filters, is_repeatable, query, takes_file, gives_file),
        )
        api.add_url_rule(path, name, require(*who)(view), methods=[method])
        return view

    return wrap
