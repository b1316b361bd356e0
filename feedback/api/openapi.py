"""The OpenAPI 3.1 document, made from the list of addresses, the commands of the use-cases and the answers' schemas."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from feedback.api.access import ENDPOINTS, V1, Endpoint
from feedback.api.errors import PROBLEM_TYPE
from feedback.api.schemas import Problem, TicketOutOfSight
from feedback.files.kinds import KINDS
from feedback.files.refusals import FIELD
from feedback.kernel.paging import MOST
from feedback.kernel.text import N_
from feedback.reading.queries import DEFAULT_LIMIT, SORTS
from feedback.reading.search import TicketFilters
from feedback.tickets.actions import ACTIONS

REFS = "#/components/schemas/{model}"
JSON_TYPE = "application/json"
SYSTEM_ACTIONS = frozenset({"wake", "lapse", "unassign", "hand_over", "give_back", "add_seat", "drop_seat"})
"""Steps that only the system takes: they answer 403 to everybody, so the document leaves them out."""

FORM_TYPE = "multipart/form-data"
FILE_FORM: dict[str, Any] = {
    "type": "object",
    "properties": {FIELD: {"type": "string", "format": "binary"}},
    "required": [FIELD],
}

VERSION: dict[str, Any] = {
    "anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}],
    "description": N_("The version that the writer saw; a stale one is refused."),
}

PROBLEMS: dict[str, str] = {
    "400": "The body is no JSON object.",
    "401": "No token, or one that is not in force.",
    "403": "Visible, but this caller may not do it in this role or with this scope.",
    "404": "Unknown, not visible to this caller, or an unknown action.",
    "409": "The status or the version of the ticket does not allow it now; `code` says which.",
    "413": "The body is larger than one megabyte, or a file larger than ten.",
    "415": "The body is not declared as application/json; or that kind of file is not taken.",
    "422": "A field can't be taken; `errors` names it and says what would be right.",
    "429": "Too many calls, or too soon; Retry-After says how long to wait.",
    "503": "Too much at once; Retry-After says how long to wait.",
}
Named = dict[Any, str]
"""The reference of each model's schema."""

DESCRIPTION = N_(
    """Demands from the grassroots, their way to whoever must answer, and the word of those who raised them.

Instants are ISO 8601 with their offset. Units and areas are codes, categories are paths, persons are logins. A write may
carry `version` (the one its writer saw): a stale one is refused with 409. Refusals come in one order: 401, 404, 403,
409 status_conflict, 409 version_conflict, 422."""
)


@cache
def document() -> dict[str, Any]:
    """The whole document. Made once a process: the list of actions is complete when the application is made."""
    references, definitions = models_json_schema(_models(), ref_template=REFS, by_alias=True)
    schemas = definitions["$defs"]
    named: Named = {model: str(ref["$ref"]) for (model, _mode), ref in references.items()}
    for name in documented_actions():
        command = schemas[named[ACTIONS[name].command].rpartition("/")[2]]
        command.setdefault("properties", {})["version"] = VERSION
    return {
        "openapi": "3.1.0",
        "info": {"title": "Zhida", "version": "1.0.0", "description": DESCRIPTION},
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "paths": _paths(named),
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token with the scopes read, write, reports, admin. Cookies are never looked at.",
                }
            },
            "parameters": _parameters(),
            "responses": {code: _problem_response(code, text, named) for code, text in PROBLEMS.items()},
        },
    }


def documented_actions() -> list[str]:
    """The actions that somebody may take through this door, by name."""
    return sorted(name for name in ACTIONS if name not in SYSTEM_ACTIONS)


def _models() -> list[tuple[type[BaseModel], Any]]:
    bodies = [ACTIONS[name].command for name in documented_actions()]
    bodies += [each.body for each in ENDPOINTS.values() if each.body]
    answers = [each.answer for each in ENDPOINTS.values() if each.answer]
    models: dict[type[BaseModel], Any] = dict.fromkeys(bodies, "validation")
    models.update(dict.fromkeys([*answers, Problem, TicketOutOfSight], "serialization"))
    return list(models.items())


def _paths(named: Named) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for each in ENDPOINTS.values():
        if not each.path.startswith(f"{V1}/") or not each.scope:
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", each.path.removeprefix(V1))
        if "{action}" in path:
            for name in documented_actions():
                command = ACTIONS[name].command
                paths[path.replace("{action}", name)] = {"post": _operation(each, named, name, command)}
        else:
            paths.setdefault(path, {})[each.method.lower()] = _operation(each, named, each.name, each.body)
    return paths


