"""What goes wrong on a cluster: the run goes on, or the same command does, from where it was."""

import subprocess
from collections import Counter

import psutil
import pytest

from tests.project import Project

from .conftest import SCRIPT, STATE, Run, command, computed, create, edit_profile, wait_until

TEACHER = "local/nested/seed1/gen0/fold0"
OTHER = "local/nested/seed1/gen0/fold1"


@pytest.fixture(scope="module")
def local(tmp_path_factory) -> Project:
    """The chain without Slurm: one protocol, two folds, fifteen jobs."""
    project = Project.create(tmp_path_factory.mktemp("local") / "project")
    project.snakemake()
    return project


@pytest.fixture
def project(tmp_path) -> Project:
    """The same, to be run on Slurm."""
    return create(tmp_path / "project")


def held(project: Project, job: str) -> psutil.Process:
    """The process of a job, once it runs, suspended so that it is still running when we look."""
    manifest = f"results/{job}/manifest.json"
    wanted = (["-m", "emodag", "run", manifest], str(project.path))
    found = []

    def is_there() -> bool:
        for process in psutil.process_iter(["cmdline", "cwd", "status"]):
            line, where = process.info["cmdline"] or [], process.info["cwd"]
            if (line[2:6], where) == wanted and process.info["status"] != psutil.STATUS_STOPPED:
                found.append(process)
        return bool(found)

    wait_until(is_there, what=f"for {job}")
    found[0].suspend()
    return found[0]


def slurm_job(process: psutil.Process) -> str:
    """The number of the Slurm job that a process belongs to."""
    return process.environ()["SLURM_JOB_ID"]


def is_asking(run: Run) -> bool:
    """Whether Snakemake asks Slurm about its jobs just now."""
    asking = {(run.process.pid, "squeue"), (run.process.pid, "sacct")}
    processes = psutil.process_iter(["ppid", "name"])
    return any((p.info["ppid"], p.info["name"]) in asking for p in processes)


def log(project: Project, job: str) -> str:
    """What a Slurm job that failed has said, Slurm's own words included."""
    (path,) = (project.path / ".snakemake/slurm_logs").rglob(f"{job}.log")
    return path.read_text()


def assert_same(project: Project, local: Project) -> None:
    """Every result is the local run's, and what is on the disk is what the manifests say."""
    assert project.read("results/submission.csv") == local.read("results/submission.csv")
    assert project.digests() == local.digests()
    verified = project.emodag("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_cancelled_job(slurm, project, local):
    """Without retries the run ends badly, having done what it could; the same command goes on."""
    run = slurm.start(project, "--retries", "0")
    job = slurm_job(held(project, TEACHER))
    command("scancel", job)
    run.end(well=False)
    assert slurm.states(run)[job] == "CANCELLED"
    before = computed(project)
    assert "local/nested/seed1/gen1/fold1" in before

    slurm.run(project)
    assert_same(project, local)
    assert computed(project) == computed(local)


def test_job_over_its_memory_is_retried_with_more(slurm, project, local):
    little = {"mem_mb": "400 if attempt == 1 else 1500"}
    resources = dict.fromkeys(["teacher", "student", "pseudo_label"], little)
    edit_profile(project, resources=resources)
    run = slurm.start(project)
    process = held(project, TEACHER)
    job = slurm_job(process)
    process.resume()
    run.end()
    assert "exceeded memory limit" in log(project, job)
    assert_same(project, local)
    assert computed(project) == computed(local)


def test_job_over_its_time_is_retried_with_more(slurm, project, local):
    short = {"runtime": "1 if attempt == 1 else 10"}
    none = {"runtime": "0 if attempt == 1 else 10"}
    edit_profile(project, resources={"teacher": short, "student": none, "pseudo_label": none})
    run = slurm.start(project)
    job = slurm_job(held(project, TEACHER))
    run.end()
    assert "DUE TO TIME LIMIT" in log(project, job)
    assert_same(project, local)
    assert computed(project) == computed(local)


def test_killed_snakemake_leaves_writers_behind(slurm, project, local):
    """The same command at once: one old job writes beside its new twin, another one after it."""
    first = slurm.start(project)
    beside, after = held(project, TEACHER), held(project, OTHER)
    first.process.kill()
    first.process.wait()
    assert set(slurm.states(first).values()) == {"COMPLETED", "RUNNING"}
    before = computed(project)

    second = slurm.start(project)
    twin = held(project, TEACHER)
    beside.resume()
    twin.resume()
    second.end()
    assert project.read("results/submission.csv") == local.read("results/submission.csv")
    assert after.status() == "stopped"
    after.resume()
    slurm.rest()
    assert_same(project, local)

    times = Counter(computed(project))
    assert times.keys() == set(computed(local))
    assert all(times[job] == 1 for job in before)
    assert slurm.run(project).submitted == []


def test_node_set_down(slurm, project, local):
    run = slurm.start(project)
    processes = {
        slurm_job(process): process for process in [held(project, TEACHER), held(project, OTHER)]
    }
    nodes = {job: command("squeue", "-h", "-j", job, "-o", "%N").strip() for job in processes}
    down, *_ = nodes.values()
    # Drained as well: not being down in truth, it would soon be up, and get the job whose processes
    # it is still ending; Slurm then holds that job until a person releases it.
    for state in ("down", "drain"):
        command("scontrol", "update", f"nodename={down}", f"state={state}", "reason=test")
    for job, process in processes.items():
        if nodes[job] == down:
            # Slurm queues it anew under its number, and would wait for two minutes.
            wait_until(lambda job=job: slurm.states(run)[job] == "PENDING")
            command("scontrol", "update", f"jobid={job}", "starttime=now")
        else:
            process.resume()
    run.end()
    assert_same(project, local)
    assert computed(project) == computed(local)


def test_controller_restarted(slurm, project, local):
    run = slurm.start(project)
    process = held(project, TEACHER)
    subprocess.run([SCRIPT, "away", STATE], check=True)
    process.resume()
    wait_until(lambda: is_asking(run), what="for Snakemake to look after its jobs")
    with pytest.raises(subprocess.CalledProcessError):
        command("squeue")
    subprocess.run([SCRIPT, "start", STATE], check=True)
    run.end()
    assert_same(project, local)
    assert computed(project) == computed(local)
