"""Which build of a package is installed, and whether its files still are what was installed.

A small wheel with a compiled module is made here, and installed as users do.
"""

import base64
import ensurepip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import markupsafe._speedups
import pytest

from ledger import called
from ledger.code.closure import LEDGER
from ledger.machine import builds as builds_module
from ledger.machine import installed
from ledger.machine.builds import builds, readable, warning
from ledger.machine.fingerprint import (
    CPU_VARIABLES,
    THREAD_VARIABLES,
    fingerprint,
    steering,
)

COMPILED = Path(markupsafe._speedups.__file__)
"""Some compiled module that is installed anyway."""

CODE = "def third(x):\n    return x / 3\n"


def recorded(content):
    """The hash of a file's bytes as RECORD spells it."""
    spelled = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    return f"sha256={spelled}"


def wheel(folder, code=CODE):
    """A wheel of the package `tiny` 1.0, with a script, a compiled module, a header and a test."""
    info = "tiny-1.0.dist-info"
    files = {
        "tiny/__init__.py": code.encode(),
        f"tiny/{COMPILED.name}": COMPILED.read_bytes(),
        "tiny/tiny.h": b"",
        "tiny/tests/test_tiny.py": b"",
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": b"[console_scripts]\nthird = tiny:third\n",
    }
    rows = [f"{name},{recorded(body)},{len(body)}\n" for name, body in files.items()]
    files[f"{info}/RECORD"] = "".join([*rows, f"{info}/RECORD,,\n"]).encode()
    path = folder / "tiny-1.0-py3-none-any.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return path


UV = (shutil.which("uv", path=Path(sys.prefix, "bin")), "pip", "install", "--python", "{python}")
WHEELS = sysconfig.get_config_var("WHEEL_PKG_DIR") or Path(ensurepip.__file__).with_name("_bundled")
PIP = ("{python}", next(Path(WHEELS).glob("pip-*.whl")) / "pip", "install", "--no-compile")
"""The pip that a virtual environment would get, run from its wheel."""


