"""One fit: mixup, the loss of the paper's eq. 1, AdamW, a schedule, a score per epoch."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from emodag.science.fit import by_hand, ordered
from emodag.science.fit.batch import Batch
from emodag.science.fit.fit_state import State, capture, restore
from emodag.science.fit.model import AttentiveAutoencoder, ModelSettings
from emodag.science.fit.optimizer import AdamW
from emodag.science.fit.randomness import Randomness
from emodag.science.scores.scoring import accuracy, macro_f1
from ledger.errors import DivergenceError


@dataclass(frozen=True, kw_only=True)
class Cosine:
    """Cosine annealing over all epochs down to `end`; needs no validation rows."""

    end: float


@dataclass(frozen=True, kw_only=True)
class Plateau:
    """Times `factor` when the validation F1 has not risen for more than `patience` epochs."""

    factor: float
    patience: int


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """How one fit goes; see `emodag.config.method.Training`.

    `drop_last` leaves an incomplete last batch out.
    """

    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float
    mixup: float
    reconstruction: float
    drop_last: bool
    schedule: Cosine | Plateau | None


@dataclass(frozen=True)
class Epoch:
    """What one epoch left behind; losses are means over its batches, in float64.

    `macro_f1` and `accuracy` are those of the validation rows, None without any.
    """

    epoch: int
    learning_rate: float
    loss: float
    cross_entropy: float
    reconstruction: float
    macro_f1: float | None
    accuracy: float | None


def fit(
    x: torch.Tensor,
    rows: np.ndarray,
    labels: np.ndarray,
    *,
    classes: int,
    model: ModelSettings,
    settings: FitSettings,
    randomness: Randomness,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    groups: list[np.ndarray] | None = None,
    resume_from: State | None = None,
    on_epoch: Callable[[Epoch, Callable[[], State]], None] = lambda epoch, state: None,
) -> tuple[AttentiveAutoencoder, list[Epoch]]:
    """Train a network; the weights returned are those of the last epoch.

    Parameters
    ----------
    x : (n, p) float32, all rows anybody refers to; never copied. The fit runs on its device.
    rows, labels : (m,) integers, the rows of `x` to train on and their classes; or for the second
        (m, classes) float32, see `emodag.science.fit.targets`.
    classes : number of classes.
    model, settings : the network's and the fit's settings.
    randomness : what is drawn, and from where.
    validation : rows of `x` and their classes, scored after every epoch. They steer the learning
        rate if the schedule is a plateau, and nothing otherwise.
    groups : by which the validation rows are predicted, see `probabilities`.
    resume_from : the state of the same fit after an epoch, to go on from with the same bits.
    on_epoch : called after every epoch with its record and a function that takes the state.

    Raises
    ------
    DivergenceError
        When the loss of an epoch is not finite.
    ValueError
        When the rows make no batch, or the schedule is a plateau and there are no validation rows.
    """
    if isinstance(settings.schedule, Plateau) and validation is None:
        raise ValueError("the plateau schedule needs validation rows")
    if _batches(len(rows), settings) == 0:
        raise ValueError(f"{len(rows)} rows make no batch of {settings.batch}")
    network = randomness.network(x.shape[1], classes, model).to(x.device)
    optimizer = AdamW(
        network.parameters(),
        lr=settings.learning_rate,
        weight_decay=settings.weight_decay,
        fused=randomness.fused_optimizer,
    )
    scheduler = _scheduler(optimizer, settings)
    corrupt = randomness.mask(model.corruption) if model.corruption else None
    rows = torch.from_numpy(rows.astype(np.int64))
    labels = torch.from_numpy(labels if labels.ndim == 2 else labels.astype(np.int64))
    gradients = gradients_of(network)

    parts = (network, optimizer, scheduler, randomness)
    history = [Epoch(**epoch) for epoch in restore(resume_from, *parts)] if resume_from else []
    for number in range(len(history), settings.epochs):
        rate = float(optimizer.param_groups[0]["lr"])
        # Once for all of NumPy's sums: torch says nothing of infinities either.
        with np.errstate(all="ignore"):
            network.train()
            losses = _train_epoch(
                gradients, optimizer, x, rows, labels, settings, randomness, corrupt
            )
        if not np.isfinite(losses[0]):
            raise DivergenceError(
                f"the loss of epoch {number + 1} is {losses[0]}. Lower `training.learning_rate` "
                f"(now {settings.learning_rate}) in the configuration."
            )
        f1 = share = None
        if validation is not None:
            said = score_rows(network, x, validation[0], randomness, groups)
            predicted = said.argmax(axis=1)
            f1 = macro_f1(validation[1], predicted, classes=classes)
            share = accuracy(validation[1], predicted)
        if isinstance(settings.schedule, Plateau):
            scheduler.step(f1)
        elif scheduler is not None:
            scheduler.step()
        history.append(Epoch(number + 1, rate, *losses, f1, share))
        on_epoch(history[-1], lambda: capture(*parts, history))
    return network, history


def score_rows(
    network: AttentiveAutoencoder,
    x: torch.Tensor,
    rows: np.ndarray,
    randomness: Randomness,
    groups: list[np.ndarray] | None = None,
) -> np.ndarray:
    """`probabilities`, with whatever their computation draws."""
    randomness.scoring()
    return probabilities(network, x, rows, at_once=randomness.rows_at_once, groups=groups)


def probabilities(
    network: AttentiveAutoencoder,
    x: torch.Tensor,
    rows: np.ndarray,
    *,
    at_once: int,
    groups: list[np.ndarray] | None = None,
) -> np.ndarray:
    """Class probabilities, (n, classes) float32, of rows of `x`, `at_once` rows at a time.

    Parameters
    ----------
    groups : all rows of `x` by person; batch normalisation then takes means and variances of all
        rows of the person, in place of those that training has left (AdaBN, Li et al. 2018).

    Raises
    ------
    DivergenceError
        When one of them is no number.
    """
    network.eval()
    with torch.inference_mode(), np.errstate(all="ignore"):
        if groups is not None:
            found = _adapted(network, x, rows, groups)
        else:
            chunks = (rows[start : start + at_once] for start in range(0, len(rows), at_once))
            found = np.concatenate([_softmax(network, x, chunk) for chunk in chunks])
    if not np.isfinite(found).all():
        raise DivergenceError(
            "the network gives probabilities that are no numbers. Lower `training.learning_rate`; "
            "if the loss was finite, see whether a variable such as OMP_THREAD_LIMIT takes threads "
            "away from the library that computes them."
        )
    return found


def _softmax(network, x, rows) -> np.ndarray:
    logits = network.logits(x[torch.from_numpy(rows.astype(np.int64))])
    return network.arithmetic.softmax(logits).cpu().numpy()


def _adapted(network, x, rows, groups):
    """Probabilities by each person's own means and variances; the network keeps those it has."""
    kept = [buffer.clone() for buffer in network.buffers()]
    for module in network.modules():
        module.training = isinstance(module, torch.nn.BatchNorm1d)
    found = np.empty((len(x), network.classifier[-1].out_features), np.float32)
    for group in groups:
        if np.isin(group, rows).any():
            found[group] = _softmax(network, x, group)
    for buffer, value in zip(network.buffers(), kept, strict=True):
        buffer.copy_(value)
    network.eval()
    return found[rows]


