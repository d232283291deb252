"""The same night on PostgreSQL gives the same content as on SQLite."""

from dsn_nlp.store import Store, run_query


def test_a_night_on_postgresql_equals_one_on_sqlite(installation, undisturbed, make_url):
    url = make_url("postgresql")
    done = installation.run("run", "--no-prefect", DSN_NLP_STORE__URL=url)
    assert done.returncode == 0, done.stderr
    with Store.open(url) as here, Store.open(undisturbed.url) as there:
        assert here.digest() == there.digest()
    sql = "select count(*) from labelled_passages where training"
    assert run_query(url, sql)[1] == run_query(undisturbed.url, sql)[1]
    answer = installation.run("query", sql, DSN_NLP_STORE__URL=url)
    assert answer.returncode == 0, answer.stderr