def install(prefix, path, command=UV):
    """The directory of the packages of a new virtual environment with a wheel in it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", prefix], check=True)
    python = prefix / "bin/python"
    done = subprocess.run(
        [str(part).format(python=python) for part in command] + ["--no-deps", "--no-index", path],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return next(prefix.glob("lib/python3*/site-packages"))


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """A virtual environment with the wheel, which uv installed; not to be changed."""
    home = tmp_path_factory.mktemp("pristine")
    install(home / "venv", wheel(home))
    return home / "venv"


@pytest.fixture
def prefix(pristine, tmp_path, monkeypatch):
    """A copy of it that is the running environment, where an examination waits for a moment."""
    shutil.copytree(pristine, tmp_path / "venv", symlinks=True)
    site = next((tmp_path / "venv").glob("lib/python3*/site-packages"))
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    monkeypatch.setattr(installed, "TICK", 50_000_000)
    monkeypatch.chdir(tmp_path)
    for name in builds_module.LOADER_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "venv"


@pytest.fixture
def site(prefix):
    """Where its packages are."""
    return next(prefix.glob("lib/python3*/site-packages"))


@pytest.fixture
def examined(monkeypatch):
    """A list that grows with each examination, by an interpreter in no virtual environment."""
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    calls, examine = [], installed.examine

    def counted(*arguments):
        calls.append(arguments)
        return examine(*arguments)

    monkeypatch.setattr(installed, "examine", counted)
    return calls


def asked(prefix, cwd):
    """What an interpreter says of its own packages, which it examines without a wait."""
    code = (
        "import json; from ledger.machine import builds, installed; installed.TICK = 0; "
        "print(json.dumps(builds.builds(['tiny'])))"
    )
    done = subprocess.run(
        [prefix / "bin/python", "-P", "-c", code],
        env={**os.environ, "PYTHONPATH": str(LEDGER.parent)},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("command", [(*UV, "--compile-bytecode")])  # and pip in `tests/long`
def test_the_same_wheel_is_the_same_build_wherever_it_is(pristine, tmp_path, command):
    install(tmp_path / "a/longer/path/venv", wheel(tmp_path / "wheels"), command)
    here, there = asked(pristine, tmp_path), asked(tmp_path / "a/longer/path/venv", tmp_path)
    assert here == there and here["builds"].keys() == {"tiny"}
    assert here["edited"] == here["libraries"] == {}


def test_another_wheel_of_one_version_is_another_build(prefix, tmp_path):
    other = wheel(tmp_path / "other", CODE.replace("/ 3", "* (1 / 3)"))
    install(tmp_path / "venv2", other)
    before = builds(["tiny"])
    after = asked(tmp_path / "venv2", tmp_path)
    assert after["builds"]["tiny"] != before["builds"]["tiny"] and after["edited"] == {}


@pytest.mark.parametrize("name", ["__init__.py", COMPILED.name])
def test_an_edited_file_is_noticed_until_it_is_as_before(site, name):
    before = builds(["tiny"])
    path = site / "tiny" / name
    content = path.read_bytes()
    path.write_bytes(content + b"\n")
    after = builds(["tiny"])
    assert after["builds"] == before["builds"]
    assert after["edited"] == {f"tiny/{name}": hashlib.sha256(content + b"\n").hexdigest()}
    assert f"tiny/{name}" in warning(after) and warning(before) is None
    path.write_bytes(content)
    assert builds(["tiny"]) == before


def test_a_missing_file_a_pipe_and_what_no_job_reads(site):
    before = builds(["tiny"])
    (site / "tiny/tiny.h").write_text("int x;")
    (site / "tiny/tests/test_tiny.py").unlink()
    (site / "tiny-1.0.dist-info/INSTALLER").write_text("somebody")
    (site / "tiny/__pycache__/__init__.cpython-311.pyc").unlink(missing_ok=True)
    assert builds(["tiny"]) == before
    (site / "tiny/__init__.py").unlink()
    assert builds(["tiny"])["edited"] == {"tiny/__init__.py": "missing"}
    os.mkfifo(site / "tiny/__init__.py")
    assert builds(["tiny"])["edited"] == {"tiny/__init__.py": "missing"}


def test_it_is_looked_at_once(site, examined):
    first = builds(["tiny"])
    assert builds(["tiny"]) == first and len(examined) == 1
    os.utime(site / "tiny/__init__.py")
    assert builds(["tiny"]) == first and len(examined) == 2, "other times, so it is read again"


def test_nothing_is_remembered_that_was_edited_while_it_was_looked_at(site, examined, monkeypatch):
    """Times that do not move within a tick are simulated: all file times are the same."""
    path, before = site / "tiny/__init__.py", builds(["tiny"])
    stat, sleep = os.stat, installed.time.sleep

    def coarse(path, **options):
        status = list(stat(path, **options))
        return os.stat_result([*status[:7], 0, 0, 0])

    def edit(seconds):
        path.write_text(CODE.replace("/ 3", "/ 4"))
        sleep(seconds)

    monkeypatch.setattr(os, "stat", coarse)
    monkeypatch.setattr(installed.time, "sleep", edit)
    assert builds(["tiny"])["edited"].keys() == {"tiny/__init__.py"}
    assert builds(["tiny"]) != before and len(examined) == 2


def test_an_edit_while_it_is_hashed_is_not_remembered(site, examined, monkeypatch):
    build = installed._build

    def late(*arguments):
        (site / "tiny/__init__.py").write_text("")
        return build(*arguments)

    with monkeypatch.context() as during:
        during.setattr(installed, "_build", late)
        assert builds(["tiny"])["edited"] == {}, "it was not edited when it was read"
    assert builds(["tiny"])["edited"].keys() == {"tiny/__init__.py"} and len(examined) == 2


def test_a_directory_that_cannot_be_written(site, examined, monkeypatch):
    called.home().write_text("in the way, for root as well")
    assert builds(["tiny"]) == builds(["tiny"]) and len(examined) == 2


def test_all_directories_share_what_a_virtual_environment_remembers(
    site, examined, monkeypatch, tmp_path
):
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        builds(["tiny"])
    assert len(examined) == 1 and not list((tmp_path / "two").iterdir())


def test_a_damaged_memory_is_found_out_again(site, examined):
    first = builds(["tiny"])
    (memory,) = builds_module.remembered().iterdir()
    for content in ("", "{", memory.read_text().replace(first["builds"]["tiny"], "0" * 64)):
        memory.write_text(content)
        assert builds(["tiny"]) == first
    assert len(examined) == 4


@pytest.mark.parametrize("editable", [True, False])
def test_a_distribution_without_a_record_counts_by_its_files(site, editable):
    info = site / "tiny-1.0.dist-info"
    if editable:
        (info / "direct_url.json").write_text(
            '{"url": "file:///x", "dir_info": {"editable": true}}'
        )
    else:
        (info / "RECORD").unlink()
    before = builds(["tiny"])
    assert before["builds"].keys() == {"tiny"} and before["edited"] == {}
    (site / "tiny/__init__.py").write_text("")
    after = builds(["tiny"])
    assert after["builds"] != before["builds"] and after["edited"] == {}
    (site / "tiny/__init__.py").write_text(CODE)
    assert builds(["tiny"]) == before


def test_what_is_not_installed_is_left_out():
    assert builds(["there-is-no-such-package"]) == {"builds": {}, "edited": {}, "libraries": {}}


def conda(prefix, site, build="py311_0", **in_prefix):
    """Write what conda would have of the package; `in_prefix` is what became of a file."""
    paths = []
    for path in sorted((site / "tiny").rglob("*.*")):
        digest = in_prefix.get(path.stem, hashlib.sha256(path.read_bytes()).hexdigest())
        entry = {"_path": str(path.relative_to(prefix)), "sha256_in_prefix": digest}
        paths.append(entry)
    (prefix / "conda-meta").mkdir(exist_ok=True)
    about = {"name": "tiny", "build": build, "paths_data": {"paths": paths}}
    (prefix / "conda-meta" / "tiny-1.0.json").write_text(json.dumps(about))


def test_a_file_that_conda_has_rewritten_is_in_order(prefix, site):
    text = f"PREFIX = {str(prefix)!r}\n"
    (site / "tiny/__init__.py").write_text(text)
    conda(prefix, site)
    before = builds(["tiny"])
    assert before["edited"] == {}
    (site / "tiny/__init__.py").write_text(text + "\n")
    assert builds(["tiny"])["edited"].keys() == {"tiny/__init__.py"}


def test_another_build_of_conda(prefix, site):
    conda(prefix, site)
    before = builds(["tiny"])
    conda(prefix, site, "py311_1")
    os.utime(site / "tiny-1.0.dist-info/RECORD")  # conda installs that, too
    assert builds(["tiny"])["builds"] != before["builds"]


def compiled(path, *arguments, code="int f(void) { return 1; }"):
    """A library made by the C compiler."""
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    path.parent.mkdir(parents=True, exist_ok=True)
    source = path.with_suffix(".c")
    source.write_text(code)
    command = ["cc", "-shared", "-fPIC", "-o", path, source, *arguments]
    subprocess.run(command, check=True)
    return path


def test_the_blas_outside_of_all_packages_counts(site, tmp_path):
    """As in conda: the module names a library that is a link to the one that was chosen."""
    lib = tmp_path / "venv/lib"
    one = compiled(lib / "libchosen_openblas.so", "-Wl,-soname,libopenblas.so.0")
    two = compiled(
        lib / "libchosen_mkl.so", "-Wl,-soname,libopenblas.so.0", code="int f() {return 2;}"
    )
    link = lib / "libopenblas.so.0"
    link.symlink_to(one)
    module = site / "tiny/linked.so"
    code = "int f(void); int g(void) { return f(); }"
    compiled(module, link, f"-Wl,--enable-new-dtags,-rpath,{lib}", code=code)
    with (site / "tiny-1.0.dist-info/RECORD").open("a") as record:
        record.write(f"tiny/linked.so,{recorded(module.read_bytes())},1\n")
    before = builds(["tiny"])
    assert before["libraries"] == {link.name: hashlib.sha256(one.read_bytes()).hexdigest()}
    link.unlink()
    link.symlink_to(two)
    after = builds(["tiny"])
    assert after["libraries"] == {link.name: hashlib.sha256(two.read_bytes()).hexdigest()}
    assert after["builds"] == before["builds"]
    elsewhere = tmp_path / "elsewhere"
    with pytest.MonkeyPatch.context() as loader:
        elsewhere.mkdir()
        module.write_bytes(module.read_bytes())
        loader.setenv("LD_LIBRARY_PATH", str(elsewhere))
        assert builds(["tiny"])["libraries"] == after["libraries"]
        shutil.copy(one, elsewhere / link.name)
        assert builds(["tiny"])["libraries"] == before["libraries"], "its rpath is looked at later"


def test_a_library_counts_whatever_its_name_if_the_loader_was_told_where(site, tmp_path):
    lib = tmp_path / "told"
    odd = compiled(lib / "libodd.so", "-Wl,-soname,libodd.so")
    module = site / "tiny/linked.so"
    compiled(module, odd, code="int f(void); int g(void) { return f(); }")
    with (site / "tiny-1.0.dist-info/RECORD").open("a") as record:
        record.write(f"tiny/linked.so,{recorded(module.read_bytes())},1\n")
    assert builds(["tiny"])["libraries"] == {}
    with pytest.MonkeyPatch.context() as loader:
        loader.setenv("LD_LIBRARY_PATH", f"{tmp_path}:{lib}/")
        found = builds(["tiny"])["libraries"]
        assert found == {"libodd.so": hashlib.sha256(odd.read_bytes()).hexdigest()}
        compiled(odd, "-Wl,-soname,libodd.so", code="int f(void) { return 2; }")
        assert builds(["tiny"])["libraries"] != found
        # Where the processor is of that level, this is looked into first.
        level = lib / "glibc-hwcaps/x86-64-v2"
        level.mkdir(parents=True)
        shutil.copy(odd, level)
        compiled(odd, "-Wl,-soname,libodd.so", code="int f(void) { return 3; }")
        two = hashlib.sha256((level / odd.name).read_bytes()).hexdigest()
        assert builds(["tiny"])["libraries"] == {"libodd.so": two}


def test_a_preloaded_library_counts_whatever_its_name(site, tmp_path, monkeypatch):
    library = tmp_path / "odd.so"
    monkeypatch.setenv("LD_PRELOAD", str(library))
    assert builds(["tiny"])["libraries"] == {}, "there is none"
    shutil.copy(COMPILED, library)
    found = builds(["tiny"])["libraries"]
    assert found == {"odd.so": hashlib.sha256(COMPILED.read_bytes()).hexdigest()}


def environment(**parts):
    """A fingerprint of one package."""
    plain = {"builds": {"numpy": "1"}, "edited": {}, "libraries": {}}
    return {"distributions": {"numpy": "1.26.4"}, "variables": {}, **plain, **parts}


def test_names_for_people():
    here = environment(edited={"numpy/x.py": "2"}, libraries={"libblas.so.3": "3"})
    told = readable(here, environment())
    assert told["build of numpy 1.26.4"] == "1"
    assert told["numpy/x.py, edited"] == "2" and told["library libblas.so.3"] == "3"
    other = environment(distributions={"numpy": "2.0.2"}, builds={"numpy": "9"})
    assert "build of numpy 1.26.4" not in readable(here, other), "another version says it all"


@pytest.mark.parametrize(
    "name",
    [
        *CPU_VARIABLES,
        *builds_module.LOADER_VARIABLES,
        *("ONEDNN_DEFAULT_FPMATH_MODE", "NVIDIA_TF32_OVERRIDE", "TORCH_BLAS_PREFER_CUBLASLT"),
        *("NPY_PROMOTION_STATE", "TORCH_MKLDNN_MATMUL_MIN_DIM", "OPENBLAS_OF_SOME_LATER_DAY"),
        *(
            "OMP_THREAD_LIMIT",
            "OMP_DYNAMIC",
            "MKL_DOMAIN_NUM_THREADS",
            "KMP_DETERMINISTIC_REDUCTION",
        ),
    ],
)
def test_a_variable_that_moves_bits_counts_where_it_is_set(monkeypatch, name):
    monkeypatch.delenv(name, raising=False)
    assert name not in steering()
    monkeypatch.setenv(name, "1")
    assert steering()[name] == "1"


@pytest.mark.parametrize(
    "name",
    [*THREAD_VARIABLES, "MKL_VERBOSE", "OMP_PROC_BIND", "KMP_INIT_AT_FORK", "TORCH_HOME", "LANG"],
)
def test_a_variable_that_moves_nothing_does_not_count(monkeypatch, name):
    monkeypatch.setenv(name, "1")
    assert name not in steering()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_threads_that_have_no_processor_count_as_such():
    here = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(here)})
    try:
        found = [fingerprint({}, threads, "cpu") for threads in (1, 2)]
    finally:
        os.sched_setaffinity(0, here)
    assert "processors" not in found[0] and found[1]["processors"] == 1
