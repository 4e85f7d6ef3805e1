"""The workflow as a module of a Snakefile elsewhere; `tests/long/test_modules.py` has more ways."""

import shutil
import subprocess
from pathlib import Path

import yaml

from tests.project import ROOT, SMALL, START, Project, forked, jobs, tables
from tests.workflow.scenarios.scenario import BOOST, SUBMISSION, TINY

CONFIG = {**SMALL, **TINY, "training": {**SMALL["training"], **TINY["training"]}}

OWN = """
configfile: "own.yaml"


rule lines:
    input:
        "results/submission.csv",
    output:
        "lines.txt",
    shell:
        "wc -l <{input} >{output}"


"""
"""A Snakefile with a rule of its own, which is its first, and a configuration of its own."""

MODULE = f"""
module emodag:
    snakefile:
        "{ROOT}/Snakefile"
    config:
        config["emotions"]


use rule * from emodag
"""


class Away(Project):
    """A directory that holds nothing of the workflow."""

    @classmethod
    def create(cls, path: Path, **files: str) -> "Away":
        path.mkdir(parents=True)
        tables(path)
        away = cls(path)
        away.write("own.yaml", yaml.safe_dump({"emotions": CONFIG, "lines": 25}))
        for name, text in files.items():
            away.write(name, text)
        return away

    def write(self, name: str, text: str) -> None:
        (self.path / name).parent.mkdir(exist_ok=True)
        (self.path / name).write_text(text)

    def run(self, *arguments: object, check: bool = True, **more) -> subprocess.CompletedProcess:
        """`snakemake -c2`, with more variables; what it says is in `stderr`."""
        more = {"cwd": self.path, **more}
        done = subprocess.run(
            [*START, "-m", "snakemake", "-c2", *map(str, arguments)],
            cwd=more.pop("cwd"),
            env={**forked(), **more},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        done.stderr = done.stdout
        assert "Traceback" not in done.stdout, done.stdout
        assert not check or done.returncode == 0, done.stdout
        return done


def copy_of_store(tiny, place: Path, *unknown: str) -> dict[str, str]:
    shutil.copytree(tiny.store, place)
    for job in unknown:
        key = tiny.json(tiny.manifest(job))["key"]
        (place / "actions" / key[:2] / f"{key[2:]}.json").unlink()
    return {"EMODAG_STORE": str(place)}


def is_as(tiny: Project, away: Project) -> bool:
    """Whether the bare command made the same bytes, and what led to them was the same."""
    return away.read(SUBMISSION) == tiny.read(SUBMISSION) and away.digests() == tiny.digests()


def test_a_module_with_other_names_beside_rules_of_ones_own(tiny, tmp_path):
    store = copy_of_store(tiny, tmp_path / "store", "submission")
    module = MODULE.replace("* from emodag", "* from emodag as emo_*")
    away = Away.create(tmp_path / "away", Snakefile=OWN + module)
    done = away.run(**store)
    assert jobs(done, "RUN") == ["submission"] and is_as(tiny, away)
    assert away.read("lines.txt").split() == ["25"]
    assert "Made: results/submission.csv" in done.stderr
    assert "emo_" not in done.stderr and "all" not in done.stderr.splitlines()
    away.write("own.yaml", yaml.safe_dump({"emotions": {**CONFIG, "pseudo_labels": BOOST}}))
    again = away.run("emo_submission", **store)
    assert jobs(again, "RUN") == ["submission"] and not is_as(tiny, away)


def test_paths_of_a_module_can_have_no_prefix(tmp_path):
    prefixed = MODULE.replace("    config:\n", '    prefix:\n        "emo"\n    config:\n')
    away = Away.create(tmp_path / "away", Snakefile=OWN + prefixed)
    done = away.run(check=False)
    assert done.returncode == 1 and "no `prefix`" in done.stderr


def test_two_modules_can_not_make_the_same_results(tmp_path):
    other = MODULE.replace('config["emotions"]', "{}").replace("module emodag", "module other")
    other = other.replace("from emodag", "from other as other_*")
    away = Away.create(tmp_path / "away", Snakefile=OWN + MODULE + other)
    done = away.run(check=False)
    assert done.returncode == 1 and "configured differently" in done.stderr
