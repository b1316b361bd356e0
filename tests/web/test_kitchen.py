"""The shared macros and the theme, rendered whole: markup, accessibility, sizes, old browsers, drafts and keys."""

import gzip
import re
import shutil
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from tests.web.kitchen_app import BOOTSTRAP, ERRORS, ROOT, create_kitchen

CHROMIUM = shutil.which("chromium")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
LANGUAGES = ("zh_CN", "en")
STATIC = ROOT / "static"
TEMPLATES = ROOT / "templates"
TOO_NEW_CSS = (
    r":has\(|:is\(|:where\(|@container|@layer|(?<![-\w])inset\s*:|aspect-ratio|"
    r"clamp\(|color-mix|(?<![-\w])gap\s*:|gradient\("
)
TOO_NEW_JS = (
    r"\?\.\w|\?\?|\|\|=|&&=|replaceAll|\.at\(|randomUUID|crypto\.subtle|structuredClone|"
    r"allSettled|replaceChildren|^import "
)


class Markup(HTMLParser):
    """Collects what the structural checks look at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if found.get("id"):
            self.ids.append(str(found["id"]))


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_kitchen().test_client()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, create_kitchen(), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def open_page(browser: Browser, address: str, width: int, height: int, scripts: bool = True) -> Page:
    """The page in a context of its own (own localStorage), failing on any script error or blocked resource."""
    page = browser.new_context(viewport={"width": width, "height": height}, java_script_enabled=scripts).new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(address)
    assert faults == []
    return page


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("extra", ["", "&text=large", "&out=1"])
def test_reader_opens_kitchen_and_gets_sound_markup(client: FlaskClient, lang: str, extra: str) -> None:
    answer = client.get(f"/kitchen?lang={lang}{extra}")
    assert answer.status_code == 200
    markup = Markup(answer.text)
    assert [name for name in markup.ids if markup.ids.count(name) > 1] == []
    for tag, attrs in markup.tags:
        assert "style" not in attrs, f"inline style on <{tag}>"
        assert not [name for name in attrs if name.startswith("on")], f"inline handler on <{tag}>"
        for name in ("aria-describedby", "for"):
            for target in (attrs.get(name) or "").split():
                assert target in markup.ids, f"{name} of <{tag}> points nowhere: {target}"
        for name in ("src", "href", "action"):
            assert not re.match(r"(https?:)?//", attrs.get(name) or ""), f"another host: {attrs[name]}"
    assert not [attrs for tag, attrs in markup.tags if tag == "script" and not attrs.get("src")]
    posts = [a for tag, a in markup.tags if tag == "form" and a.get("method") == "post"]
    tokens = [a for tag, a in markup.tags if tag == "input" and a.get("name") == "csrf_token"]
    assert len(tokens) == len(posts) > 0
    assert all("novalidate" in a or "data-drops-drafts" in a for a in posts)


def test_reader_with_refused_form_finds_each_field_from_the_summary(client: FlaskClient) -> None:
    text = client.get("/kitchen").text
    summary = re.search(r'<div class="note note-late" role="alert" tabindex="-1" data-focus>.*?</ul>', text, re.S)
    assert summary
    for target in re.findall(r'href="#(bad-(?:text|unit|privacy-0|call_me))"', summary.group(0)):
        assert f'id="{target}"' in text
    field = re.search(r'<textarea[^>]*id="bad-text"[^>]*>', text)
    assert field
    assert 'aria-invalid="true"' in field.group(0)
    assert 'aria-describedby="bad-text-hint bad-text-error"' in field.group(0)


@pytest.mark.parametrize("code", ERRORS)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_reader_of_an_error_page_gets_their_text_back_escaped(client: FlaskClient, code: int, lang: str) -> None:
    plain, full = client.get(f"/error/{code}?lang={lang}"), client.get(f"/error/{code}?lang={lang}&full=1")
    assert plain.status_code == full.status_code == code
    assert "<h1>" in plain.text
    assert "9f31" not in plain.text
    for shown in ("停水 &lt;b&gt;两天&lt;/b&gt;", "9f31", "30"):
        assert shown in full.text


def test_switching_language_keeps_the_address(client: FlaskClient) -> None:
    text = client.get("/kitchen?tab=work&q=%E6%B0%B4&lang=zh_CN").text
    assert 'href="/kitchen?tab=work&amp;q=%E6%B0%B4&amp;lang=en"' in text


@pytest.mark.parametrize("path", sorted(STATIC.rglob("*.css")), ids=lambda p: p.name)
def test_old_browser_understands_the_sheet(path: Path) -> None:
    sheet = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.S)
    assert re.findall(TOO_NEW_CSS, sheet) == []
    assert sheet.count("{") == sheet.count("}")


@pytest.mark.parametrize("path", sorted(STATIC.rglob("*.js")), ids=lambda p: p.name)
def test_old_browser_understands_the_script(path: Path) -> None:
    assert re.findall(TOO_NEW_JS, path.read_text("utf-8"), flags=re.M) == []


def test_templates_hold_no_inline_style_and_no_other_host() -> None:
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text("utf-8")
        assert not re.search(r"\sstyle\s*=|<style|<script(?![^>]*\ssrc=)|https?://", text), path


def test_first_page_is_light(client: FlaskClient) -> None:
    ours = [p for p in STATIC.rglob("*") if p.suffix in {".css", ".js", ".svg"}]
    weight = sum(len(gzip.compress(p.read_bytes())) for p in [BOOTSTRAP, *ours])
    weight += len(gzip.compress(client.get("/receipt").data))
    assert weight < 60 * 1024
    # The wire's 60 KB above is the promise; this keeps the sheet from growing unseen (28: tapped chips, bulk bar, shelf).
    assert (STATIC / "css" / "zhida.css").stat().st_size < 28 * 1024


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("tone", ["ink", "muted", "primary", "late", "soon", "done"])
def test_reader_in_the_sun_has_enough_contrast(tone: str) -> None:
    sheet = (STATIC / "css" / "zhida.css").read_text("utf-8")
    palette = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", sheet)) | {"surface": "#ffffff"}
    grounds = ["surface", "ground"] + [n for n in (f"{tone}-tint",) if n in palette]
    for ground in grounds:
        light, dark = sorted((luminance(palette[tone]), luminance(palette[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, f"{tone} on {ground}"


@needs_browser
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("width", "height"), [(360, 740), (390, 844), (1366, 768), (1920, 1080)])
def test_reader_never_scrolls_sideways(browser: Browser, address: str, lang: str, width: int, height: int) -> None:
    for extra in ("", "&text=large"):
        page = open_page(browser, f"{address}/kitchen?lang={lang}{extra}", width, height)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.context.close()


@needs_browser
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", [360, 1366])
@pytest.mark.parametrize("path", ["/kitchen?x=1", "/error/409?full=1"])
def test_axe_finds_no_fault(browser: Browser, address: str, lang: str, width: int, path: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(f"{address}{path}&lang={lang}")
    page.evaluate("document.querySelectorAll('details:not(.menu)').forEach(d => { d.open = true; })")
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    page.close()


@needs_browser
def test_handler_sees_forty_pixel_rows_at_the_desk(browser: Browser, address: str) -> None:
    page = open_page(browser, f"{address}/kitchen?lang=zh_CN", 1366, 768)
    heights = page.evaluate("Array.from(document.querySelectorAll('.dense tbody tr'), r => r.offsetHeight)")
    assert set(heights) <= {40, 41}
    page.context.close()


@needs_browser
def test_cadre_on_a_phone_has_large_enough_targets(browser: Browser, address: str) -> None:
    page = open_page(browser, f"{address}/kitchen?lang=zh_CN", 390, 844)
    small = page.evaluate(
        "Array.from(document.querySelectorAll('.btn, .tool, .nav-main a, .action > summary, .choice, .chip'))"
        ".filter(e => e.offsetHeight && e.offsetHeight < 44).map(e => e.outerHTML.slice(0, 80))"
    )
    assert small == []
    page.context.close()


@needs_browser
def test_cadre_loses_no_word_when_the_page_goes_and_the_receipt_clears_it(browser: Browser, address: str) -> None:
    page = open_page(browser, f"{address}/kitchen?lang=zh_CN", 390, 844)
    key = page.input_value("form[data-draft=kitchen] [name=idempotency_key]")
    page.fill("form[data-draft=kitchen] #text", "东河组停水两天")
    page.check("form[data-draft=kitchen] #kind-1", force=True)
    page.goto(f"{address}/kitchen?lang=zh_CN")
    assert page.input_value("#text") == "东河组停水两天"
    assert page.is_checked("#kind-1")
    assert page.input_value("form[data-draft=kitchen] [name=idempotency_key]") == key
    assert page.is_visible("form[data-draft=kitchen] [data-draft-note]")
    page.goto(f"{address}/receipt")
    page.goto(f"{address}/kitchen?lang=zh_CN")
    assert page.input_value("#text") == ""
    page.context.close()


@needs_browser
def test_cadre_without_a_key_from_the_server_gets_one_of_their_own(browser: Browser, address: str) -> None:
    page = open_page(browser, f"{address}/kitchen", 390, 844)
    made = page.input_value("form[data-draft=kitchen-answer] [name=idempotency_key]")
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    page.context.close()


@needs_browser
def test_handler_walks_the_list_by_keys_and_can_turn_them_off(browser: Browser, address: str) -> None:
    page = open_page(browser, f"{address}/kitchen", 1366, 768)
    row = "document.activeElement.closest('tr') && document.activeElement.closest('tr').id"
    page.evaluate("document.activeElement.blur()")
    for key in ("j", "j", "j", "k"):
        page.keyboard.press(key)
    assert page.evaluate(row) == "row-1"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("jk")
    assert page.input_value("#q") == "jk"
    page.click("[data-keys-toggle]")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    assert not page.evaluate(row)
    page.context.close()


@needs_browser
def test_reader_without_javascript_reads_fills_and_opens_everything(browser: Browser, address: str) -> None:
    page = open_page(browser, f"{address}/kitchen?lang=zh_CN", 390, 844, scripts=False)
    page.click("#do-dispute > summary")
    page.fill("#do-dispute textarea", "还是停水")
    assert page.is_visible("#do-dispute button")
    assert page.input_value("form[data-draft=kitchen] [name=idempotency_key]") == "0f8c2a"
    page.context.close()


@needs_browser
def test_reader_with_keyboard_skips_to_the_content(browser: Browser, address: str) -> None:
    page = open_page(browser, f"{address}/receipt", 1366, 768)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.context.close()


@needs_browser
def test_clerk_prints_the_official_sheet_alone(browser: Browser, address: str) -> None:
    page = open_page(browser, f"{address}/kitchen?lang=zh_CN", 1366, 768)
    assert not page.is_visible(".sheet")
    page.emulate_media(media="print")
    assert page.is_visible(".sheet")
    assert not page.is_visible(".screen")
    assert not page.is_visible(".top")
    page.context.close()
