"""Language codes (BCP 47): which are meant, and which one a coordinator may have meant by a word that is none."""

from __future__ import annotations

import re
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.localedata import exists

from program.faults import nearest

_CODE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
"""Language, and perhaps script and region: `de`, `pt-BR`, `zh-Hant-TW`."""

_COMMON = (
    "ar", "bg", "bn", "ca", "cs", "cy", "da", "de", "el", "en", "es", "et", "eu", "fa", "fi", "fr", "ga", "gl", "he",
    "hi", "hr", "hu", "id", "is", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "nn", "pl", "pt", "ro", "ru",
    "sk", "sl", "sq", "sr", "sv", "sw", "ta", "te", "th", "tr", "uk", "ur", "vi", "zh",
)  # fmt: skip
"""Languages that are recognised by their own names and their English ones."""


@lru_cache(maxsize=512)
def is_language(written: str) -> bool:
    """Whether this is a code such as `de` or `pt-BR`, of a language that Unicode's CLDR knows."""
    return len(written) <= 20 and bool(_CODE.fullmatch(written)) and exists(written.split("-")[0])


def base_language(code: str) -> str:
    """The language without script and region: `pt` for `pt-BR`."""
    return code.split("-")[0]


@lru_cache(maxsize=512)
def near_language(written: str) -> str:
    """The code that may have been meant by `deutsch`, `German`, `de_DE` or `EN`; empty where none comes near."""
    tidied = _tidied(written)
    if tidied:
        return tidied
    names = _names()
    near = nearest(written, names)
    return names[near[0]] if near else ""


def _tidied(written: str) -> str:
    """The same code in its usual spelling: `pt-BR` for `pt_br`."""
    try:
        locale = Locale.parse(written[:20].strip(), sep="_" if "_" in written else "-")
    except (ValueError, UnknownLocaleError, TypeError):
        return ""
    region = locale.territory if len(written.strip()) > 3 else None  # `eng` is known to Babel as `en_US`
    code = "-".join(part for part in (locale.language, locale.script, region) if part)
    return code if is_language(code) else ""


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    """Names of common languages, in English and in themselves, to their codes."""
    found: dict[str, str] = {}
    for code in _COMMON:
        locale = Locale(code)
        for name in (locale.get_display_name("en"), locale.get_display_name()):
            if name:
                found.setdefault(name, code)
    return found
