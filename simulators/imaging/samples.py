"""A photograph and a requisition to import when the user has none."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw


def sample_jpeg(text: str = "wound, left forearm") -> bytes:
    """A small colour picture with a ruler, as JPEG Baseline."""
    picture = Image.new("RGB", (640, 480), (224, 172, 145))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((240, 180, 400, 300), fill=(150, 40, 40))
    draw.rectangle((40, 420, 600, 450), fill=(250, 250, 250))
    for tick in range(29):
        draw.line((40 + 20 * tick, 420, 40 + 20 * tick, 435 if tick % 5 else 450), fill=(0, 0, 0), width=2)
    draw.text((40, 20), text, fill=(30, 30, 30))
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=85, progressive=False)
    return target.getvalue()


def sample_pdf(lines: list[str]) -> bytes:
    """A PDF 1.4 document of one page (ISO 32000-1 7.5) with lines of plain text."""
    escaped = [line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") for line in lines]
    text = "BT /F1 14 Tf 72 760 Td 20 TL " + " ".join(f"({line}) Tj T*" for line in escaped) + " ET"
    stream = text.encode("latin-1", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Font << /F1 5 0 R >> >>",
    ]
    document = bytearray(b"%PDF-1.4\n")
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(len(document))
        document += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = len(document)
    document += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    document += b"".join(b"%010d 00000 n \n" % place for place in places)
    document += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(document)