def mix(x: torch.Tensor, share: float, partner: torch.Tensor) -> torch.Tensor:
    """share * x + (1 - share) * x[partner] (mixup, Zhang et al. 2018)."""
    return share * x + (1 - share) * x[partner]


def gradients_of(network: AttentiveAutoencoder) -> Callable[[Batch], tuple[float, float]]:
    """What does `recorded_gradients` for a network: in `ordered` arithmetic torch records none."""
    if network.arithmetic is ordered:
        return by_hand.Gradients(network)
    return partial(recorded_gradients, network)


def recorded_gradients(network: AttentiveAutoencoder, batch: Batch) -> tuple[float, float]:
    """Cross-entropy and reconstruction error of a batch; leaves their gradients in the network.

    They are those of the loss L = L_CE + weight * L_MSE (the paper, eq. 1), as torch records them.
    """
    labels, partner, share = batch.labels, batch.partner, batch.share
    network.zero_grad()
    logits, rebuilt = network(batch.x)
    own, partners = (cross_entropy(logits, given) for given in (labels, labels[partner]))
    classification = share * own + (1 - share) * partners
    reconstruction = ordered.squared_error(rebuilt, batch.target)
    (classification + batch.weight * reconstruction).backward()
    return float(classification.detach()), float(reconstruction.detach())


def _train_epoch(gradients, optimizer, x, rows, labels, settings, randomness, corrupt):
    """One pass over the rows; returns the mean loss, cross-entropy and reconstruction error."""
    shuffled = randomness.order(len(rows))
    batches = _batches(len(rows), settings)
    sums = np.zeros(3, np.float64)
    for number in range(batches):
        chosen = shuffled[number * settings.batch : (number + 1) * settings.batch]
        share, partner = randomness.mixing(len(chosen), settings.mixup)
        target = mix(x[rows[chosen]], share, partner)
        # Masking noise (Vincent et al. 2008): a masked cell becomes 0, the median after scaling.
        noisy = target if corrupt is None else target * corrupt(target)
        here = labels[chosen].to(x.device)
        weight = settings.reconstruction
        entropy, error = gradients(Batch(noisy, target, here, partner, share, weight))
        optimizer.step()
        sums += [entropy + weight * error, entropy, error]
    return (sums / batches).tolist()


def _batches(rows: int, settings: FitSettings) -> int:
    """Batches per epoch. A last batch of one row is left out always: BatchNorm cannot use it."""
    full, rest = divmod(rows, settings.batch)
    return full + (not settings.drop_last and rest > 1)


def _scheduler(optimizer, settings: FitSettings):
    match settings.schedule:
        case Cosine(end=end):
            return torch.optim.lr_scheduler.CosineAnnealingLR(
                optimizer, settings.epochs, eta_min=end
            )
        case Plateau(factor=factor, patience=patience):
            return torch.optim.lr_scheduler.ReduceLROnPlateau(
                optimizer, mode="max", factor=factor, patience=patience
            )
    return None
