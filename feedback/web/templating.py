"""How templates become HTML: as Jinja and Flask do it, but quicker at what a page does hundreds of times.

That is escaping a value, calling a macro or a function, and importing macros.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

from flask.templating import Environment
from jinja2 import Template, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.environment import TemplateModule
from jinja2.runtime import Context, Macro
from markupsafe import Markup, _escape_inner, escape  # type: ignore[attr-defined]


def to_html(value: Any) -> str:
    """What `markupsafe.escape` gives, as plain text where that will do: the page is only joined of it.

    Making a Markup of each value costs four times the escaping itself.
    """
    kind = type(value)
    if kind is str:
        return _escape_inner(value)
    return value if kind is Markup else escape(value)


class _Generator(CodeGenerator):
    """Writes `environment.to_html(…)` where a template puts out a value, instead of `escape(…)`."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile and finalize.src is None:
            self.write("environment.to_html(")
        else:
            super()._output_child_pre(node, frame, finalize)


class _Context(Context):
    """Calls a macro or a plain function at once: how either wants to be called need not be found out each time."""

    def call(__self, __obj: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # noqa: N805 (as in Jinja)
        kind = type(__obj)
        if kind is Macro:
            args = (__self.eval_ctx, *args)
        elif kind is not FunctionType or hasattr(__obj, "jinja_pass_arg"):
            return super().call(__obj, *args, **kwargs)
        kwargs.pop("_block_vars", None)
        kwargs.pop("_loop_vars", None)
        return __obj(*args, **kwargs)


class _Template(Template):
    """Macros are made once. Jinja looks for globals of the importing template's own at each import; ours have none."""

    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        return self._module or super()._get_default_module(ctx)


class PageEnvironment(Environment):
    """Flask's environment of templates with these."""

    code_generator_class = _Generator
    context_class = _Context
    template_class = _Template
    to_html = staticmethod(to_html)
