"""What people of the demo say: templates of submissions, replies and results (stories.csv) and a few questions and answers."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from random import Random

from feedback.demo.county import FOLDER

SPOTS = (
    "村口老樟树下",
    "祠堂后面",
    "三组晒场边",
    "小学门前",
    "水井头",
    "村部斜对面",
    "老供销社旁",
    "二组坡上",
    "过桥第三家",
    "打谷场",
    "茶山脚",
    "五组沟边",
)
QUESTIONS = (
    ("请问具体在哪个位置，离哪户最近？", "就在{spot}，找村委会带路就行。"),
    ("方便的话说一下从哪天开始的。", "上个星期三开始，前天下雨以后更厉害。"),
    ("涉及多少户、多少亩？", "大概二十来户，具体名单村里有。"),
    ("能不能拍一张照片，说清楚朝哪边？", "照片存在村里电脑上了，靠河那边。"),
)
COMMENTS = ("补充一下：早上又去看了，比昨天严重。", "今天有人来过了，谢谢，还没动工。", "村里可以出两个人帮忙。")
NOTES = ("已电话联系村里，约了明天上午。", "材料在抽屉第二格，注意和去年那件对一下。", "费用从养护经费里走。")
WITHDRAWN = ("我们村里自己找人弄好了，不用来了。", "和前几天那条是一件事，先撤了。")
TRANSFERRED = ("这条路的养护不在我局，按清单应由接收单位办理。", "属于接收单位职责，已电话沟通。")
DECLINED = (
    "这是两家的合同纠纷，请带合同到县司法所申请调解，电话在村务公开栏。",
    "这件事法院正在审理，请按法院通知办理。",
)
NOT_POSSIBLE = ("这里在水源保护区一级范围内，不能建这个。", "《水源保护区管理办法》第十条")
PLANNED = "今年经费已用完，列入明年第一批，开春动工，开工前三天通知村里。"
ABOUT = (
    ("{spot}修路占地，经办的人答应的补偿一直没兑现，问了几次都说在走程序。", "burden/inspection"),
    ("申请低保时经办的人要我们请吃饭才给往上报，村里好几户都碰到过。", None),
    ("工作人员把我们反映的事转给了被反映的人，第二天就有人上门来问。", None),
)
HINTS = (
    "建议把需要村里办的事列个单子，一次说完。",
    "请在下个月前给个准信，村里好回老百姓的话。",
    "电话打过两次，都说找别人。",
)


@dataclass(frozen=True)
class Story:
    """A matter in words: what is said, answered, done, and said again where it was not."""

    category: str | None
    kind: str
    text: str
    reply: str
    done: str
    again: str

    @property
    def is_vague(self) -> bool:
        """No category of the catalogue is meant to be heard in it."""
        return self.category is None


@cache
def stories() -> tuple[Story, ...]:
    """All templates, in the order of the file."""
    with (FOLDER / "stories.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Story(row["category"] or None, row["kind"], row["text"], row["reply"], row["done"], row["again"])
            for row in csv.DictReader(file)
        )


def tell(template: str, draw: Random) -> str:
    """A template with a place of the village in it, now and then with a sentence more."""
    text = template.replace("{spot}", draw.choice(SPOTS))
    return f"{text}{draw.choice(HINTS)}" if draw.random() < 0.3 else text
