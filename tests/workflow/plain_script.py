"""The published method as a plain script: one file, one process, one global random stream.

    python plain_script.py train.csv test.csv submission.csv facts.json
        [--epochs 50] [--stage0-epochs 20] [--folds 5] [--generations 2] [--seed 1] [--threads 1]

What a replay is compared with. It shares no code with the package, on purpose. `facts.json` holds
each fit's best score, the pseudo-labels of each generation, the last generation's probabilities and
the last states of the random generators.
"""

import argparse
import json
import random
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold, KFold
from sklearn.preprocessing import QuantileTransformer
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss
from torch.optim.lr_scheduler import CosineAnnealingLR, ReduceLROnPlateau
from torch.utils.data import DataLoader, TensorDataset


class Network(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.squeeze = nn.Linear(width, width // 4, bias=False)
        self.excite = nn.Linear(width // 4, width, bias=False)
        self.normalise = nn.BatchNorm1d(width)
        self.encoder = nn.Sequential(
            *(nn.Linear(width, 512), nn.BatchNorm1d(512), nn.LeakyReLU(), nn.Dropout(0.3)),
            *(nn.Linear(512, 128), nn.BatchNorm1d(128), nn.LeakyReLU()),
        )
        self.decoder = nn.Sequential(
            *(nn.Linear(128, 512), nn.BatchNorm1d(512), nn.LeakyReLU(), nn.Linear(512, width)),
        )
        self.head = nn.Sequential(
            *(nn.Dropout(0.3), nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU()),
            nn.Linear(128, 4),
        )

    def forward(self, x):
        attended = x * torch.sigmoid(self.excite(torch.relu(self.squeeze(x))))
        code = self.encoder(self.normalise(attended))
        return self.head(code), self.decoder(code)


def predict(network, x):
    network.eval()
    parts = []
    with torch.no_grad():
        for (batch,) in DataLoader(TensorDataset(torch.tensor(x).float()), batch_size=512):
            parts.append(torch.softmax(network(batch)[0], dim=1).numpy())
    return np.concatenate(parts)


def train(x, y, epochs, *, valid=None, schedule=None, drop_last=True):
    """The network after the last epoch, and the best macro-F1 on `valid` of any."""
    network = Network(x.shape[1])
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-3)
    scheduler = schedule and schedule(optimizer)
    rows = TensorDataset(torch.tensor(x).float(), torch.tensor(y))
    batches = DataLoader(rows, batch_size=128, shuffle=True, drop_last=drop_last)
    scores = []
    for _ in range(epochs):
        network.train()
        for features, labels in batches:
            share = np.random.beta(0.4, 0.4)  # noqa: NPY002 (here and below: as scripts do)
            partner = torch.randperm(len(features))
            mixed = share * features + (1 - share) * features[partner]
            logits, rebuilt = network(mixed)
            loss = share * cross_entropy(logits, labels)
            loss = loss + (1 - share) * cross_entropy(logits, labels[partner])
            loss = loss + 0.1 * mse_loss(rebuilt, mixed)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if valid:
            predicted = predict(network, valid[0]).argmax(axis=1)
            scores.append(float(f1_score(valid[1], predicted, average="macro")))
        if scheduler:
            scheduler.step(*scores[-1:])
    return network, max(scores, default=None)


def main():
    parser = argparse.ArgumentParser()
    for name in ("train", "test", "submission", "facts"):
        parser.add_argument(name)
    for name, default in (("epochs", 50), ("stage0-epochs", 20), ("folds", 5), ("generations", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name in ("seed", "threads"):
        parser.add_argument(f"--{name}", type=int, default=1)
    options = parser.parse_args()
    random.seed(options.seed)
    np.random.seed(options.seed)  # noqa: NPY002
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)

    table = pd.read_csv(options.train, index_col=0)
    test = pd.read_csv(options.test, index_col=0).to_numpy()
    x = table.iloc[:, :-2].to_numpy()
    y, person = table.iloc[:, -2].to_numpy().astype(int), table.iloc[:, -1].to_numpy()
    scaler = QuantileTransformer(output_distribution="normal", random_state=42)
    scaler.fit(np.concatenate([x, test]))
    x, test = scaler.transform(x), scaler.transform(test)
    facts = {"scores": {}, "pseudo_labels": {}}

    shuffled = KFold(options.folds, shuffle=True, random_state=1)
    for fold, (here, there) in enumerate(shuffled.split(x)):
        held_out = (x[there], y[there])
        _, best = train(x[here], y[here], options.stage0_epochs, valid=held_out, drop_last=False)
        facts["scores"][f"stage0 {fold}"] = best

    teacher, _ = train(
        x, y, options.epochs, schedule=lambda o: CosineAnnealingLR(o, options.epochs, 1e-6)
    )
    opinion = predict(teacher, test)
    for generation in range(1, options.generations + 1):
        sure = np.flatnonzero(opinion.max(axis=1) >= 0.9)
        facts["pseudo_labels"][f"gen{generation}"] = len(sure)
        opinions = []
        for fold, (here, there) in enumerate(GroupKFold(options.folds).split(x, y, person)):
            network, best = train(
                np.concatenate([x[here], test[sure]]),
                np.concatenate([y[here], opinion[sure].argmax(axis=1)]),
                options.epochs,
                valid=(x[there], y[there]),
                schedule=lambda o: ReduceLROnPlateau(o, mode="max", factor=0.5, patience=8),
            )
            opinions.append(predict(network, test))
            facts["scores"][f"gen{generation} {fold}"] = best
        opinion = sum(opinions) / options.folds
        facts["probabilities"] = opinion.tolist()
        opinion[:, 3] *= 1.5

    answer = pd.DataFrame({"ID": np.arange(len(test)), "Predicted": opinion.argmax(axis=1)})
    answer.to_csv(options.submission, index=False)
    _, words, *rest = np.random.get_state()  # noqa: NPY002
    facts["randomness"] = {
        "python": random.getstate(),
        "numpy": [words.tolist(), *rest],
        "torch": torch.get_rng_state().numpy().tobytes().hex(),
    }
    Path(options.facts).write_text(json.dumps(facts))


if __name__ == "__main__":
    main()
