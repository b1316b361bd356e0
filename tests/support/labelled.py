"""Made-up labelled texts for the category model, from parts put together, and a model trained on them in this process."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from feedback.kernel.transaction import transaction
from feedback.routing.examples import Example
from feedback.routing.model_file import pack
from feedback.routing.models import CategoryModel
from feedback.routing.training import train

PARTS = {
    "water": ("自来水", "水管", "漏水", "停水", "水压", "水表", "pipe", "tap"),
    "roads": ("路灯", "道路", "坑洼", "井盖", "红绿灯", "pothole", "lamp", "桥面"),
    "schools": ("学校", "教师", "招生", "食堂", "校车", "pupils", "作业", "校门"),
    "noise": ("噪音", "施工", "夜间", "扰民", "广场舞", "loudspeaker", "油烟", "酒吧"),
}
FILLING = (
    "我们村",
    "已经三天",
    "没有人来",
    "请领导",
    "尽快",
    "小区门口",
    "附近",
    "反映多次",
    "please",
    "希望",
    "处理",
    "居民",
)


def made_examples(
    number: int, *, seed: int = 1, hard: float = 0.2, labels: dict[str, str] | None = None
) -> list[Example]:
    """So many texts; in a share of them, `hard`, another label's word speaks too. `labels` gives the labels other names."""
    draw = random.Random(seed)
    found = []
    for at in range(number):
        label = sorted(PARTS)[at % len(PARTS)]
        words = draw.sample(PARTS[label], 2) + draw.sample(FILLING, 4)
        if draw.random() < hard:
            other = draw.choice([each for each in sorted(PARTS) if each != label])
            words += draw.sample(PARTS[other], 2)
        draw.shuffle(words)
        title = draw.choice(PARTS[label]) if draw.random() < 0.3 else ""
        found.append(Example((labels or {}).get(label, label), " ".join(words), title, f"g{seed}-{at}"))
    return found


@cache
def _trained(examples: tuple[Example, ...]) -> tuple[bytes, dict[str, Any]]:
    parts = train(examples)
    return pack(parts), parts.figures


def put_in_force(examples: Sequence[Example], now: datetime) -> int:
    """Train on these and put the model in force; its version. Without the process of its own, which takes seconds."""
    packed, figures = _trained(tuple(examples))
    with transaction() as session:
        row = CategoryModel(
            trained_at=now,
            trained_by="tests",
            digest=hashlib.sha256(packed).hexdigest(),
            figures={**figures, "tickets": 0, "held": 0, "before": None, "after": None},
            in_force_at=now,
            packed=packed,
        )
        session.add(row)
        session.flush()
        return row.version
