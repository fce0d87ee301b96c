"""A self-contained page as PDF, by WeasyPrint, an extra: without it the same page prints from a browser."""

from __future__ import annotations

from importlib.util import find_spec

from operations.errors import Refused


def can_make_pdf() -> bool:
    """Whether the extra `pdf` is installed."""
    return find_spec("weasyprint") is not None


def as_pdf(html: str) -> bytes:
    """The page as PDF, with the tags by which a screen reader reads it. Raises Refused where the extra `pdf`, or what
    it needs, is missing."""
    try:
        from weasyprint import HTML
    except ImportError as missing:
        raise Refused(
            "PDF needs the extra `pdf`: pip install 'mentorship-engine[pdf]'. The HTML page prints as well."
        ) from missing
    except OSError as missing:
        raise Refused(
            "PDF needs Pango on this machine: apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0, or"
            " the like. The HTML page prints as well."
        ) from missing
    written = HTML(string=html, base_url=None, url_fetcher=_fetches_nothing).write_pdf(pdf_tags=True)
    assert written is not None
    return written


def _fetches_nothing(url: str, *_: object, **__: object) -> dict[str, object]:
    """A page of ours is self-contained: what it might name is not fetched (CWE-918)."""
    raise ValueError(f"a page fetches nothing, and not {url[:40]}")
