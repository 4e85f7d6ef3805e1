"""A synthetic twin of the competition's table, which no one may redistribute.

A hierarchical latent-factor model. Person :math:`p` goes through trials :math:`r`; a trial has one
class :math:`c` and is cut into windows :math:`w`. The latent state of a window is

.. math::

   z_{prw} = s_{subject} u_p + s_{shared} g_p a_c + s_{own} b_{pc} + s_{trial} v_{pr}
             + k_p ∘ (s_{drift} d_{pr}(w) + s_{noise} e_{prw})

with :math:`u, b, v, e` standard normal, :math:`d` a random walk that ends with variance one,
:math:`k_p` log-normal, and a share of windows in which the state is lost to noise. What a model can
carry from one person to another is :math:`a_c` alone: the corners of a valence and an arousal axis
and their interaction, scaled by the person's responsiveness :math:`g_p`, which for some is near
zero or negative. Windows of the same person also share :math:`u_p`, :math:`b_{pc}` and
:math:`v_{pr}`; a plain KFold lets a model learn these by heart, a GroupKFold does not.

Feature :math:`j` belongs to one sensor, reads four of its latents, and is bent by a link (affine,
log-normal, cubic, bounded or quantised):

.. math:: x_j = h_j(\\sum_{l ∈ L_j} w_{jl} z_l + s_{idio} ε_j)

Then come the defects of real recordings: constant, near-constant and duplicate columns, and cells
of 1e20 to 1e32.

Features are elementwise float32 arithmetic and float32 `exp`, without matrix products or float64
transcendentals. Their bits were the same under NumPy 1.26.4 and 2.0.2, with AVX-512 and without;
only a processor without fused multiply-add rounds `exp` differently.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from emodag.science.seeds import generator

Rng = np.random.Generator

CLASSES = 4
"""Low valence, low arousal; high, low; low, high; high, high: LVLA, HVLA, LVHA, HVHA."""

AXES = ((-0.8, -1.2, 0.5), (0.8, -1.2, -0.5), (-0.8, 1.2, -0.5), (0.8, 1.2, 0.5))
"""Weight of the valence axis, the arousal axis and their interaction, by class."""


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Sizes and strengths of a twin; the defaults are those of the competition's tables.

    The strengths are tuned, not estimated: a small multilayer perceptron reaches a macro-F1 of 0.92
    under a shuffled KFold and of 0.5 under GroupKFold, at both of `SIZES`.

    Attributes
    ----------
    train_persons, test_persons, trials, windows : people, trials per person, windows per trial.
    features, latents, sensors : columns, latent dimensions, groups of columns.
    latents_per_sensor, latents_per_feature : latent dimensions that a group, a feature reads.
    subject ... idiosyncratic : the standard deviations s of the equations.
    spread : standard deviation of log k.
    lost : share of windows in which the latent state is lost.
    responsiveness, responsiveness_sd : mean and standard deviation of g, exact in train and test.
    prior, concentration : mean and concentration of a person's Dirichlet over the classes.
    absent : share of train and of test persons who never report the last class; one at least.
    constant, near_constant, duplicate, artefact : columns with these defects.
    """

    train_persons: int = 19
    test_persons: int = 9
    trials: int = 16
    windows: int = 74
    features: int = 1793
    latents: int = 200
    latents_per_sensor: int = 28
    latents_per_feature: int = 4
    sensors: int = 14
    subject: float = 1.0
    shared: float = 0.178
    own: float = 0.85
    trial: float = 0.85
    drift: float = 0.25
    noise: float = 0.5
    idiosyncratic: float = 1.0
    spread: float = 0.35
    lost: float = 0.10
    responsiveness: float = 0.9
    responsiveness_sd: float = 0.8
    prior: tuple[float, ...] = (0.33, 0.27, 0.26, 0.14)
    concentration: float = 10.0
    absent: float = 0.125
    constant: int = 9
    near_constant: int = 8
    duplicate: int = 6
    artefact: int = 30

    @property
    def persons(self) -> int:
        """People in train and test."""
        return self.train_persons + self.test_persons


_DEMO_SHAPE = {"train_persons": 10, "test_persons": 5, "trials": 8, "windows": 15, "features": 160}
_DEMO_STATE = {"latents": 48, "latents_per_sensor": 12, "shared": 0.4, "idiosyncratic": 0.5}
_DEMO_DEFECTS = {"constant": 2, "near_constant": 2, "duplicate": 2, "artefact": 4}
SIZES = {
    "demo": Parameters(**_DEMO_SHAPE, **_DEMO_STATE, **_DEMO_DEFECTS),
    "competition": Parameters(),
}
"""Parameters by size: 1,200 + 600 rows of 160 features, and 22,496 + 10,656 rows of 1,793."""


