"""Commands about people: `units import`, `accounts create|import|set-password|disable|enable|grant|revoke`, `tokens issue`."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from flask.cli import AppGroup

from feedback.cli.output import print_import, print_json, refusals_as_exit
from feedback.kernel.actor import SYSTEM
from feedback.kernel.clock import utc_now
from feedback.kernel.errors import Invalid
from feedback.kernel.tabular import read_rows
from feedback.kernel.text import N_, Text
from feedback.people import account_import, unit_import, usecases
from feedback.people.account_import import import_accounts
from feedback.people.passwords import LONGEST
from feedback.people.tokens import MOST_DAYS, SCOPES, IssueToken, issue_token
from feedback.people.unit_import import import_units
from feedback.supervision.left_behind import free_left_tickets

units_commands = AppGroup("units", help="The tree of regions and departments.")
accounts_commands = AppGroup("accounts", help="Who signs in, and which roles they hold.")
tokens_commands = AppGroup("tokens", help="Keys for programs.")

JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
FILE_ARGUMENT = click.argument("file", type=click.Path(path_type=Path))


def read_password() -> str:
    """The first line of standard input, without its line end. Invalid where there is none."""
    line = sys.stdin.readline(LONGEST * 4 + 2).rstrip("\r\n")
    if not line:
        raise Invalid({"password": Text(N_("Give the password as the first line of standard input."))})
    return line


@units_commands.command("import")
@FILE_ARGUMENT
@JSON_OPTION
@refusals_as_exit
def import_units_command(file: Path, as_json: bool) -> None:
    """Add and change units from a CSV or XLSX FILE: code, name, parent, kind, level, name_en?, calendar?"""
    table = read_rows(file, file.name, required=unit_import.REQUIRED, optional=unit_import.OPTIONAL)
    print_import(import_units(table, actor=SYSTEM, now=utc_now()), as_json=as_json)


@accounts_commands.command("import")
@FILE_ARGUMENT
@JSON_OPTION
@refusals_as_exit
def import_accounts_command(file: Path, as_json: bool) -> None:
    """Add and change accounts from a CSV or XLSX FILE: login, name, roles (role@unit;role@unit), email?, phone?, locale?"""
    table = read_rows(file, file.name, required=account_import.REQUIRED, optional=account_import.OPTIONAL)
    print_import(import_accounts(table, actor=SYSTEM, now=utc_now()), as_json=as_json)


@accounts_commands.command("create")
@click.argument("login")
@click.option("--name", required=True, help="How the person is shown.")
@click.option("--role", "roles", multiple=True, metavar="ROLE@UNIT", help="May be given several times.")
@click.option("--email")
@click.option("--phone")
@click.option("--locale", type=click.Choice(["zh_CN", "en"]))
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--must-change", is_flag=True, help="The person must choose another one when they first sign in.")
@JSON_OPTION
@refusals_as_exit
def create_account_command(
    login: str,
    name: str,
    roles: tuple[str, ...],
    email: str | None,
    phone: str | None,
    locale: str | None,
    password_stdin: bool,
    must_change: bool,
    as_json: bool,
) -> None:
    """Add an account. Without a password nobody can sign in to it yet."""
    cmd = usecases.CreateAccount.parse(
        {
            "login": login,
            "name": name,
            "roles": list(roles),
            "email": email,
            "phone": phone,
            "locale": locale,
            "password": read_password() if password_stdin else None,
            "must_change": must_change,
        }
    )
    account = usecases.create_account(cmd, actor=SYSTEM, now=utc_now())
    _say(account.login, "created", as_json=as_json)


@accounts_commands.command("set-password")
@click.argument("login")
@click.option("--password-stdin", is_flag=True, required=True, help="Read the password from standard input.")
@click.option("--must-change", is_flag=True, help="The person must choose another one when they next sign in.")
@JSON_OPTION
@refusals_as_exit
def set_password_command(login: str, password_stdin: bool, must_change: bool, as_json: bool) -> None:
    """Give an account a new password; its sessions and tokens end."""
    cmd = usecases.SetPassword.parse({"login": login, "password": read_password(), "must_change": must_change})
    _say(usecases.set_password(cmd, actor=SYSTEM, now=utc_now()).login, "has a new password", as_json=as_json)


@accounts_commands.command("disable")
@click.argument("login")
@JSON_OPTION
@refusals_as_exit
def disable_account_command(login: str, as_json: bool) -> None:
    """Shut an account: its sessions and tokens end at once, the tickets in its hands fall back to their units' lists."""
    now = utc_now()
    shut = usecases.disable_account(usecases.OfAccount.parse({"login": login}), actor=SYSTEM, now=now)
    free_left_tickets(now, account_id=shut.account_id)
    _say(shut.login, "is shut", as_json=as_json)


@accounts_commands.command("enable")
@click.argument("login")
@JSON_OPTION
@refusals_as_exit
def enable_account_command(login: str, as_json: bool) -> None:
    """Open a shut account again."""
    cmd = usecases.OfAccount.parse({"login": login})
    _say(usecases.enable_account(cmd, actor=SYSTEM, now=utc_now()).login, "is open", as_json=as_json)


@accounts_commands.command("grant")
@click.argument("login")
@click.argument("role", metavar="ROLE@UNIT")
@JSON_OPTION
@refusals_as_exit
def grant_role_command(login: str, role: str, as_json: bool) -> None:
    """Let an account hold a role at a unit."""
    cmd = usecases.OfRole.parse({"login": login, "role": role})
    _say(usecases.grant_role(cmd, actor=SYSTEM, now=utc_now()).login, f"holds {role}", as_json=as_json)


@accounts_commands.command("revoke")
@click.argument("login")
@click.argument("role", metavar="ROLE@UNIT")
@JSON_OPTION
@refusals_as_exit
def revoke_role_command(login: str, role: str, as_json: bool) -> None:
    """Take a role at a unit from an account, at once; tickets in its hands there fall back to the unit's list."""
    now = utc_now()
    changed = usecases.revoke_role(usecases.OfRole.parse({"login": login, "role": role}), actor=SYSTEM, now=now)
    free_left_tickets(now, account_id=changed.account_id)
    _say(changed.login, f"no longer holds {role}", as_json=as_json)


@tokens_commands.command("issue")
@click.argument("login")
@click.option("--scope", "scopes", multiple=True, metavar="|".join(SCOPES), help="Default: all that the roles allow.")
@click.option("--days", default=90, show_default=True, help=f"How long it works, 1 to {MOST_DAYS}.")
@JSON_OPTION
@refusals_as_exit
def issue_token_command(login: str, scopes: tuple[str, ...], days: int, as_json: bool) -> None:
    """Print a new token of an account, this once."""
    wanted = [part for scope in scopes for part in scope.replace(",", " ").split()]
    issued = issue_token(
        IssueToken.parse({"login": login, "scopes": wanted, "days": days}), actor=SYSTEM, now=utc_now()
    )
    if as_json:
        print_json({"token": issued.token, "expires_at": issued.expires_at.isoformat(timespec="seconds")})
    else:
        click.echo(issued.token)
        click.echo(f"Shown this once; works until {issued.expires_at.isoformat(timespec='minutes')}.", err=True)


def _say(login: str, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"login": login})
    else:
        click.echo(f"{login} {what}.")
