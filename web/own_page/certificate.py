"""The certificate of participation: a page to print, in the person's language, and the same as PDF."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from markupsafe import Markup

from mail.compiled_templates import page_environment
from mail.dates import whole_day
from program.languages import base_language
from store.people.certificate import Certificate
from store.people.own_page import Holder
from web.rendering import CERTIFICATES, LANGUAGE, Pages

_environment = page_environment(CERTIFICATES)


def language_of(wanted: str) -> str:
    """The wanted language (`pt-BR`), its plain form, or English: as far as there is a certificate in it."""
    known = {path.stem for path in Path(CERTIFICATES).glob("*.html")} - {"frame"}
    return next((name for name in (wanted, base_language(wanted)) if name in known), LANGUAGE)


def page(certificate: Certificate, holder: Holder, pages: Pages, back: str = "", pdf: str = "") -> str:
    """The certificate as a page; without `back`, self-contained, for a PDF."""
    language = language_of(holder.language)
    style = "" if back else Markup((CERTIFICATES / "style.css").read_text("utf-8"))
    return _environment.get_template(f"{language}.html").render(
        name=holder.name,
        program=certificate.program,
        cohort=certificate.cohort_title,
        organisation=certificate.organisation,
        role=certificate.role,
        start=whole_day(certificate.start, language),
        end=whole_day(certificate.end, language),
        meetings=certificate.meetings,
        coordinator=certificate.coordinator,
        language=language,
        style=style,
        root=pages.root,
        css=sha256(pages.css).hexdigest()[:12],
        back=back,
        pdf=pdf,
    )