@dataclass(frozen=True)
class Twin:
    """A generated table; its first `train_rows` rows are train's, the others test's."""

    features: np.ndarray  # (features, rows) float32
    labels: np.ndarray  # (rows,) int8, 0..3
    persons: np.ndarray  # (rows,) int64, from 1 on
    train_rows: int


def generate(parameters: Parameters, *, seed: int) -> Twin:
    """Draw a twin; the same parameters and seed give the same bits."""
    trial_labels = draw_labels(parameters, seed=seed)
    latents = draw_latents(parameters, trial_labels, seed=seed)
    features = draw_features(parameters, latents, seed=seed)
    spoil(features, parameters, seed=seed)
    numbers = np.arange(1, parameters.persons + 1, dtype=np.int64)
    rows_per_person = parameters.trials * parameters.windows
    return Twin(
        features=features,
        labels=np.repeat(trial_labels.reshape(-1), parameters.windows),
        persons=np.repeat(numbers, rows_per_person),
        train_rows=parameters.train_persons * rows_per_person,
    )


def draw_labels(parameters: Parameters, *, seed: int) -> np.ndarray:
    """Class of every trial: int8, shape (persons, trials), each person with three classes or four.

    The last class is the rarest of every person who has it, and therefore of train and of test.
    """
    rng = generator("synthetic", seed, "labels")
    parts = (parameters.train_persons, parameters.test_persons)
    lacking = np.concatenate([_some(rng, part, parameters.absent) for part in parts])
    alpha = np.asarray(parameters.prior, dtype=np.float64) * parameters.concentration
    labels = np.empty((parameters.persons, parameters.trials), dtype=np.int8)
    for person in range(parameters.persons):
        counts = 1 + rng.multinomial(parameters.trials - CLASSES, rng.dirichlet(alpha))
        rarest = int(np.argmin(counts))
        counts[[rarest, -1]] = counts[[-1, rarest]]
        if lacking[person]:
            counts[int(rng.integers(CLASSES - 1))] += counts[-1]
            counts[-1] = 0
        labels[person] = rng.permutation(np.repeat(np.arange(CLASSES, dtype=np.int8), counts))
    return labels


def draw_latents(parameters: Parameters, trial_labels: np.ndarray, *, seed: int) -> np.ndarray:
    """Latent state of every window: float32, shape (latents, rows)."""
    means = _trial_means(parameters, trial_labels, generator("synthetic", seed, "people"))
    states = [
        _window_states(parameters, mean, generator("synthetic", seed, "windows", person))
        for person, mean in enumerate(means)
    ]
    return np.ascontiguousarray(np.concatenate(states).T)


def draw_features(parameters: Parameters, latents: np.ndarray, *, seed: int) -> np.ndarray:
    """Every feature of every window: float32, shape (features, rows)."""
    rng = generator("synthetic", seed, "sensors")
    sensor = np.sort(rng.integers(parameters.sensors, size=parameters.features))
    reads = [rng.permutation(parameters.latents) for _ in range(parameters.sensors)]
    features = np.empty((parameters.features, latents.shape[1]), dtype=np.float32)
    for column in range(parameters.features):
        rng = generator("synthetic", seed, "feature", column)
        readable = reads[sensor[column]][: parameters.latents_per_sensor]
        used = rng.choice(readable, size=parameters.latents_per_feature, replace=False)
        signal = parameters.idiosyncratic * _normal(rng, latents.shape[1])
        for latent, weight in zip(used.tolist(), rng.standard_normal(used.size), strict=True):
            signal += float(weight) / parameters.latents_per_feature**0.5 * latents[latent]
        link = _LINKS[int(rng.choice(len(_LINKS), p=_LINK_SHARES))]
        features[column] = link(signal, rng)
    return features


def spoil(features: np.ndarray, parameters: Parameters, *, seed: int) -> None:
    """Put the defects of real recordings into `features`, in place."""
    rng = generator("synthetic", seed, "defects")
    rows = features.shape[1]
    columns = iter(rng.permutation(parameters.features).tolist())
    for _ in range(parameters.constant):
        features[next(columns)] = float(rng.choice((0.0, 0.5, 1.0)))
    for _ in range(parameters.near_constant):
        features[next(columns)] = _some(rng, rows, 0.004)
    original = next(columns)
    for _ in range(parameters.duplicate):
        features[next(columns)] = features[original]
    for _ in range(parameters.artefact):
        struck = np.flatnonzero(_some(rng, rows, float(rng.choice((2e-4, 1e-3, 5e-3)))))
        sign = rng.choice((-1.0, 1.0), size=struck.size, p=(0.2, 0.8))
        exponent = rng.uniform(20.0, 32.0, size=struck.size)
        features[next(columns), struck] = sign * _exp(math.log(10.0) * exponent)


