"""Plans, manifests and action records from disk: valid, or an error that names the file.

Every value in a valid document is replaced by everything else JSON can hold, with the document's
own digest forged to match.
"""

import copy
import json
import os
from dataclasses import asdict

import pytest

from ledger.disk.canonical import digest
from ledger.errors import IntegrityError
from ledger.jobs.manifest import Manifest, Source, Upstream
from ledger.jobs.plan import read_plan
from ledger.run.talk import Talk
from ledger.store.store import SCHEMA, Store
from tests.unit.ledger.test_plan import RUN, UP, plan, written
from tests.unit.ledger.test_store import KEY, action, manifest

ODD = [None, True, 1, -1, 1.5, 10**400, "", "x", "..", "../x", "/etc/x", "a\0b", "\ud800"]
ODD += [[], ["x"], [[1]], {}, {"x": 1}, {"": None}, {"../x": "y"}, {"A=B": "x"}]


def places(value, at=()):
    """The way to every value in a document, the document itself included."""
    yield at
    if isinstance(value, dict | list):
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*at, name))


def crafted(document):
    """Copies of a document, each with one value replaced, left out or added."""
    for *way, last in filter(None, places(document)):
        for odd in [..., *ODD]:
            copied = copy.deepcopy(document)
            parent = copied
            for name in way:
                parent = parent[name]
            if odd is ...:
                del parent[last]
            else:
                parent[last] = odd
            yield copied
    yield {**document, "more": 1}


def forged(document):
    body = {name: value for name, value in document.items() if name != "digest"}
    try:
        return {**body, "digest": digest(body)}
    except UnicodeEncodeError:
        return document


@pytest.fixture
def workdir(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_crafted_plans(workdir):
    inputs = {
        "raw": Source(path="train.csv", sha256=digest("raw")),
        "rows": Upstream(manifest="results/up/manifest.json", file="file", plan=UP),
    }
    path = written(plan(inputs=inputs))
    accepted = 0
    for document in crafted(plan(inputs=inputs).record):
        try:
            made = digest(document)
        except (UnicodeEncodeError, OverflowError):
            continue
        path.write_text(f"a/b\t{made}\t{json.dumps(document)}\n")
        try:
            assert read_plan(RUN, "a/b").identity == made
            accepted += 1
        except IntegrityError as error:
            assert str(path) in str(error)
    assert 0 < accepted < 250, "parameters and names may be anything"


def test_crafted_manifests(workdir):
    path = workdir / "results/a/b/manifest.json"
    made = manifest()
    made.write(path)
    original = json.loads(path.read_text())
    for document in crafted(original):
        path.write_text(json.dumps(forged(document)))
        try:
            read = Manifest.read(path)
            read.write(path)
            assert Manifest.read(path) == read
            assert asdict(read).keys() == asdict(made).keys()
        except IntegrityError as error:
            assert str(path) in str(error)


def test_crafted_action_records(tmp_path):
    store = Store(tmp_path / "store")
    store.record(KEY, action("file", digest("content")))
    (path,) = (store.root / "actions").rglob("*.json")
    original = json.loads(path.read_text())
    for document in crafted(original):
        path.unlink(missing_ok=True)
        path.write_text(json.dumps(forged(document)))
        found = store.lookup(KEY)
        if found is not None:
            Talk("job").hit(KEY, found.cost["seconds"])
        if document.get("schema", SCHEMA) == SCHEMA:
            assert (found is None) != path.exists(), "what cannot be used is set aside"


def test_a_link_below_the_results_that_leads_out_of_them(workdir):
    (workdir / "results/a").mkdir(parents=True)
    (workdir / "elsewhere/up").mkdir(parents=True)
    written(plan())
    for link, target in {"a/b": "elsewhere", "up": "elsewhere/up"}.items():
        (workdir / "results" / link).symlink_to(workdir / target)
        with pytest.raises(IntegrityError, match=f"'results/{link}' leads out of `results`"):
            read_plan(RUN, "a/b")
        (workdir / "results" / link).unlink()
    (workdir / "results").rename(workdir / "elsewhere/results")
    (workdir / "results").symlink_to(workdir / "elsewhere/results")
    assert read_plan(RUN, "a/b") == plan()


@pytest.mark.parametrize("content", ["[" * 100_000, '{"digest": NaN}', "\ud800"])
def test_what_json_itself_refuses(workdir, content):
    path = workdir / "document.json"
    path.write_text(content, errors="surrogatepass")
    with pytest.raises(IntegrityError, match=r"document\.json: not a"):
        Manifest.read(path)


def test_a_pipe_in_a_documents_place(workdir):
    os.mkfifo(workdir / "pipe")
    with pytest.raises(IntegrityError, match="pipe: cannot be read: Is a pipe"):
        Manifest.read(workdir / "pipe")


def test_a_directory_in_a_documents_place(workdir):
    with pytest.raises(IntegrityError, match="cannot be read: Is a directory"):
        Manifest.read(workdir)
