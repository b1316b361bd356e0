"""A small county with tickets in every state, served on loopback to look at: `python -m tests.support.small_site PORT`.

Everybody signs in with the same password (tests.support.browser.PASSWORD); logins are those of tests.support.county.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from flask import Flask
from werkzeug.serving import make_server

from feedback.factory import create_app
from feedback.kernel.clock import utc_now
from feedback.kernel.db import Base, db
from feedback.kernel.transaction import transaction
from feedback.notifications.delivery import drain
from feedback.people.models import Account, Unit
from feedback.people.password_links import issue_link
from feedback.people.usecases import OfAccount
from feedback.settings import Settings
from feedback.sla.extensions import reach_of
from feedback.supervision.hot_topics import renew_topics
from feedback.tickets.models import Ticket
from tests.support.browser import give_password
from tests.support.county import County, build_county
from tests.support.files import kept
from tests.support.journey import Journey
from tests.support.pictures import jpeg
from tests.support.refusals import add_refusals
from tests.support.setup import install_defaults

UNIT_NAMES = {
    "root": ("清河县", "Qinghe County"),
    "p1": ("清河县东片", "East Qinghe"),
    "p2": ("清河县西片", "West Qinghe"),
    "town": ("槐树湾镇", "Huaishuwan Town"),
    "village": ("柳林村", "Liulin Village"),
    "a": ("民政局", "Civil Affairs Bureau"),
    "b": ("农业农村局", "Agriculture Bureau"),
    "c": ("教育局", "Education Bureau"),
    "water": ("水务局", "Water Bureau"),
    "roads": ("交通运输局", "Roads Bureau"),
}
PERSON_NAMES = {
    "s": "陈雨禾",
    "s2": "何守田",
    "hw": "周敏",
    "hw2": "李广成",
    "lw": "赵建国",
    "hr": "孙立",
    "dp1": "吴静",
    "d": "郑芳",
    "d2": "冯磊",
    "su": "许正",
    "lr": "马卫东",
}
TEXTS = (
    "村口主水管漏水三天了，路面已经塌了一小块，晚上骑车的人看不见，摔了两个。\n请先围挡，再修。",
    "村东头的路灯从上周起全灭，放学的孩子摸黑走。",
    "同一张表一个月报了三次，镇里、县里两个口子格式还不一样，能不能只报一次？",
    "去年修的灌溉渠第二段淤了，下游四十亩地浇不上水。",
    "Could the bus stop at the school gate again? Since the road works it passes us by.",
    "危房改造的补助材料交了两个月没有回音，群众天天来问。",
    "水厂换了新表以后水费比原来多一倍，想请人来看看表准不准。",
    "垃圾清运点满了一周没人拉，气味很大。",
)


def fill(app: Flask) -> County:
    """The county, people who can sign in, and tickets in the states that today's actions reach."""
    install_defaults()
    county = build_county(db.session())
    with transaction() as session:
        for code, (name, name_en) in UNIT_NAMES.items():
            unit = session.get_one(Unit, county.units[code].id)
            unit.name, unit.name_en = name, name_en
        for login, name in PERSON_NAMES.items():
            session.get_one(Account, county.accounts[login].id).name = name
    for number in range(5):
        county.add_person(f"v{number}", "submitter@village")
    give_password(*county.accounts.values())
    _write_tickets(Journey(county, now=utc_now() - timedelta(days=2)))
    return county


