"""Whether somebody's words contradict the button they pressed. Pure: a text in, a word out. It only ever makes a page ask."""

from __future__ import annotations

import re
from typing import Literal

from feedback.routing.keywords import fold

Saying = Literal["solved", "not_solved"]

_NOT_SOLVED = re.compile(
    r"(?:并?没有?|并?未)[完全真正彻底能被得到人去来再把它给我们都]{0,6}(?:修|解决|处理|弄好|搞好|办|疏通|通水|通电|来修|来过|好)(?!问题)(?:好|完|过)?"
    r"|(?:其实|实际上?|事实上)[^，。,.!！?？；;\n]{0,6}(?:没|不|未)"
    r"|(?:还|仍|仍然|依然|依旧|照样|继续|一直)(?:在|是)?[^，。,.!！?？；;\n]{0,4}(?:(?!没来得及|没有?感谢|不错|不了解)(?:没|不|未)|漏|坏|堵|黑|灭|停|断|淹|臭|脏|冒|塌|积水|老样子)"
    r"|(?:又|再次|重新)(?:开始)?(?:漏|坏|堵|黑|灭|停|断|淹|臭|脏|冒|塌|积水)"
    r"|(?:解决|修|处理|弄|搞|治)不(?:了|好)|不(?:管用|顶用|起作用|见好|行)|老样子|白跑|没人(?:来|管|理|修)|没动静|没变化"
    r"|\b(?:not|isn't|isnt|wasn't|hasn't|haven't|didn't|never|nothing)\b[^.;!?\n]{0,24}?\b(?:solved|fixed|repaired|mended|done|working|works?|dry|better)\b"
    r"|\bstill\b[^.;!?\n]{0,24}?\b(?:leak\w*|drip\w*|broken|dark|not|no|out|off|missing|block\w*|wet|smell\w*|the same|waiting)\b"
    r"|\b(?:leak\w*|drip\w*|broke\w*|fail\w*|dark|flood\w*|block\w*|out)\b[^.;!?\n]{0,12}?\bagain\b"
    r"|\b(?:nobody|no one) (?:came|has come|did|looked)\b|\bunsolved\b|\bunfixed\b"
)
_SOLVED = re.compile(
    r"(?:已经?|都|全|全部|终于)?(?:修|解决|处理|弄|搞|治|办|换|补|清理|疏通)(?:好|完)?了(?!一半)"
    r"|(?<![就才])(?<!要是)(?<!快)好了(?!没)|(?:不|没有?)(?:再)?(?:漏|堵|臭|积水|停|淹)了?"
    r"|(?:灯|路灯)(?:都|又|全)?亮了|(?:水|电|气|路)(?:又|都)?(?:来|通)了|恢复(?:正常|供水|供电)?了|没(?:有)?问题了"
    r"|\b(?:solved|fixed|repaired|mended|resolved)\b|\bworks? (?:again|now|fine|well)\b|\b(?:all good|it is fine|is dry)\b"
)
_WISH = re.compile(
    r"(?:希望|请|望|盼|何时|什么时候|尽快|早日|能不能|能否|如果|要是|等"
    r"|\b(?:please|hope|when|if|until|should|must|to be)\b)[^，。,.!！?？；;\n]{0,20}$"
)


def saying_of(text: str) -> Saying | None:
    """What a text says of its matter; the last word counts (`修好两天又坏了` is not solved). None: it says neither.

    A wish or a question (`please have it fixed`) says neither.
    """
    folded = fold(text).replace("\u2019", "'")
    negatives = [match.span() for match in _NOT_SOLVED.finditer(folded)]
    last: tuple[int, Saying] | None = None
    if negatives:
        last = (negatives[-1][1], "not_solved")
    for match in _SOLVED.finditer(folded):
        begin, end = match.span()
        is_inside = any(b < end and begin < e for b, e in negatives)
        if not is_inside and not _WISH.search(folded[:begin]) and (last is None or end > last[0]):
            last = (end, "solved")
    return last[1] if last else None


def contradicts(pressed: Saying, text: str) -> bool:
    """Whether the words say the opposite of what was pressed."""
    said = saying_of(text)
    return said is not None and said != pressed
