"""What README and the pages without cells print is what their lines print."""

import doctest
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
ONE_AFTER_ANOTHER = """
import sys
for program in sys.argv[1:]:
    exec(program, {"__name__": "__main__"})
"""


def test_the_lines_in_readme_print_what_stands_below_them(tmp_path: Path, deep: bool) -> None:
    """Those with PyTorch in the environment of `make test-peers`.

    One process runs them all, as most of the time goes into imports; at full size each has its own.
    """
    blocks = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", README.read_text(), re.DOTALL)
    here = importlib.util.find_spec("torch") is not None
    chosen = [(code, printed) for code, printed in blocks if ("import torch" in code) == here]
    assert chosen
    for together in [[block] for block in chosen] if deep else [chosen]:
        programs, printed = zip(*together, strict=True)
        done = subprocess.run(
            [sys.executable, "-c", ONE_AFTER_ANOTHER, *programs],
            capture_output=True,
            text=True,
            cwd=tmp_path,
        )
        assert (done.stdout, done.stderr) == ("".join(printed), "")


def test_the_links_in_readme_lead_somewhere() -> None:
    prose = re.sub(r"```.*?```", "", README.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^):]+)\)", prose):
        assert (README.parent / target).exists(), target


def test_the_lines_on_pages_without_cells_print_what_stands_below_them() -> None:
    found = 0
    for page in (ROOT / "chapters").rglob("*.md"):
        for block in re.findall(r"```pycon\n(.*?)```", page.read_text(), re.DOTALL):
            example = doctest.DocTestParser().get_doctest(block, {}, page.name, str(page), 0)
            assert doctest.DocTestRunner().run(example).failed == 0
            found += 1
    assert found