def _write_tickets(journey: Journey) -> None:
    journey.submit(text=TEXTS[2], kind="burden_lead")
    journey.submit(text=TEXTS[1], category="roads", place="村东头小学路口")
    canal = journey.to("in_progress", text=TEXTS[3], place="二号渠", privacy="confidential")
    reach = reach_of(journey.county.session, journey.ticket(canal).id)
    assert reach is not None
    asked_for = {"reason": "清淤要等上游停水，水库下周三才能关闸。", "interim": "先用水泵临时供水。"}
    journey.act(canal, "request_extension", "hw", due_at=reach.latest.isoformat(), **asked_for)
    meter = journey.to("in_progress", text=TEXTS[6])
    journey.act(meter, "ask_submitter", "hw", text="是哪一户先发现的？换表是哪一天？")
    late = journey.submit(text=TEXTS[0], urgency="urgent", files=kept(jpeg(60, 40)))
    journey.act(late, "acknowledge", "hw")
    journey.act(late, "add_leg", "hw", unit="roads", task="先做围挡")
    journey.act(late, "reply", "hw", text="已派抢修队到现场，先做围挡，今晚抢修。")
    journey.act(late, "note", "hw", text="备件在二号库，明早八点前能到。")
    stop = journey.to("in_progress", text=TEXTS[4])
    journey.act(stop, "resolve", "hw", outcome="solved", text="已与公交公司商定，明天起恢复停靠。")
    journey.act(stop, "confirm", "s", verdict="solved")
    journey.to("closed.declined", text=TEXTS[5])
    journey.to("closed.withdrawn", text="写错了，撤回。")
    fixed = journey.to("in_progress", text=TEXTS[7], place="集市北侧")
    journey.act(fixed, "resolve", "hw", outcome="solved", text="已清运，并补放一个收集箱。")
    journey.act(fixed, "dispute", "s", reason="只拉走了一半，昨天又满了。")
    journey.act(fixed, "resolve", "hw", outcome="partly", text="今天清运两车，已同保洁公司约定隔日清运。")
    asked = journey.submit(text="学校门口的限速牌被风刮倒了，请扶正。")
    journey.act(
        asked, "decline", "dp1", reason_code="outside_the_area", instead="请向市公路中心反映，电话在县府网站上。"
    )
    journey.to("closed.unanswered", text="文化活动室的投影仪坏了，开会只能念稿子。", place="文化活动室")
    _raise_together(journey)
    _overrule(journey)
    for number in range(8):
        journey.now = utc_now() - timedelta(hours=9 - number)
        journey.submit(by="s2", text=f"{TEXTS[number % len(TEXTS)]}（{number + 1}）", privacy="confidential")


def _raise_together(journey: Journey) -> None:
    """One matter from three people: two joined to the eldest, which is said to be done; one has confirmed."""
    eldest = journey.to("dispatched", text="菜市场西门的排水沟堵了，雨后积水没过脚面。", place="菜市场西门")
    for login, text in (("s2", "西门口一下雨就进不去，摊主天天用盆舀水。"), ("v0", "市场积水，请通一通下水。")):
        younger = journey.submit(by=login, text=text)
        journey.act(younger, "join", "dp1", into=eldest)
    journey.act(eldest, "acknowledge", "hw")
    journey.act(eldest, "resolve", "hw", outcome="solved", text="已清掏排水沟八十米，换了两块破损盖板。")
    journey.act(eldest, "confirm", "s", verdict="solved")


def _overrule(journey: Journey) -> None:
    """Three raise the same, and the dispatcher sends each elsewhere than the catalogue says; the first one is summed up."""
    found = []
    for number, login in enumerate(("v0", "v1", "v2"), start=1):
        text = f"西桥头的路灯{number}号杆不亮，晚上过桥看不清台阶。"
        found.append(journey.submit(by=login, text=text, category="works/a", place="西桥头"))
        journey.act(found[-1], "transfer", "dp1", unit="water", reason="桥上的灯由他们管护。")
    journey.act(found[0], "publish_summary", "dp1", text="西桥头路灯不亮")


def make_site(folder: Path) -> Flask:
    """The application of a fresh instance in `folder`, filled."""
    settings = Settings.from_env(
        {
            "FEEDBACK_ENV": "testing",
            "SECRET_KEY": "only-to-look-at-0123456789abcdef0123456789",
            "DATABASE_URL": f"sqlite:///{folder / 'zhida.db'}",
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "BASE_URL": "http://127.0.0.1:8000",
            "INSTANCE_DIR": str(folder),
        }
    )
    app = create_app(settings)
    add_refusals(app)
    with app.app_context():
        Base.metadata.create_all(db.engine)
        county = fill(app)
        drain(now=utc_now(), settings=settings)
        renew_topics(utc_now())
        asked = issue_link(OfAccount(login="v3"), actor=county.actor("adm", utc_now()), now=utc_now())
        app.config["LINK_TO_LOOK_AT"] = asked.token
        db.session.remove()
    return app


def _print_tickets(app: Flask) -> None:
    with app.app_context():
        for ticket in db.session.query(Ticket).order_by(Ticket.id):
            print(ticket.reference, ticket.status, ticket.closure_reason or "", ticket.privacy)  # noqa: T201
        db.session.remove()


def main(port: int) -> None:
    """Serve it until interrupted; the folder goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="zhida-look-"))
    try:
        app = make_site(folder)
        _print_tickets(app)
        make_server("127.0.0.1", port, app, threaded=True).serve_forever()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
