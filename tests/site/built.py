"""The book as it was built last: which pages there are, and on what they are read."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
SITE = ROOT / "_build" / "html"
PAGES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
LEADING_ON = '<meta http-equiv="refresh"'  # to another page, as the first address does
READ = [page for page in PAGES if LEADING_ON not in (SITE / page).read_text("utf-8")]
SCREENS = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 360, "height": 740}}
THEMES = ("light", "dark")
