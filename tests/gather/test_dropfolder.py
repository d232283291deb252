"""A drop folder: nothing outside it is read, growing files wait, contents are read once."""

import os
import threading
import time

import pytest

from dsn_nlp.config import CommentSource
from dsn_nlp.gather.deliveries import Intake, content_key
from dsn_nlp.gather.dropfolder import look, shown_name
from dsn_nlp.gather.opened import open_file
from dsn_nlp.records import Comment, Rejection

KEY = b"a key of the tests only"
BODY = "id;texte\n1;premier\n2;second\n"


def make_intake(folder, known=None, **changes):
    columns = {"text": ["texte"], "response_id": "id"}
    fields = {"name": "s", "path": folder, "columns": columns, "settle_seconds": 0}
    return Intake(CommentSource.model_validate(fields | changes), KEY, known or {})


def take(intake):
    """Take everything: texts, codes of what was set aside by name, and what to remember."""
    texts, codes, known = [], {}, {}
    for delivery in intake:
        for found in delivery.found:
            if isinstance(found, Comment):
                texts.append(found.text)
            elif isinstance(found, Rejection):
                codes[found.place] = found.code
        if delivery.is_settled():
            known[delivery.content_key] = intake.reading
    return texts, codes, known


def test_links_pipes_and_devices_are_refused_and_the_rest_is_read(tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    secret = tmp_path / "secret.csv"
    secret.write_text("id;texte\n9;secret du dehors\n")
    (folder / "a.csv").write_text(BODY)
    (folder / "link.csv").symlink_to(secret)
    (folder / "passwd.csv").symlink_to("/etc/passwd")
    (folder / "dangling.csv").symlink_to(tmp_path / "nowhere")
    os.link(secret, folder / "hard.csv")
    os.mkfifo(folder / "pipe.csv")
    (folder / "folder.csv").mkdir()
    (folder / "folder.csv" / "inner.csv").write_text(BODY.replace("premier", "dedans"))
    (folder / ".hidden.csv").write_text(BODY)
    (folder / "~$a.xlsx").write_text("lock")
    (folder / "b.csv.part").write_text(BODY)
    (folder / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    texts, codes, _ = take(make_intake(folder))
    assert texts == ["premier", "second"]
    assert codes == {
        "link.csv": "symlink", "passwd.csv": "symlink", "dangling.csv": "symlink",
        "hard.csv": "hard-link", "pipe.csv": "not-a-file", "old.xls": "kind",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "ligne\nneuve.csv", "emoji 🏥.csv", "..%2f..%2fetc.csv", "-rf.csv", "$(id).csv",
        "é\u202e.csv", "x" * 240 + ".csv", b"\xff\xfe.csv", "a'b\"c.csv", "...csv.csv",
    ],
)  # fmt: skip
def test_odd_names_are_read_and_shown_on_one_line(tmp_path, name):
    path = os.path.join(os.fsencode(tmp_path), os.fsencode(name))
    with open(path, "wb") as handle:
        handle.write(BODY.encode())
    if os.fsencode(name).startswith(b"."):
        assert take(make_intake(tmp_path))[0] == []
        return
    found = look(tmp_path)
    assert [f.refusal for f in found] == [None]
    assert found[0].name.isprintable()
    assert len(found[0].name) < 140
    assert take(make_intake(tmp_path))[0] == ["premier", "second"]


def test_names_that_differ_in_what_cannot_be_shown_stay_apart():
    assert shown_name("a\nb.csv") != shown_name("a\tb.csv")
    assert shown_name("a b.csv") == "a b.csv"


def test_content_counts_once_whatever_its_name_and_day(tmp_path):
    (tmp_path / "a.csv").write_text(BODY)
    (tmp_path / "copy.csv").write_text(BODY)
    texts, _, known = take(make_intake(tmp_path))
    assert texts == ["premier", "second"]
    (tmp_path / "a.csv").rename(tmp_path / "renamed.csv")
    assert take(make_intake(tmp_path, known)) == ([], {}, {})
    (tmp_path / "copy.csv").write_text(BODY + "3;autre contenu, même nom\n")
    assert take(make_intake(tmp_path, known))[0] == ["premier", "second", "autre contenu, même nom"]


def test_other_settings_read_a_file_again(tmp_path):
    (tmp_path / "a.csv").write_text(BODY)
    known = take(make_intake(tmp_path))[2]
    assert take(make_intake(tmp_path, known, settle_seconds=1, ready="stable"))[0] == []
    assert take(make_intake(tmp_path, known, dates="month-first"))[0] == ["premier", "second"]


def test_a_growing_file_waits_and_its_neighbours_do_not(tmp_path):
    (tmp_path / "whole.csv").write_text(BODY)
    growing, stopping = tmp_path / "growing.csv", threading.Event()
    growing.write_text("id;texte\n")

    def write():
        while not stopping.is_set():
            with growing.open("a") as handle:
                handle.write("5;encore en cours\n")
            time.sleep(0.02)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        intake = make_intake(tmp_path, settle_seconds=0.5)
        assert take(intake)[0] == ["premier", "second"]
        assert intake.waiting == ["growing.csv"]
    finally:
        stopping.set()
        writer.join()
    intake = make_intake(tmp_path, settle_seconds=0.2)
    assert "encore en cours" in take(intake)[0]
    assert intake.waiting == []


def test_a_done_file_spares_the_wait_or_is_waited_for(tmp_path):
    (tmp_path / "a.csv").write_text(BODY)
    intake = make_intake(tmp_path, ready="done")
    assert take(intake)[0] == []
    assert intake.waiting == ["a.csv"]
    (tmp_path / "a.csv.done").touch()
    started = time.monotonic()
    assert take(make_intake(tmp_path, ready="done", settle_seconds=60))[0] == ["premier", "second"]
    assert time.monotonic() - started < 50


def test_a_file_that_changes_while_it_is_read_is_not_remembered(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(BODY)
    (delivery_of,) = [iter(make_intake(tmp_path))]
    delivery = next(delivery_of)
    first = next(delivery.found)
    with path.open("a") as handle:
        handle.write("3;ajouté pendant la lecture\n")
    rest = list(delivery.found)
    assert [first.text, *(c.text for c in rest)] == ["premier", "second"]
    assert not delivery.is_settled()


def test_a_bad_file_is_set_aside_and_the_others_are_read(tmp_path):
    (tmp_path / "a.csv").write_text("id;autre\n1;x\n")
    (tmp_path / "b.csv").write_text("<!DOCTYPE html><table><tr><td>id</td></tr></table>")
    (tmp_path / "c.csv").write_text("")
    (tmp_path / "d.csv").write_text(BODY)
    (tmp_path / "e.jsonl").write_text('{"id": 3, "texte": "en JSON"}\n[1]\n{"id": 4}\n')
    (tmp_path / "f.csv").write_text("id;texte\n" + "x;y;z\n" * 15 + "7;bon\n" * 15)
    (tmp_path / "g.csv").write_bytes(b"\x00\x01\x02" * 100)
    texts, codes, known = take(make_intake(tmp_path))
    assert texts == ["premier", "second", "en JSON"]
    assert codes == {
        "a.csv": "column-missing", "b.csv": "kind", "c.csv": "empty-file", "e.jsonl:2": "json",
        "e.jsonl:3": "empty", "f.csv": "too-many-bad-rows", "g.csv": "empty-file",
    }  # fmt: skip
    assert take(make_intake(tmp_path, known)) == ([], {}, {})  # told once


@pytest.mark.parametrize(("mode", "code"), [("warn", None), ("ignore", None), ("refuse", 1)])
def test_unknown_columns(tmp_path, mode, code, caplog):
    (tmp_path / "a.csv").write_text("id;texte;humeur\n1;bon;grise\n")
    texts, codes, _ = take(make_intake(tmp_path, unknown_columns=mode))
    assert codes == ({"a.csv": "unknown-column"} if code else {})
    assert texts == ([] if code else ["bon"])
    assert ("humeur" in caplog.text) == (mode == "warn")
    assert "grise" not in caplog.text


def test_a_files_key_is_keyed(tmp_path):
    (tmp_path / "a.csv").write_text(BODY)
    keys = []
    for key in (KEY, b"another key of the tests"):
        opened = open_file(tmp_path / "a.csv", "a", "a", strict=True)
        keys.append(content_key(opened, key))
        opened.close()
    assert len(set(keys)) == 2
