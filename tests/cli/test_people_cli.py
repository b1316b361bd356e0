"""The commands about people, run as an operator runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from feedback.cli.people import accounts_commands
from feedback.cli.routes import routes_command
from feedback.kernel.clock import utc_now
from feedback.kernel.db import db
from feedback.people.credentials import sign_in
from feedback.people.models import Account
from feedback.people.queries import find_account, find_unit, load_actor
from feedback.people.tokens import find_token
from feedback.settings import ROOT
from tests.support.county import County

GOOD = "a fine day for it"
UNITS = "code,name,parent,kind,level,remark\ntown,甲镇,c,region,town,x\nc,某县,,region,county,\nbad,坏,nowhere,region,town,\n"


def run(app: Flask, *words: str, stdin: str = "") -> Result:
    return app.test_cli_runner().invoke(args=words, input=stdin)


def account(login: str) -> Account:
    db.session.rollback()
    found = find_account(db.session(), login)
    assert found is not None
    return found


def test_operator_imports_units_and_sees_the_bad_row(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "units.csv"
    path.write_bytes(UNITS.encode("gb18030"))
    result = run(app, "units", "import", str(path), "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert (told["added"], told["updated"], told["unchanged"], told["ignored_columns"]) == (2, 0, 0, ["remark"])
    assert [(error["row"], error["column"]) for error in told["errors"]] == [(4, "parent")]
    assert "1 rows were not taken" in result.stderr
    town = find_unit(db.session(), "town")
    assert town is not None
    assert town.name == "甲镇"


def test_operator_imports_accounts_of_those_units(app: Flask, county: County, tmp_path: Path) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text("\ufefflogin,name,roles\nzhao.yi,赵一,handler@water;submitter@town\n", encoding="utf-8")
    result = run(app, "accounts", "import", str(path))
    assert (result.exit_code, result.stdout) == (0, "1 added, 0 updated, 0 unchanged.\n")
    grants = load_actor(db.session(), account("zhao.yi"), now=utc_now()).grants
    assert {(grant.role, grant.unit_code) for grant in grants} == {("handler", "water"), ("submitter", "town")}


def test_operator_creates_an_account_that_needs_no_change_of_password(app: Flask, county: County) -> None:
    words = ("accounts", "create", "zhao.yi", "--name", "赵一", "--role", "handler@water", "--role", "handler@roads")
    result = run(app, *words, "--password-stdin", "--json", stdin=GOOD + "\n")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"login": "zhao.yi"}
    assert not account("zhao.yi").must_change_password
    sign_in("zhao.yi", GOOD, source="::1", device="", now=utc_now())


def test_operator_may_ask_for_a_change_of_password(app: Flask, county: County) -> None:
    run(app, "accounts", "create", "zhao.yi", "--name", "Z", "--password-stdin", "--must-change", stdin=GOOD + "\n")
    assert account("zhao.yi").must_change_password


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        (("accounts", "create", "a b", "--name", "X"), "", "login"),
        (("accounts", "create", "ha", "--name", "X"), "", "taken"),
        (("accounts", "create", "n", "--name", "X", "--role", "handler@nowhere"), "", "nowhere"),
        (("accounts", "create", "n", "--name", "X", "--password-stdin"), "short\n", "10 characters"),
        (("accounts", "create", "n", "--name", "X", "--password-stdin"), "", "standard input"),
        (("accounts", "set-password", "nobody", "--password-stdin"), GOOD + "\n", "no account"),
        (("tokens", "issue", "nobody"), "", "no account"),
        (("tokens", "issue", "ha", "--scope", "admin"), "", "admin"),
        (("tokens", "issue", "ha", "--scope", "all"), "", "One of"),
        (("units", "import", "no-such-file.csv"), "", "no-such-file.csv"),
    ],
)
def test_a_refusal_is_one_clear_line_and_a_failing_exit(
    app: Flask, county: County, words: tuple[str, ...], stdin: str, said: str
) -> None:
    result = run(app, *words, stdin=stdin)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert said.lower() in result.stderr.lower()
    assert len(result.stderr.strip().splitlines()) == 1


def test_operator_issues_a_token_with_a_scope_and_an_end(app: Flask, county: County) -> None:
    result = run(app, "tokens", "issue", "ha", "--scope", "read", "--days", "1", "--json")
    told = json.loads(result.stdout)
    assert set(told) == {"token", "expires_at"}
    owner = find_token(db.session(), told["token"], utc_now())
    assert owner is not None
    assert owner.scopes == {"read"}
    assert told["token"] not in repr(db.session().get_one(Account, owner.account.id).__dict__)


def test_operator_moves_shuts_and_opens_an_account(app: Flask, county: County) -> None:
    assert run(app, "accounts", "grant", "la", "unit_head@b").exit_code == 0
    assert run(app, "accounts", "revoke", "la", "unit_head@a").exit_code == 0
    grants = load_actor(db.session(), account("la"), now=utc_now()).grants
    assert [(grant.role, grant.unit_code) for grant in grants] == [("unit_head", "b")]
    assert run(app, "accounts", "disable", "la").exit_code == 0
    assert not account("la").is_active
    assert run(app, "accounts", "enable", "la").exit_code == 0
    assert account("la").is_active


def test_routes_names_who_may_call_each(app: Flask) -> None:
    result = app.test_cli_runner().invoke(routes_command, ["--json"])
    routes = {(route["url"], route["methods"]): route["who"] for route in json.loads(result.stdout)}
    assert routes["/account", "GET"] == "signed_in"
    assert routes["/sign-in", "POST"] == "anyone"


def test_operator_lists_routes_with_who_may_call_them_in_a_shell(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "INSTANCE_DIR": str(tmp_path), "FEEDBACK_ENV": "testing"}
    order = [sys.executable, "-m", "flask", "--app", "app", "routes"]
    shell = subprocess.run(order, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert "/account  GET  signed_in  auth.account" in shell.stdout.splitlines()


def test_accounts_commands_are_all_described() -> None:
    assert all(command.help for command in accounts_commands.commands.values())
