"""The data-processing agreement, to read and as a PDF with its annexes."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from chatinbox.core.declared import Declared
from chatinbox.core.installation import Installation
from chatinbox.core.operator import operator_of
from chatinbox.privacy import paper
from chatinbox.web.site.frame import Link
from chatinbox.web.site.legal import document_page, legal_page


async def get_dpa(inst: Installation, request: Request) -> Response:
    """The agreement in force, or an older version of it, with the annexes as they are now."""
    return document_page(inst, request, "dpa", "document", annexes=paper.annexes(inst.settings))


async def get_pdf(inst: Installation, request: Request) -> Response:
    """The agreement in force to print and to read; an account finds its own copy in its settings."""
    operator = operator_of(inst.settings)
    if operator is None:
        return legal_page(inst, request, "not-named")
    pdf = await asyncio.to_thread(paper.agreement, inst.settings, operator)
    return pdf_answer(pdf, "data-processing-agreement.pdf")


def pdf_answer(pdf: bytes, name: str) -> Response:
    """A PDF to download."""
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "private, no-store",
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
    }
    return Response(pdf, 200, headers, "application/pdf")


TO = Declared(("visitor",), ("A",))
PAGES = {
    "/dpa": (get_dpa, None),
    "/dpa.pdf": (get_pdf, None),
    "/dpa/versions/{version}": (get_dpa, None),
}
LINKS = (Link("trust", "/dpa", "Data-processing agreement", 30, english_only=True),)
