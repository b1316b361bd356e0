"""The OpenAPI document and the page that reads it aloud: a table a route, no JavaScript, nothing from another host."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template

from feedback.api import render
from feedback.api.access import NO_TOKEN, endpoint
from feedback.api.openapi import document, shape_of
from feedback.kernel.access import ANYONE
from feedback.kernel.text import N_

FOR_ANYONE = N_("Anyone; it holds no ticket and no name.")
PLACES = {"path": N_("in the address"), "query": N_("after the address"), "header": N_("in the header")}
"""Where a parameter stands, in words."""


@endpoint(
    "GET", "/v1/openapi.json", answer=None, scope=NO_TOKEN, who=(ANYONE,), summary=N_("This document."), rule=FOR_ANYONE
)
def openapi() -> Response:
    """The OpenAPI document."""
    return render.answer(document())


@endpoint("GET", "/docs", answer=None, scope=NO_TOKEN, who=(ANYONE,), summary=N_("The readable docs."), rule=FOR_ANYONE)
def docs() -> str:
    """The document as a page."""
    described = document()
    return render_template(
        "api/docs.html", routes=_routes(described), schemas=_schemas(described), info=described["info"]
    )


def _routes(described: dict[str, Any]) -> list[dict[str, Any]]:
    parameters = described["components"]["parameters"]
    routes = []
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            body = next(
                (each["schema"]["$ref"].rpartition("/")[2] for each in content.values() if "$ref" in each["schema"]),
                None,
            )
            routes.append(
                {
                    "id": operation["operationId"],
                    "method": method.upper(),
                    "path": described["servers"][0]["url"] + path,
                    "summary": operation["summary"],
                    "rule": operation["description"],
                    "parameters": [
                        _parameter(parameters[each["$ref"].rpartition("/")[2]] if "$ref" in each else each)
                        for each in operation["parameters"]
                    ],
                    "body": body,
                    "answers": [code for code in operation["responses"] if code.startswith("2")],
                    "refusals": [code for code in operation["responses"] if not code.startswith("2")],
                }
            )
    return routes


def _parameter(parameter: dict[str, Any]) -> dict[str, str]:
    return {
        "name": parameter["name"],
        "place": PLACES[parameter["in"]],
        "shape": shape_of(parameter["schema"]),
        "text": parameter.get("description", ""),
    }


def _schemas(described: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "text": schema.get("description", ""),
            "members": [
                {
                    "name": member,
                    "shape": shape_of(shape),
                    "remark": shape.get("description", ""),
                    "is_needed": member in schema.get("required", ()),
                }
                for member, shape in schema.get("properties", {}).items()
            ],
        }
        for name, schema in sorted(described["components"]["schemas"].items())
    ]
