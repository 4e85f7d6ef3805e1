"""Virtual environments from locks: whole, verified, isolated, or not there at all.

The packages are tiny wheels made here, which uv installs from a directory.
"""

import subprocess

import pytest

from ledger.environments.venv import BUILT, MARK, build, damages, directory, interpreter
from ledger.errors import ConfigError
from tests.machine import wheel


@pytest.fixture
def lock(tmp_path, monkeypatch):
    wheels = tmp_path / "wheels"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "tiny.lock"
    path.write_text(wheel(wheels, "pandas", "9.9"))
    return path


def says(environment, code, **variables):
    command = [interpreter(environment), "-c", code]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_it_is_built_once_damaged_and_built_again(lock):
    place, said = directory("tiny", [lock], BUILT), []
    build(place, [lock], BUILT, said.append)
    assert says(place, "import pandas; print(pandas.VERSION)") == "9.9"
    assert any(str(lock) in line for line in said)
    said.clear()
    build(place, [lock], BUILT, said.append)
    assert said == [], "it is there"
    assert damages(place, {"pandas": "9.9"}) == []

    wanted = damages(place, {"pandas": "9.8"})
    assert wanted == ["pandas: locked 9.8, installed 9.9"]
    (place / MARK).unlink()
    build(place, [lock], BUILT, said.append)
    (told,) = place.glob("lib/python3*/site-packages/pandas-9.9.dist-info/METADATA")
    told.unlink()
    gone = damages(place, {"pandas": "9.9"})
    assert gone == ["pandas: locked 9.9, installed not at all"]
    (place / MARK).unlink()
    build(place, [lock], BUILT, said.append)
    interpreter(place).unlink()
    assert damages(place, {"pandas": "9.9"}) == ["its Python is gone"]
    (place / MARK).unlink()
    build(place, [lock], BUILT, said.append)
    assert says(place, "import pandas; print(pandas.VERSION)") == "9.9"


def test_other_locks_have_another_directory(lock, tmp_path):
    before = directory("tiny", [lock], BUILT)
    assert directory("tiny", [lock], "python3") != before
    lock.write_text(lock.read_text() + "# changed\n")
    assert directory("tiny", [lock], BUILT) != before


def test_what_a_killed_build_left_is_replaced(lock):
    place = directory("tiny", [lock], BUILT)
    (place / "lib").mkdir(parents=True)
    (place / "lib/half").write_text("")
    build(place, [lock], BUILT, lambda line: None)
    assert not (place / "lib/half").exists()
    assert says(place, "import pandas; print(pandas.VERSION)") == "9.9"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sha256:", "sha256:0", r"tiny\.lock cannot be installed"),
        ("==9.9", "==9.8", r"tiny\.lock cannot be installed: the indexes .*(\n.*)+pandas==9\.8"),
        (" \\\n    --hash", "  # --hash", r"tiny\.lock cannot be installed: a hash .* is missing"),
    ],
)
def test_a_lock_that_cannot_be_installed(lock, old, new, message):
    lock.write_text(lock.read_text().replace(old, new))
    place = directory("tiny", [lock], BUILT)
    with pytest.raises(ConfigError, match=message):
        build(place, [lock], BUILT, lambda line: None)
    assert not place.exists() and not list(place.parent.iterdir()), "nothing is left behind"


def test_a_wheel_that_is_not_the_locked_one(lock, tmp_path):
    wheel(tmp_path / "wheels", "pandas", "9.9.0")
    digest = "0" * 64
    lock.write_text(f"pandas==9.9 --hash=sha256:{digest}\n")
    with pytest.raises(ConfigError, match=rf"(?s)not that of .*Expected.*{digest}.*Computed"):
        build(directory("tiny", [lock], BUILT), [lock], BUILT, lambda line: None)


def test_a_missing_interpreter(lock):
    with pytest.raises(ConfigError, match=r"no interpreter 'python9\.9' on this machine"):
        build(directory("tiny", [lock], "python9.9"), [lock], "python9.9", lambda line: None)
