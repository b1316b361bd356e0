"""Commands that fill a site: `demo load`, `demo accounts`, `setup defaults`."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from feedback.cli.output import print_json, refusals_as_exit
from feedback.demo.county import PASSWORD, demo_accounts
from feedback.demo.defaults import install_site_defaults
from feedback.demo.load import load_demo
from feedback.kernel.clock import utc_now
from feedback.kernel.db import session
from feedback.settings import Settings

TICKETS, SEED = 120, 1

demo_commands = AppGroup("demo", help="An invented county to try; not in production.")
setup_commands = AppGroup("setup", help="What a site needs before anybody is there.")


@demo_commands.command("load")
@click.option("--tickets", type=click.IntRange(0, 20_000), default=TICKETS, show_default=True)
@click.option("--seed", type=int, default=SEED, show_default=True, help="Equal seeds tell equal stories.")
@refusals_as_exit
def load_command(tickets: int, seed: int) -> None:
    """Fill an empty site with units, accounts, catalogue, policies, calendars and tickets in every state."""
    settings: Settings = current_app.config["SETTINGS"]
    if settings.is_production:
        raise click.ClickException("FEEDBACK_ENV: the demo is not for production; its password is known to everybody.")
    loaded = load_demo(tickets=tickets, seed=seed, now=utc_now())
    click.echo(f"{loaded.accounts} accounts, {loaded.tickets} tickets, {loaded.steps.total()} steps.")
    click.echo(
        f"Sign in as cun01 (village), shuiwu-li (handler), paidan01 (dispatcher), lingdao01 (leader): {PASSWORD}"
    )


@demo_commands.command("accounts")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def accounts_command(as_json: bool) -> None:
    """List the demo's sign-ins."""
    found = demo_accounts(session())
    if as_json:
        print_json([{"login": a.login, "password": PASSWORD, "role": a.role, "unit": a.unit} for a in found])
        return
    for account in found:
        more = f" {' '.join(account.more)}" if account.more else ""
        click.echo(f"{account.login}\t{PASSWORD}\t{account.role}@{account.unit}{more}\t{account.name}")


@setup_commands.command("defaults")
@refusals_as_exit
def defaults_command() -> None:
    """Install default policies, the site's calendar and danger words where they are missing."""
    install_site_defaults(now=utc_now())
    click.echo("Policies, calendar and danger words are there.")
