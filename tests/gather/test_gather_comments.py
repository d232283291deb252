"""CSV files of every making, rows broken in every way, and ids that stay the same."""

import random
import traceback
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dsn_nlp.config import CommentSource, load_settings
from dsn_nlp.errors import InputError
from dsn_nlp.gather.charsets import find_encoding, known_encoding
from dsn_nlp.gather.deliveries import read_comments
from dsn_nlp.records import Comment, Rejection

ROOT = Path(__file__).parents[2]
KEY = b"a key of the tests only"
HEADER = "Identifiant;Date;Établissement;Rôle;Commentaire\n"
ROWS = [
    "R1;2026-05-09 04:41;Hôpital Fleury;Infirmière;Le système est tombé à l’urgence, « encore »",
    "R2;2026-05-09 05:02;Hôpital Fleury;Médecin;Très bien, ça marche où c’était cassé",
    'R3;09/05/2026 06:18;Jean-Talon;Commis;"Première ligne ; suite\nseconde ""ligne"""',
]
CANARY = "Gervaise Poirier-Lachance"


def make_source(path, **changes):
    columns = {
        "text": ["Commentaire"],
        "response_id": "Identifiant",
        "date": "Date",
        "site": "Établissement",
        "role": "Rôle",
    } | changes.pop("columns", {})
    return CommentSource.model_validate(
        {"name": "s", "path": path, "lang": "fr", "columns": columns, **changes}
    )


def write(path, text, encoding="utf-8"):
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def read(path, **changes):
    found = list(read_comments(make_source(path, **changes), KEY))
    return (
        [f for f in found if isinstance(f, Comment)],
        [(f.place, f.reason) for f in found if isinstance(f, Rejection)],
    )


TEXTS = [
    "Le système est tombé à l’urgence, « encore »",
    "Très bien, ça marche où c’était cassé",
    'Première ligne ; suite\nseconde "ligne"',
]


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-32", "mac_roman"],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(tmp_path, encoding, newline):
    text = (HEADER + "\n".join(ROWS) + "\n").replace("\n", newline)
    comments, rejected = read(write(tmp_path / "c.csv", text, encoding))
    assert rejected == []
    assert [c.text for c in comments] == TEXTS
    assert comments[0].site == "Hôpital Fleury"
    assert comments[0].role == "Infirmière"


def test_a_declared_encoding_comes_after_bom_and_utf8(tmp_path):
    text = HEADER + ROWS[1] + "\n"
    for actual, declared in (("utf-8", "cp1252"), ("utf-16", "utf-8"), ("cp850", "cp850")):
        path = write(tmp_path / "c.csv", text.replace("’", "'"), actual)
        comments, _ = read(path, encoding=declared)
        assert comments[0].text == TEXTS[1].replace("’", "'")


def test_utf8_with_a_few_damaged_bytes_stays_utf8(tmp_path):
    body = (HEADER + "\n".join(ROWS) + "\n").encode().replace("cassé".encode(), b"cass\xe9")
    comments, rejected = read(write(tmp_path / "c.csv", body))
    assert comments[0].text == TEXTS[0]
    assert [place for place, _ in rejected] == ["c.csv:3"]


@pytest.mark.parametrize("name", ["zip", "unicode_escape", "rot13", "idna", "no-such", ""])
def test_encodings_that_are_none(name):
    assert known_encoding(name) is None


def test_an_empty_stream_is_utf8():
    assert find_encoding([]) == "utf-8"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("given", [True, False])
def test_delimiters(tmp_path, delimiter, given):
    header = HEADER.replace(";", delimiter)
    row = delimiter.join(["R1", "2026-05-09", "Fleury", "Commis", '"a, b; c | d\te"'])
    changes = {"delimiter": delimiter} if given else {}
    comments, rejected = read(write(tmp_path / "c.csv", header + row + "\n"), **changes)
    assert rejected == []
    assert comments[0].text == "a, b; c | d\te"


def test_excel_hint_line_is_skipped_and_counted(tmp_path):
    comments, _ = read(write(tmp_path / "c.csv", "sep=;\n" + HEADER + ROWS[0] + "\n", "utf-8-sig"))
    assert comments[0].place == "c.csv:3"


def test_header_in_other_unicode_form_and_with_spaces(tmp_path):
    header = HEADER.replace("É", "E\u0301").replace("Rôle", " Ro\u0302le\u00a0")
    comments, _ = read(write(tmp_path / "c.csv", header + ROWS[0] + "\n"))
    assert comments[0].role == "Infirmière"