def _trial_means(parameters: Parameters, trial_labels: np.ndarray, rng: Rng) -> np.ndarray:
    """What the states of a trial share: float32, shape (persons, trials, latents)."""
    (persons, trials), latents = trial_labels.shape, parameters.latents
    subject = _normal(rng, (persons, 1, latents))
    own = _normal(rng, (persons, CLASSES, latents))
    trial = _normal(rng, (persons, trials, latents))
    shared = _class_effects(latents, rng)[trial_labels]
    return (
        parameters.subject * subject
        + parameters.shared * _responsiveness(parameters, rng)[:, None, None] * shared
        + parameters.own * own[np.arange(persons)[:, None], trial_labels]
        + parameters.trial * trial
    )


def _class_effects(latents: int, rng: Rng) -> np.ndarray:
    """The effects a_c that people share: float32, shape (classes, latents).

    Each latent belongs to the valence axis, the arousal axis or their interaction: the axes are
    orthogonal and equally strong whatever the seed.
    """
    axis = rng.permutation(latents) % len(AXES[0])
    signs = rng.choice((-1.0, 1.0), size=latents)
    weights = np.asarray(AXES, dtype=np.float64)[:, axis]
    return (len(AXES[0]) ** 0.5 * signs * weights).astype(np.float32)


def _responsiveness(parameters: Parameters, rng: Rng) -> np.ndarray:
    """Strength g of the shared effect by person: float32, shape (persons,)."""
    drawn = rng.standard_normal(parameters.persons)
    for part in (drawn[: parameters.train_persons], drawn[parameters.train_persons :]):
        part -= part.mean()
        part *= parameters.responsiveness_sd / part.std()
    return (parameters.responsiveness + drawn).astype(np.float32)


def _window_states(parameters: Parameters, means: np.ndarray, rng: Rng) -> np.ndarray:
    """One person's states: float32, shape (trials * windows, latents)."""
    trials, latents = means.shape
    shape = (trials, parameters.windows, latents)
    scale = _exp(parameters.spread * _normal(rng, latents))
    walk = np.cumsum(_normal(rng, shape), axis=1) / parameters.windows**0.5
    within = parameters.drift * walk + parameters.noise * _normal(rng, shape)
    states = (means[:, None] + scale * within).reshape(-1, latents)
    lost = np.flatnonzero(rng.random(len(states)) < parameters.lost)
    states[lost] = 1.5 * _normal(rng, (lost.size, latents))
    return states


def _affine(signal: np.ndarray, rng: Rng) -> np.ndarray:
    return (signal + 3.0 * float(rng.standard_normal())) * _gain(rng)


def _lognormal(signal: np.ndarray, rng: Rng) -> np.ndarray:
    return _exp(np.clip(1.3 * signal, -30.0, 30.0)) * _gain(rng)


def _cubic(signal: np.ndarray, rng: Rng) -> np.ndarray:
    return signal * signal * signal * _gain(rng)


def _bounded(signal: np.ndarray, _rng: Rng) -> np.ndarray:
    return 1.0 / (1.0 + _exp(-1.5 * signal))


def _quantised(signal: np.ndarray, rng: Rng) -> np.ndarray:
    steps = np.rint((signal + 2.0) / float(rng.choice((0.25, 0.5, 1.0))))
    return np.maximum(steps, 0.0) if rng.random() < 0.5 else steps


_Link = Callable[[np.ndarray, Rng], np.ndarray]
_LINKS: tuple[_Link, ...] = (_affine, _lognormal, _cubic, _bounded, _quantised)
_LINK_SHARES = (0.30, 0.35, 0.10, 0.10, 0.15)


def _gain(rng: Rng) -> float:
    """A unit of measurement, over some five orders of magnitude."""
    return float(_exp(2.5 * _normal(rng, 1))[0])


def _some(rng: Rng, size: int, share: float) -> np.ndarray:
    """A random share of `size` things, one of them at least: bool, shape (size,)."""
    chosen = np.zeros(size, dtype=bool)
    chosen[rng.choice(size, size=max(1, math.floor(share * size)), replace=False)] = True
    return chosen


def _normal(rng: Rng, shape: int | tuple[int, ...]) -> np.ndarray:
    return rng.standard_normal(shape, dtype=np.float32)


def _exp(values: np.ndarray) -> np.ndarray:
    """exp in float32; NumPy's float64 `exp` depends on its release and the processor."""
    return np.exp(values.astype(np.float32))
