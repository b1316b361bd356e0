"""How commands answer: one JSON document, or one clear line and a non-zero exit. What they do lives in the rooms."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import click

from feedback.kernel.errors import Refused
from feedback.kernel.imports import ImportResult

P = ParamSpec("P")
R = TypeVar("R")


def print_json(value: Any) -> None:
    """One JSON document on standard output, Chinese readable."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def refusals_as_exit(function: Callable[P, R]) -> Callable[P, R]:
    """Turn what a use-case refuses into one line on standard error and exit code 1."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except Refused as refused:
            raise click.ClickException(str(refused).replace("\n", " ")) from refused

    return wrapped


def print_import(result: ImportResult, *, as_json: bool) -> None:
    """The outcome of an import; exit code 1 where rows were refused (the good ones are in all the same)."""
    if as_json:
        print_json(result.as_json())
    else:
        click.echo(f"{result.added} added, {result.updated} updated, {result.unchanged} unchanged.")
        if result.ignored:
            click.echo(f"Columns ignored: {', '.join(result.ignored)}.")
        for error in sorted(result.errors, key=lambda error: error.number):
            click.echo(f"row {error.number}: {f'{error.column}: ' if error.column else ''}{error.text}", err=True)
    if not result.is_clean:
        raise click.ClickException(f"{len({error.number for error in result.errors})} rows were not taken.")