TORTURE = HEADER + "\n".join(
    [
        ROWS[0],  # 2
        "R9;2026-05-09;Fleury",  # 3
        f"R8;2026-05-09;Fleury;Commis;{CANARY};encore",  # 4
        "",  # 5: no record
        f"R7;2026-13-45;{CANARY};Commis;texte",  # 6
        "R6;2026-05-09;Fleury;Commis;   \u00a0",  # 7
        'R5;2026-05-09;Fleury;Commis;"deux',  # 8
        'lignes"',  # 9
        f'R4;2026-05-09;Fleury;Commis;"il dit "{CANARY}" et part"',  # 10
        f"R10;46151,5;Fleury;Commis;{CANARY}",  # 11
        f"R11;0026-05-09;Fleury;Commis;{CANARY}",  # 12
        "R12;2026-05-09;Fleury;Commis;" + "x" * 20_001,  # 13
        "R13;2026-05-09;Fleury;Commis;tomb\ufffd d\ufffds midi",  # 14
        f"R1;2026-05-09;Fleury;Commis;{CANARY} autre texte",  # 15
        ROWS[0],  # 16
        "R14;;;;sans date",  # 17
        "R15;2026-05-09;Fleury;Commis;" + "x" * 200_000,  # 18
        ROWS[1],  # 19
        f'R16;2026-05-09;Fleury;Commis;"jamais fermé {CANARY}',  # 20
        "R17;2026-05-09;Fleury;Commis;avalé",  # 21
    ]
)


def test_broken_rows_are_told_by_place_and_never_by_content(tmp_path):
    comments, rejected = read(write(tmp_path / "c.csv", TORTURE))
    assert [(c.place, c.text) for c in comments] == [
        ("c.csv:2", TEXTS[0]),
        ("c.csv:8", "deux\nlignes"),
        ("c.csv:16", TEXTS[0]),
        ("c.csv:17", "sans date"),
        ("c.csv:19", TEXTS[1]),
    ]
    assert comments[0].comment_id == comments[2].comment_id
    assert comments[3].posted_at is None
    assert comments[3].site is None
    starts = {place.split(":")[1]: reason for place, reason in rejected}
    assert starts["3"] == "3 fields instead of 5"
    assert starts["4"] == "6 fields instead of 5"
    assert starts["6"] == starts["11"] == starts["12"] == "unreadable date"
    assert starts["7"] == "empty text"
    assert starts["10"].startswith("broken quoting")
    assert starts["13"] == "text of over 20000 characters"
    assert starts["14"].startswith("damaged text")
    assert starts["15"] == "response id seen before"
    assert starts["18"].startswith("broken quoting")
    assert starts["20"].startswith("broken quoting")
    assert "takes 2 lines" in starts["20"]
    assert len(rejected) == 12
    assert CANARY not in repr(rejected)
    assert "avalé" not in repr((comments, rejected))


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2026-05-09T04:41:00-04:00", datetime(2026, 5, 9, 8, 41, tzinfo=UTC)),
        ("2026-05-09T04:41:00Z", datetime(2026, 5, 9, 4, 41, tzinfo=UTC)),
        ("2026-05-09 04:41", datetime(2026, 5, 9, 8, 41, tzinfo=UTC)),
        ("2026-01-09 04:41", datetime(2026, 1, 9, 9, 41, tzinfo=UTC)),
        ("09/05/2026 04:41", datetime(2026, 5, 9, 8, 41, tzinfo=UTC)),
        ("9/5/2026 4h41", datetime(2026, 5, 9, 8, 41, tzinfo=UTC)),
        ("31/12/2026", datetime(2026, 12, 31, 5, 0, tzinfo=UTC)),
        ("2026-05-09", datetime(2026, 5, 9, 4, 0, tzinfo=UTC)),
        ("2026-11-01 01:30", datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
    ],
)
def test_dates(tmp_path, written, utc):
    comments, _ = read(write(tmp_path / "c.csv", f"{HEADER}R1;{written};F;C;texte\n"))
    assert comments[0].posted_at == utc


@pytest.mark.parametrize("written", ["hier", "12/31/2026", "2026-05-32", "1e9", "99/99/9999 9:99"])
def test_dates_that_are_none(tmp_path, written):
    _, rejected = read(write(tmp_path / "c.csv", f"{HEADER}R1;{written};F;C;texte\n"))
    assert rejected == [("c.csv:2", "unreadable date")]


def ids(path, **changes):
    return sorted(c.comment_id for c in read(path, **changes)[0])


@pytest.mark.parametrize("response_id", ["Identifiant", None])
def test_ids_survive_reordering_renaming_and_reencoding(tmp_path, response_id):
    rows = [*ROWS, ROWS[0].replace("R1", "R4"), ROWS[0].replace("R1", "R5")]
    columns = {"columns": {"response_id": response_id}}
    before = ids(write(tmp_path / "a.csv", HEADER + "\n".join(rows) + "\n"), **columns)
    random.Random(3).shuffle(rows)
    moved = write(tmp_path / "renamed.csv", HEADER + "\r\n".join(rows) + "\r\n", "cp1252")
    assert ids(moved, **columns) == before
    assert len(set(before)) == 5


