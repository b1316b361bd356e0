"""The OpenAPI document against the routes, the commands and real answers; and random calls made out of it."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks as documented

from feedback.api import schemas
from feedback.api.access import ENDPOINTS
from feedback.api.openapi import PROBLEMS, SYSTEM_ACTIONS, document, documented_actions
from feedback.kernel.access import rule_of
from feedback.tickets.actions import ACTIONS
from tests.api.conftest import CallAs
from tests.api.test_lifecycle_cells import FIELDS
from tests.support.county import County
from tests.support.journey import REACHED, Journey

CHECKS = (
    documented.status_code_conformance,
    documented.content_type_conformance,
    documented.response_schema_conformance,
    documented.response_headers_conformance,
    not_a_server_error,
)


@pytest.fixture
def journey(county: County) -> Journey:
    return Journey(county)


def _documented() -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(json.dumps(document()))
    return whole


def test_document_lists_every_route_and_every_action(app: Flask) -> None:
    paths = _documented()["paths"]
    routed = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule.removeprefix("/api/v1")), method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and not rule.rule.endswith("openapi.json")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    listed = {(path, method.upper()) for path, methods in paths.items() for method in methods}
    generic = ("/tickets/{reference}/{action}", "POST")
    actions = {(f"/tickets/{{reference}}/{name}", "POST") for name in documented_actions()}
    assert routed - {generic} <= listed
    assert listed - (routed - {generic}) == actions
    assert set(documented_actions()) == set(ACTIONS) - SYSTEM_ACTIONS
    ids = [operation["operationId"] for methods in paths.values() for operation in methods.values()]
    assert len(ids) == len(set(ids))


def test_document_refers_to_nothing_that_is_not_there() -> None:
    whole = _documented()
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(whole)):
        place: Any = whole
        for part in reference.split("/"):
            place = place[part]
        assert place


def test_every_route_says_who_may_call_it(app: Flask) -> None:
    for name, each in ENDPOINTS.items():
        assert each.rule, name
        assert each.summary, name
        assert rule_of(app.view_functions[name]), name


@pytest.mark.parametrize("action", sorted(FIELDS))
def test_bodies_that_are_taken_fit_the_document(action: str) -> None:
    if action in SYSTEM_ACTIONS:
        return
    whole = _documented()
    content = whole["paths"][f"/tickets/{{reference}}/{action}"]["post"]["requestBody"]["content"]
    schema = {**content["application/json"]["schema"], "components": whole["components"]}
    validator = jsonschema_rs.Draft202012Validator(schema)
    assert validator.is_valid({**FIELDS[action], "version": 3})
    assert not validator.is_valid({**FIELDS[action], "nonsense": 3})


def test_answers_have_exactly_the_documented_shape(call_as: CallAs, journey: Journey) -> None:
    with_reading: tuple[tuple[str, type[BaseModel]], ...] = (
        ("", schemas.Ticket),
        ("/timeline", schemas.Timeline),
        ("/requests", schemas.Requests),
        ("/clocks", schemas.Clocks),
    )
    references = [
        journey.to(state, privacy="confidential" if number % 2 else "named") for number, state in enumerate(REACHED)
    ]
    for login in ("s", "d"):
        caller = call_as(login)
        for reference in references:
            for end, model in with_reading:
                model.model_validate_json(caller.get(f"/tickets/{reference}{end}").data)
        for path, model in (
            ("/tickets?limit=200", schemas.TicketList),
            ("/units", schemas.Units),
            ("/categories", schemas.Categories),
            ("/me", schemas.Me),
            ("/notifications", schemas.Notices),
        ):
            model.model_validate_json(caller.call("GET", path).data)
        for refused in (caller.get("/nothing"), caller.post("/tickets", {"text": 1}), caller.get("/tickets", limit=0)):
            problem = schemas.Problem.model_validate_json(refused.data)
            assert problem.status == refused.status_code
            assert str(problem.status) in PROBLEMS


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_reader_finds_every_route_on_the_docs_page_without_javascript(app: Flask, language: str) -> None:
    page = app.test_client().get("/api/docs", headers={"Accept-Language": language})
    assert page.status_code == 200
    text = page.get_data(as_text=True)
    for path in _documented()["paths"]:
        assert f"/api/v1{path}" in text
    for code in ("ResolveTicket", "SubmitTicket", "Idempotency-Key", "Acting-As"):
        assert code in text
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text)
    for anchor in re.findall(r'href="#([^"]+)"', text):
        assert f'id="{anchor}"' in text, anchor
    small = app.test_client().get("/api/docs", headers={"Accept-Language": language, "Accept-Encoding": "gzip"})
    assert small.headers["Content-Encoding"] == "gzip"
    assert len(small.data) < len(page.data) / 3
    assert gzip.decompress(small.data).decode() == text


def _call_at_random(call_as: CallAs, journey: Journey, examples: int) -> None:
    """Calls made out of the document, as several people, on tickets that are there: never a fault, always as documented."""
    references = [journey.to(state) for state in ("submitted", "in_progress", "resolved", "closed.confirmed")]
    callers = [call_as(login) for login in ("s", "hw", "dp1", "d", "lr", "adm")]
    app = callers[0].app
    app.config["API_RATE"] = "100000 per minute"
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)

    seen: Counter[int] = Counter()
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()

        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=True,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(), reference=st.sampled_from(references), caller=st.sampled_from(callers))
        def call(case: Any, reference: str, caller: Any) -> None:
            if "reference" in (case.path_parameters or {}):
                case.path_parameters["reference"] = reference
            case.headers = {
                name: value for name, value in dict(case.headers or {}).items() if name.lower() != "acting-as"
            } | {"Authorization": f"Bearer {caller.token}"}
            seen[case.call_and_validate(checks=list(CHECKS)).status_code] += 1

        call()
    assert {200, 403, 404, 409, 422} <= set(seen)
    assert 401 not in seen


def test_random_calls_are_answered_as_documented(call_as: CallAs, journey: Journey) -> None:
    _call_at_random(call_as, journey, examples=3)


@pytest.mark.slow
def test_many_random_calls_are_answered_as_documented(call_as: CallAs, journey: Journey) -> None:
    _call_at_random(call_as, journey, examples=100)
