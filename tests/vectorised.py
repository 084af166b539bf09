"""Whether a loop runs on several numbers at a time, read from what LLVM has made of it."""

from __future__ import annotations

import re

#: What processors have an instruction for, for several numbers at a time.
INSTRUCTIONS = {"copysign", "fabs", "fma", "masked", "sqrt"}


def at_a_time(text: str) -> int:
    """How many results the code stores at a time, 1 if a function is called for each of them."""
    stored = re.findall(r"store <(\d+) x (?:float|double)>", text)
    called = set(re.findall(r"call <\d+ x (?:float|double)> @llvm\.(\w+)", text))
    named = re.search(r"call [^@\n]*\b(?:float|double) @(?!llvm\.)", text)
    return 1 if named or called - INSTRUCTIONS else max(map(int, stored), default=1)


def function_in(text: str, name: str) -> str:
    """One function of a module that LLVM has written."""
    flags = re.MULTILINE | re.DOTALL
    (found,) = re.findall(rf"^define [^@\n]*@{re.escape(name)}\(.*?^}}", text, flags)
    return str(found)
