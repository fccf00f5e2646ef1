"""Spectra of maps: known images, and a loop over every frequency."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from spikeport.estimate.spectrum.grids import map_grid
from spikeport.estimate.spectrum.spatial import MapSpectrum

SIZES = [(1, 1), (1, 5), (2, 2), (3, 3), (4, 4), (5, 5), (4, 6), (5, 8), (8, 7)]


def of(maps: Tensor) -> MapSpectrum:
    found = MapSpectrum(*maps.shape[-2:])
    found.add(maps.reshape(1, 1, -1, *maps.shape[-2:]) if maps.ndim < 5 else maps)
    return found


def random_maps(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def transform(image: np.ndarray) -> np.ndarray:
    """The definition, sum over positions."""
    height, width = image.shape
    result = np.zeros((height, width), complex)
    for ky in range(height):
        for kx in range(width):
            for y in range(height):
                for x in range(width):
                    turn = ky * y / height + kx * x / width
                    result[ky, kx] += image[y, x] * cmath.exp(-2j * math.pi * turn)
    return result


def share_by_loop(images: np.ndarray) -> float:
    """Power of all maps `[maps, H, W]` above a radius of 1/2, against all but DC."""
    high = moving = 0.0
    for image in images:
        power = np.abs(transform(image)) ** 2
        height, width = image.shape
        for ky in range(height):
            for kx in range(width):
                fy, fx = (min(k, n - k) / n for k, n in ((ky, height), (kx, width)))
                radius = math.sqrt(fy**2 + fx**2) / 0.5
                moving += power[ky, kx] if (ky, kx) != (0, 0) else 0.0
                high += power[ky, kx] if radius > 0.5 + 1e-9 else 0.0
    return high / moving


@pytest.mark.parametrize("size", SIZES)
def test_streamed_means_are_those_of_a_loop(size: tuple[int, int]) -> None:
    maps = random_maps(2, 3, 2, *size)
    found = of(maps)
    images = maps.reshape(-1, *size).numpy()
    amplitudes = np.abs([transform(image) for image in images])
    assert found.maps == len(images)
    np.testing.assert_allclose(found.amplitude, amplitudes.mean(0), atol=1e-12)
    power = (amplitudes**2).mean(0) / (size[0] * size[1]) ** 2
    np.testing.assert_allclose(found.power, power, atol=1e-12)
    # Parseval: the power of all frequencies is the mean square of the values.
    assert found.power.sum() == pytest.approx(float(maps.square().mean()), rel=1e-12)
    for sample in range(3):
        share = found.shares.values[sample]
        if found.grid.tells:
            assert share == pytest.approx(share_by_loop(maps[:, sample].reshape(-1, *size).numpy()))
        else:
            assert math.isnan(share)


def test_the_recipe_is_that_of_its_author() -> None:
    """fft2, fftshift, log(1 + |F|), diagonal, second half, minus DC: as numpy has them."""
    maps = random_maps(6, 6, 6)
    logs = np.log1p(np.abs(np.fft.fftshift(np.fft.fft2(maps.numpy()), axes=(1, 2)))).mean(0)
    curve, frequencies = of(maps).diagonal
    np.testing.assert_allclose(curve, np.diag(logs)[3:] - np.diag(logs)[3], atol=1e-12)
    np.testing.assert_allclose(frequencies, [0, 1 / 3, 2 / 3])


@pytest.mark.parametrize(("size", "length"), [((5, 5), 3), ((8, 8), 4), ((4, 6), None)])
def test_the_recipe_needs_square_maps(size: tuple[int, int], length: int | None) -> None:
    curve = of(random_maps(2, *size)).diagonal
    assert (None if curve is None else len(curve[0])) == length


@pytest.mark.parametrize(
    ("ky", "kx", "high"), [(1, 0, 0), (0, 2, 0), (2, 2, 1), (3, 0, 1), (1, 2, 1)]
)
def test_a_cosine_falls_on_its_frequency(ky: int, kx: int, high: float) -> None:
    y, x = torch.meshgrid(*[torch.arange(8, dtype=torch.float64)] * 2, indexing="ij")
    found = of(5 + torch.cos(2 * math.pi * (ky * y + kx * x) / 8 + 0.3)[None])
    expected = np.zeros((8, 8))
    expected[0, 0] = 25
    expected[ky, kx] += 0.25
    expected[-ky, -kx] += 0.25
    np.testing.assert_allclose(found.power, expected, atol=1e-12)
    assert found.shares.values[0] == pytest.approx(high, abs=1e-12)
    power, radius = found.radial
    ring = int(np.abs(radius - math.hypot(ky, kx) / 4).argmin())
    assert power[1:].argmax() + 1 == ring


@pytest.mark.parametrize("size", [(8, 8), (7, 7), (6, 10)])
def test_white_noise_is_flat(size: tuple[int, int]) -> None:
    found = of(random_maps(4, 50, 20, *size))
    flat = 1 / (size[0] * size[1])
    np.testing.assert_allclose(found.power, flat, rtol=0.15)
    np.testing.assert_allclose(found.radial[0], flat, rtol=0.1)
    assert found.shares.values.mean() == pytest.approx(found.grid.white, abs=0.01)
    assert 0.7 < found.grid.white < 0.85


def test_a_constant_map_has_no_share() -> None:
    found = of(torch.full((1, 2, 3, 8, 8), 0.1))
    assert np.isnan(found.shares.values).all()
    assert found.power[0, 0] == pytest.approx(0.01, rel=1e-6)
    assert found.power.sum() == found.power[0, 0]


def test_a_box_filter_multiplies_with_its_transform() -> None:
    """Cyclic 3 x 3 box: H(k) = (1 + 2 cos(2 pi k / n)) / 3 along each axis."""
    maps = random_maps(5, 9, 8)
    padded = torch.nn.functional.pad(maps[:, None], (1, 1, 1, 1), mode="circular")
    box = torch.full((1, 1, 3, 3), 1 / 9, dtype=torch.float64)
    after = of(torch.nn.functional.conv2d(padded, box)[:, 0])
    along = [(1 + 2 * np.cos(2 * np.pi * np.arange(n) / n)) / 3 for n in (9, 8)]
    gain = np.outer(*along) ** 2
    np.testing.assert_allclose(after.power, of(maps).power * gain, atol=1e-14)


def test_what_lies_on_half_of_nyquist_is_low() -> None:
    grid = map_grid(20, 20)
    for ky, kx in ((5, 0), (0, 5), (3, 4), (4, 3)):
        assert not grid.high[ky, kx]
    assert grid.high[5, 1]
    assert grid.high[-4, 4]


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 3), (2, 3)])
def test_tiny_maps_tell_nothing(size: tuple[int, int]) -> None:
    """Nothing lies between DC and half of Nyquist."""
    assert map_grid(*size).white is None


def test_batches_do_not_matter() -> None:
    maps = random_maps(3, 7, 4, 6, 6)
    whole, parts = of(maps), MapSpectrum(6, 6)
    for some in (maps[:, :1], maps[:, 1:6], maps[:, 6:]):
        parts.add(some)
    np.testing.assert_allclose(parts.power, whole.power, rtol=1e-13)
    np.testing.assert_allclose(parts.shares.values, whole.shares.values, rtol=1e-13)
    np.testing.assert_allclose(parts.diagonal[0], whole.diagonal[0], rtol=1e-12, atol=1e-13)


def test_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    maps = random_maps(2, 5, 3, 4, 4)
    whole = of(maps)
    monkeypatch.setattr("spikeport.estimate.spectrum.spatial._CHUNK", 1)
    np.testing.assert_allclose(of(maps).power, whole.power, rtol=1e-13)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_values_must_be_finite(value: float) -> None:
    maps = random_maps(1, 1, 1, 4, 4)
    maps[..., 2, 2] = value
    with pytest.raises(ValueError, match="NaN or infinity"):
        of(maps)
