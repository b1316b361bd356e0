"""Words that only say that something arrived. They may be sent, but they are no first response. Pure.

Source: a first response is a human, public word that is no template.
"""

from __future__ import annotations

import re

STOCK = frozenset(
    {
        "收到", "已收到", "收悉", "已收悉", "来信收悉", "知悉", "已知悉", "已阅", "阅", "好的", "好", "同意", "知道了",
        "已转办", "已转交", "已转相关部门", "已转有关部门", "已转发", "正在办理", "正在处理", "正在核实", "办理中", "处理中",
        "请耐心等待", "感谢反馈", "感谢您的反馈", "谢谢", "谢谢反馈", "您好", "你好",
        "received", "noted", "ok", "okay", "thanks", "thank you", "forwarded", "in progress", "we are on it",
        "being processed", "seen", "acknowledged", "please wait", "hello",
    }
)  # fmt: skip
_BETWEEN = re.compile(r"[\W_]+", re.UNICODE)
_PARTS = re.compile(r"[，。！？；、,.!?;\n]+")


def is_stock_phrase(text: str) -> bool:
    """Whether every sentence of the text is one of the phrases above, whatever stands between them."""
    parts = [_BETWEEN.sub(" ", part).strip().lower() for part in _PARTS.split(text)]
    said = [part for part in parts if part]
    return all(part in STOCK for part in said)
