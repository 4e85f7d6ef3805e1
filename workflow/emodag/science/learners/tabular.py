"""TabM: an ensemble of networks that share most of their weights, on scaled features."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from emodag.science.learners.task import Task, Tick

ROWS_AT_ONCE = 1024
"""Rows per forward pass when predicting."""


def tabm(task: Task, settings: Mapping[str, Any], tick: Tick) -> np.ndarray:
    """TabM, trained with AdamW; each member's loss counts alone, probabilities are averaged."""
    import torch

    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(task.seed)
        return _fitted(task, settings, tick)


def _fitted(task: Task, settings: Mapping[str, Any], tick: Tick) -> np.ndarray:
    import torch
    from tabm import TabM
    from torch.nn.functional import cross_entropy

    model = TabM.make(
        n_num_features=task.train.shape[1],
        d_out=task.classes,
        **{key: settings[key] for key in ("k", "n_blocks", "d_block", "dropout")},
    )
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings["learning_rate"], weight_decay=settings["weight_decay"]
    )
    x, y = torch.from_numpy(task.train), torch.from_numpy(task.labels)
    weight = torch.from_numpy(task.class_weights.astype(np.float32))
    model.train()
    for _ in range(settings["epochs"]):
        for rows in torch.randperm(len(x)).split(settings["batch"]):
            logits = model(x[rows])  # (rows, k, classes)
            truth = y[rows].repeat_interleave(settings["k"])
            optimizer.zero_grad()
            cross_entropy(logits.flatten(0, 1), truth, weight=weight).backward()
            optimizer.step()
        tick()
    model.eval()
    with torch.inference_mode():
        parts = torch.from_numpy(task.unseen).split(ROWS_AT_ONCE)
        found = [model(part).softmax(dim=-1).mean(dim=1) for part in parts]
    return torch.cat(found).numpy()