def test_ids_depend_on_key_source_and_column(tmp_path):
    path = write(tmp_path / "a.csv", HEADER + ROWS[0] + "\n")
    other_key = next(read_comments(make_source(path), b"another key of tests"))
    other_name = next(read_comments(make_source(path, name="t"), KEY))
    (comment,), _ = read(path)
    assert len({comment.comment_id, other_key.comment_id, other_name.comment_id}) == 3
    assert len(comment.comment_id) == 32
    assert "R1" not in comment.comment_id


def test_two_people_may_write_the_same(tmp_path):
    row = ";2026-05-09;Fleury;Commis;RAS\n"
    comments, rejected = read(write(tmp_path / "c.csv", HEADER + row * 3))
    assert rejected == []
    assert len({c.comment_id for c in comments}) == 3


def test_several_text_columns_are_several_comments(tmp_path):
    body = "id;plus;moins\n1;rapide;lent\n2;;panne\n3;;\n"
    columns: dict = dict.fromkeys(("date", "site", "role"))
    columns |= {"response_id": "id", "text": ["plus", "moins"]}
    comments, rejected = read(write(tmp_path / "c.csv", body), columns=columns)
    assert [c.text for c in comments] == ["rapide", "lent", "panne"]
    assert len({c.comment_id for c in comments}) == 3
    assert rejected == [("c.csv:4", "empty text")]


def test_a_folder_is_read_in_order_of_name(tmp_path):
    write(tmp_path / "b.csv", HEADER + ROWS[1] + "\n")
    write(tmp_path / "a.CSV", HEADER + ROWS[0] + "\n", "cp1252")
    write(tmp_path / "note.txt", "nothing")
    write(tmp_path / "c.csv", HEADER + ROWS[1].replace("bien", "mal") + "\n")
    comments, rejected = read(tmp_path)
    assert [c.place for c in comments] == ["a.CSV:2", "b.csv:2"]
    assert rejected == [("c.csv:2", "response id seen before")]


def fails(path, **changes):
    with pytest.raises(InputError) as caught:
        list(read_comments(make_source(path, **changes), KEY))
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert CANARY not in told
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    assert "no such file of comments" in fails(tmp_path / "none.csv")
    assert read(tmp_path) == ([], [])  # a drop folder may be empty
    assert "empty" in fails(write(tmp_path / "c.csv", ""))
    (tmp_path / "link.csv").symlink_to(tmp_path / "c.csv")
    assert [place for place, _ in read(tmp_path, settle_seconds=0)[1]] == ["c.csv", "link.csv"]
    (tmp_path / "link.csv").unlink()
    assert "unknown encoding 'zip'" in fails(tmp_path / "c.csv", encoding="zip")
    write(tmp_path / "c.csv", HEADER + "x" * 1_100_000)
    source = make_source(tmp_path / "c.csv")
    with pytest.raises(InputError, match="is this a CSV file"):
        list(read_comments(source, KEY))


def test_a_missing_column_names_file_column_and_the_nearest(tmp_path):
    told = fails(write(tmp_path / "c.csv", HEADER.replace("Date", "Dates") + ROWS[0]))
    assert f"{tmp_path}/c.csv: no column 'Date' among 5, 'Dates' comes nearest" in told
    assert "Fleury" not in told
    joined = HEADER.replace("Commentaire\n", f"Comme{CANARY}\n")
    assert "among 5;" in fails(write(tmp_path / "c.csv", joined + ROWS[0]))


def test_a_file_without_header_shows_nothing_of_its_first_line(tmp_path):
    told = fails(write(tmp_path / "c.csv", f"R1;2026-05-09;Fleury;Commis;{CANARY}\n"))
    assert "is it the header?" in told
    assert "Fleury" not in told


def test_a_column_that_is_there_twice(tmp_path):
    body = HEADER.strip() + ";Date\n"
    assert "'Date' is there twice" in fails(write(tmp_path / "c.csv", body))


@pytest.mark.parametrize(
    ("name", "comments", "rejected"),
    [
        ("sondage-fr", 204, [41, 87, 111, 136, 152, 161, 192, 225]),
        ("survey-en", 102, [18, 46, 62, 71, 96, 113]),
    ],
)
def test_the_bundled_surveys(name, comments, rejected):
    settings = load_settings(ROOT / "dsn.toml")
    source = next(s for s in settings.comments if s.name == name)
    found = list(read_comments(source, KEY))
    kept = [f for f in found if isinstance(f, Comment)]
    lines = [int(f.place.split(":")[1]) for f in found if isinstance(f, Rejection)]
    assert (len(kept), lines) == (comments, rejected)
    assert len({c.comment_id for c in kept}) == comments
    assert all(c.posted_at and c.site and c.unit and c.role for c in kept)