def _operation(each: Endpoint, named: Named, name: str, body: type[BaseModel] | None) -> dict[str, Any]:
    is_action = "<action>" in each.path
    operation: dict[str, Any] = {
        "operationId": f"action_{name}" if is_action else name,
        "summary": (ACTIONS[name].run.__doc__ or each.summary).strip().splitlines()[0] if is_action else each.summary,
        "description": each.rule,
        "tags": ["actions" if is_action else each.path.split("/")[2]],
        "parameters": [*_path_parameters(each.path), *_common_parameters(each)],
        "responses": {str(each.status): _success(each, named, is_action=is_action)}
        | {code: {"$ref": f"#/components/responses/{code}"} for code in _codes(each, is_action=is_action)},
    }
    if body is not None:
        operation["requestBody"] = {
            "required": bool(body.model_json_schema().get("required")),
            "content": {JSON_TYPE: {"schema": {"$ref": named[body]}}},
        }
    if each.takes_file:
        operation["requestBody"] = {"required": True, "content": {FORM_TYPE: {"schema": FILE_FORM}}}
    return operation


def _success(each: Endpoint, named: Named, *, is_action: bool) -> dict[str, Any]:
    if each.gives_file:
        kinds = sorted({kind.content_type for kind in KINDS.values()})
        return {"description": "The file, to be saved.", "content": {kind: {"schema": {}} for kind in kinds}}
    if each.answer is None:
        return {"description": "Done."}
    schema: dict[str, Any] = {"$ref": named[each.answer]}
    if is_action:
        schema = {"anyOf": [schema, {"$ref": named[TicketOutOfSight]}]}
    success: dict[str, Any] = {"description": "Done.", "content": {JSON_TYPE: {"schema": schema}}}
    if each.status == 201:
        success["headers"] = {"Location": {"schema": {"type": "string"}, "description": "Where to find it."}}
    return success


def _codes(each: Endpoint, *, is_action: bool) -> list[str]:
    codes = ["401", "403", "422", "429", "503"]
    if "<" in each.path:
        codes.append("404")
    if each.method == "POST" and (is_action or each.body or each.takes_file):
        codes += ["400", "413", "415"]
    if is_action or each.is_repeatable:
        codes.append("409")
    return sorted(codes)


def _path_parameters(path: str) -> list[dict[str, Any]]:
    found = []
    for converter, name in re.findall(r"<(?:(\w+):)?(\w+)>", path):
        if name != "action":
            schema = {"type": "integer", "minimum": 1} if converter == "int" else {"type": "string", "maxLength": 20}
            found.append({"name": name, "in": "path", "required": True, "schema": schema})
    return found


def _common_parameters(each: Endpoint) -> list[dict[str, Any]]:
    names = ["Acting-As"]
    if each.is_repeatable:
        names.append("Idempotency-Key")
    found: list[dict[str, Any]] = [{"$ref": f"#/components/parameters/{name}"} for name in names]
    if (
        each.answer is not None
        and "next" in each.answer.model_fields
        and each.name in ("tickets", "notifications", "closure_tickets")
    ):
        found += [{"$ref": f"#/components/parameters/{name}"} for name in ("limit", "cursor")]
    if each.query is not None:
        found += _query_parameters(each.query)
    return [*found, *_filters()] if each.has_filters else found


def _query_parameters(query: type[BaseModel]) -> list[dict[str, Any]]:
    schema = query.model_json_schema(by_alias=True)
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", []), **_filter(name, member)}
        for name, member in schema["properties"].items()
    ]


def _filters() -> list[dict[str, Any]]:
    properties = TicketFilters.model_json_schema(by_alias=True)["properties"]
    sort = {"name": "sort", "in": "query", "schema": {"enum": list(SORTS), "default": SORTS[0]}}
    return [sort, *({"name": name, "in": "query", **_filter(name, schema)} for name, schema in properties.items())]


def _filter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A filter as a parameter: plain where it may be left out anyway; several statuses are joined by commas."""
    variants = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    shown = {key: value for key, value in variants[0].items() if key not in ("title", "default")}
    joined = {"style": "form", "explode": False} if name == "status" else {}
    return {"schema": shown, **joined}


def _parameters() -> dict[str, Any]:
    return {
        "Acting-As": {
            "name": "Acting-As",
            "in": "header",
            "description": N_("role@unit: one of the caller's roles. Without it the first that may do it is used."),
            "schema": {"type": "string"},
        },
        "Idempotency-Key": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": N_("Kept 24 hours: the same body gets the first answer again, another body 422."),
            "schema": {"type": "string", "minLength": 1, "maxLength": 120},
        },
        "limit": {
            "name": "limit",
            "in": "query",
            "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT_LIMIT},
        },
        "cursor": {"name": "cursor", "in": "query", "schema": {"type": "string"}},
    }


def _problem_response(code: str, text: str, named: Named) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": text,
        "content": {PROBLEM_TYPE: {"schema": {"$ref": named[Problem]}}},
    }
    if code in ("429", "503"):
        response["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}
    if code == "401":
        response["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return response


def shape_of(schema: dict[str, Any]) -> str:
    """A schema in a few words, for the readable docs."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(shape_of(each) for each in schema["anyOf"]))
    if schema.get("type") == "array":
        return f"[{shape_of(schema.get('items', {}))}]"
    kind = str(schema.get("format") or schema.get("type") or "any")
    return f"{kind} (≤ {schema['maxLength']})" if "maxLength" in schema else kind
