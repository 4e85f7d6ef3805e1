"""Security: links put into the results do not lead writes elsewhere."""

from tests.project import jobs


def test_a_link_in_place_of_an_output_is_replaced(finished_words, words, tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("kept")
    moby = words.path / "results/count/moby"
    for name in ("counts.json", "manifest.json", "provenance.json", "count.log"):
        (moby / name).unlink()
        (moby / name).symlink_to(precious)
    assert jobs(words.run(), "HIT") == ["count/moby"]
    assert precious.read_text() == "kept"
    assert not any(path.is_symlink() for path in moby.iterdir())
    assert words.results() == finished_words.results()


def test_a_link_in_place_of_a_directory_is_refused(words, tmp_path):
    elsewhere, moby = tmp_path / "elsewhere", words.path / "results/count/moby"
    moby.rename(elsewhere)
    moby.symlink_to(elsewhere)
    (elsewhere / "provenance.json").write_text("kept")
    with (words.path / "texts/moby.txt").open("a") as text:
        text.write("more")
    done = words.ends("snakemake", "-c2")
    assert done.returncode != 0 and jobs(done, "RUN") == []
    assert "'results/count/moby' leads out of `results`" in done.stderr
    assert (elsewhere / "provenance.json").read_text() == "kept"
    moby.unlink()
    assert jobs(words.run(), "RUN") == ["count/moby", "ranking"]
