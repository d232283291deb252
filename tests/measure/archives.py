"""Small archives of saved pages, made as others' tools make them."""

import io
import tarfile
import zipfile

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from tests.measure.world import article

KIND = [("Content-Type", "text/html; charset=utf-8")]


def make_zip(pages: int = 2) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for page in range(pages):
            archive.writestr(f"www.j.ca/sante/{page}.html", article(page))
        archive.writestr("www.j.ca/logo.png", b"\x89PNG")
    return made.getvalue()


def make_tar(pages: int = 2) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for page in range(pages):
            body = article(page).encode()
            member = tarfile.TarInfo(f"www.j.ca/sante/{page}.html")
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return made.getvalue()


def make_warc(pages: int = 2, start: int = 0) -> bytes:
    made = io.BytesIO()
    writer = WARCWriter(made, gzip=True)
    for page in range(start, start + pages):
        headers = StatusAndHeaders("200 OK", KIND, protocol="HTTP/1.1")
        body = io.BytesIO(article(page).encode())
        url = f"https://www.j.ca/sante/{page}.html"
        record = writer.create_warc_record(url, "response", payload=body, http_headers=headers)
        writer.write_record(record)
    return made.getvalue()
