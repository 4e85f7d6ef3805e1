"""What is kept of a table, to be looked at for what is suspicious."""

import numpy as np

from emodag.science.tables.suspicions import glance
from tests.unit.emodag.suspicions.tables import frame, plain


def test_many_columns_are_sampled_with_fewer_rows(tmp_path, monkeypatch):
    plain(frame("p")).to_parquet(tmp_path / "a.parquet", index=False)
    monkeypatch.setattr(glance, "_SAMPLE_BYTES", 8 * 6 * 100)
    assert glance.glance(tmp_path / "a.parquet").sampled.shape == (100, 6)


def test_a_glance_is_the_same_however_the_file_is_cut(tmp_path, monkeypatch):
    import pyarrow.parquet as pq

    table = plain(frame("p"))
    table.iloc[3] = np.nan
    table.iloc[4, 0], table.iloc[5, 0] = 0.0, -0.0
    table.iloc[5, 1:] = table.iloc[4, 1:]
    table.to_parquet(tmp_path / "a.parquet", index=False)
    whole = glance.glance(tmp_path / "a.parquet")
    assert whole.empty.nonzero()[0].tolist() == [3]
    assert whole.digests[4] == whole.digests[5]
    assert len(set(whole.digests.tolist())) == len(table) - 1
    np.testing.assert_array_equal(whole.sampled, table.to_numpy()[whole.sample])
    np.testing.assert_array_equal(whole.watched, table.to_numpy())
    monkeypatch.setattr(glance, "COLUMNS_AT_ONCE", 4)
    pq.write_table(pq.read_table(tmp_path / "a.parquet"), tmp_path / "b.parquet", row_group_size=7)
    for name, value in vars(glance.glance(tmp_path / "b.parquet")).items():
        np.testing.assert_array_equal(value, getattr(whole, name), err_msg=name)
