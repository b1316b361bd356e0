"""The help pages' pictures, taken of the small county in both languages: `python -m tests.support.help_pictures`.

They are what a phone or a desk shows without scrolling, small enough for a page that opens at once.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from feedback.settings import ROOT
from tests.support.chromium import CHROMIUM, PHONE, served, signed_in
from tests.support.pages import references
from tests.support.shots import LANGUAGES
from tests.support.small_site import make_site

FOLDER = ROOT / "static" / "help"
SHOWN = {
    "submitter": ("/tickets/{resolved}", "s", PHONE),
    "handler": ("/desk", "hw", (1000, 620)),
    "dispatcher": ("/dispatch", "dp1", (1000, 620)),
    "leader": ("/review", "lr", (1000, 620)),
    "admin": ("/admin/accounts", "adm", (1000, 620)),
}
"""By part of the help: the page, who looks at it, and how large their window is."""
WIDEST = 640
QUALITY = 55


def take(folder: Path) -> list[Path]:
    """Write PART-LANGUAGE.webp of each part into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    with tempfile.TemporaryDirectory(prefix="zhida-help-") as instance, sync_playwright() as playwright:
        app = make_site(Path(instance))
        known = references(app)
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with served(app) as address:
            for part, (path, login, size) in SHOWN.items():
                for lang in LANGUAGES:
                    page = signed_in(chromium, address, login, size, lang=lang)
                    page.goto(f"{path.format_map(known)}?lang={lang}")
                    made.append(_keep(page.screenshot(), folder / f"{part}-{lang[:2]}.webp"))
                    page.context.close()
        chromium.close()
    return made


def _keep(shot: bytes, path: Path) -> Path:
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    if picture.width > WIDEST:
        picture = picture.resize((WIDEST, picture.height * WIDEST // picture.width), Image.Resampling.LANCZOS)
    picture.save(path, "WEBP", quality=QUALITY, method=6)
    return path


if __name__ == "__main__":
    for path in take(FOLDER):
        print(f"{path.name}: {path.stat().st_size // 1024} KB")  # noqa: T201
