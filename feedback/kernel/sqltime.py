"""Instants in SQL as whole seconds, and how many lie between two, the same on SQLite and PostgreSQL. Nothing else."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, SQLColumnExpression
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class whole_seconds(FunctionElement[int]):  # noqa: N801 (it is called like a function of SQL)
    """SQL: the seconds from 1970 to an instant, cut to whole ones."""

    type = BigInteger()
    inherit_cache = True
    name = "whole_seconds"


def seconds_between(earlier: SQLColumnExpression[Any], later: SQLColumnExpression[Any]) -> ColumnElement[int]:
    """SQL: later minus earlier, each cut to whole seconds."""
    return whole_seconds(later) - whole_seconds(earlier)


@compiles(whole_seconds, "sqlite")
def _on_sqlite(element: whole_seconds, compiler: SQLCompiler, **kw: Any) -> str:
    (instant,) = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"CAST(strftime('%s', {instant}) AS INTEGER)"


@compiles(whole_seconds, "postgresql")
def _on_postgresql(element: whole_seconds, compiler: SQLCompiler, **kw: Any) -> str:
    (instant,) = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"CAST(FLOOR(EXTRACT(EPOCH FROM {instant})) AS BIGINT)"
