"""The lifecycle table as a picture (Mermaid) and as a table in words (Markdown), for docs/architecture.md. Reads RULES only."""

from __future__ import annotations

from feedback.tickets import lifecycle
from feedback.tickets.lifecycle import BACK, BEFORE, NEW, RULES, STAY, Rule


def _node(state: str) -> str:
    return "[*]" if state == NEW else state.replace(".", "_")


def mermaid() -> str:
    """A state diagram of every line that leads to another status; several actions on one arrow share it."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for rule in RULES:
        if rule.to == STAY:
            continue
        for state in sorted(rule.states, key=lifecycle.STATES.index):
            target = {BACK: "in_progress", BEFORE: "submitted"}.get(rule.to, rule.to)
            if state != target:
                name = rule.action + (" (or back where it was)" if rule.to in (BACK, BEFORE) else "")
                names = arrows.setdefault((state, target), [])
                if name not in names:
                    names.append(name)
    lines = ["stateDiagram-v2"]
    lines += [f"    {_node(a)} --> {_node(b)}: {', '.join(names)}" for (a, b), names in arrows.items()]
    return "\n".join(lines)


def _cell(rule: Rule) -> str:
    who = ", ".join(sorted(f"{role}@{relation}" for role, relation in rule.who))
    states = ", ".join(sorted(rule.states, key=lifecycle.STATES.index))
    clocks = "; ".join(rule.clocks) or "-"
    to = f"{rule.to} (or {rule.or_to})" if rule.or_to else rule.to
    return f"| {rule.action} | {states} | {to} | {who} | {' '.join(rule.needs) or '-'} | {clocks} |"


def markdown() -> str:
    """Every line of the table."""
    head = "| action | from | to | who (role@relation) | needs | clocks |\n|---|---|---|---|---|---|\n"
    return head + "\n".join(_cell(rule) for rule in RULES)
