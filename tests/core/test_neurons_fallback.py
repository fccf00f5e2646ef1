"""Where the fused neurons hand over: to the plain engine, or to SpikingJelly's own code."""

from __future__ import annotations

import functools
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from neuron_pairs import currents, make_pair
from spikingjelly.activation_based import surrogate
from torch import Tensor

from spikeport.core import native
from spikeport.core.errors import UsageError
from spikeport.core.native import CompileError
from spikeport.core.neurons import LIFNode, compiled, engines, node

HAS_COMPILER = any(native.shutil.which(name) for name in ("cc", "gcc", "clang"))
needs_compiler = pytest.mark.skipif(not HAS_COMPILER, reason="no C compiler")


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a new process: nothing compiled or refused yet, all to be compiled."""
    monkeypatch.setattr(engines, "_compiled", {})
    monkeypatch.setenv(engines.VARIABLE, "compiled")


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Grows by one for each call that an engine of ours served."""
    calls: list[bool] = []
    run = node.run

    def counted(*args: Any) -> Any:
        calls.append(True)
        return run(*args)

    monkeypatch.setattr(node, "run", counted)
    return calls


def agree(settings: str = "slow", **more: Any) -> None:
    x = currents((4, 3, 50))
    reference, ours = make_pair("LIFNode", settings, **more)
    assert torch.equal(ours(x), reference(x))
    assert torch.equal(ours.v, reference.v)


def fails(*_: Any) -> Any:
    raise CompileError("the disk is on fire.", where="cc")


@pytest.mark.usefixtures("fresh")
def test_a_failing_compiler_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("spikeport.core.neurons.compiled.load_library", fails)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            agree()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "the disk is on fire" in caplog.text


@needs_compiler
@pytest.mark.usefixtures("fresh")
def test_a_compiler_that_rounds_otherwise_is_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    source = tmp_path / "kernel.c"
    text = compiled.SOURCE.read_text()
    source.write_text(text.replace("soft ? h - spike", "soft ? 1e-6f + h - spike"))
    assert source.read_text() != text
    monkeypatch.setattr(compiled, "SOURCE", source)
    monkeypatch.setenv("SPIKEPORT_CACHE", str(tmp_path))
    agree("soft")
    assert "round otherwise" in caplog.text


@needs_compiler
@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("state", ["fresh", "group", "open to others", "no folder", "damaged"])
def test_the_cache_folder_is_used_only_if_it_is_ours(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, tmp_path: Path, state: str
) -> None:
    monkeypatch.setenv("SPIKEPORT_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / "kernels"
    if state == "open to others":
        folder.mkdir(parents=True)
        folder.chmod(0o777)
    elif state == "no folder":
        (tmp_path / "cache").write_text("a file")
    elif state == "group":
        request.addfinalizer(functools.partial(os.umask, os.umask(0o002)))
    opened: list[Path] = []
    load = native.ctypes.CDLL
    if state == "damaged":
        monkeypatch.setattr(native.ctypes, "CDLL", lambda name: opened.append(Path(name)))
        native.load_library(compiled.SOURCE, compiled.definitions(torch.float32))
        opened[0].write_bytes(b"something else")
    monkeypatch.setattr(
        native.ctypes, "CDLL", lambda name: (opened.append(Path(name)), load(name))[1]
    )
    agree()
    assert isinstance(engines._compiled_engine(torch.float32), engines.CompiledEngine)
    kept = state in ("fresh", "group")
    assert (opened[-1].parent == folder) == kept
    # What lies elsewhere is removed again.
    assert opened[-1].exists() == kept


PROGRAM = """
import logging, torch
logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
from neuron_pairs import currents, make_pair
from spikeport.core.neurons import engines
x = currents((4, 3, 50))
for kind in ("LIFNode", "IFNode", "ParametricLIFNode"):
    for _ in range(2):
        reference, ours = make_pair(kind)
        assert torch.equal(ours(x), reference(x)) and torch.equal(ours.v, reference.v)
print("engine", type(engines._compiled_engine(torch.float32) or engines._PLAIN).__name__)
"""


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("command", ["no-such-compiler -O2", "false"])
def test_a_compiler_that_is_missing_or_fails(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    command: str,
) -> None:
    monkeypatch.setenv("CC", command)
    monkeypatch.setenv("SPIKEPORT_CACHE", str(tmp_path))
    agree()
    agree("soft")
    assert len(caplog.records) == 1 and command.split()[0] in caplog.text
    assert not list(tmp_path.rglob("*.so*"))


def test_without_a_compiler_everything_works(tmp_path: Path) -> None:
    support = Path(__file__).parents[1] / "support"
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(root), str(support))),
            "SPIKEPORT_CACHE": str(tmp_path),
            engines.VARIABLE: "compiled",
            "PATH": "/nowhere",
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["engine PlainEngine"]
    assert done.stderr.count("WARNING Spiking neurons run several times slower") == 1
    assert not list(tmp_path.rglob("*.so"))


def test_an_unknown_choice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(engines.VARIABLE, "fast")
    with pytest.raises(UsageError, match=r"SPIKEPORT_NEURONS.*compiled, plain, spikingjelly"):
        LIFNode(step_mode="m")(torch.zeros(2, 3))


def test_spikingjelly_can_be_chosen(monkeypatch: pytest.MonkeyPatch, served: list[bool]) -> None:
    agree()
    assert served
    served.clear()
    monkeypatch.setenv(engines.VARIABLE, "spikingjelly")
    agree()
    assert not served


class Restless(LIFNode):
    def multi_step_functional_forward(self, inputs: Any, states: Any, **_: Any) -> Any:
        (x,), (v,) = inputs, states
        return (torch.full_like(x, 7.0),), (v,)


def test_methods_changed_by_a_subclass_are_used(served: list[bool]) -> None:
    assert (Restless(step_mode="m")(currents((4, 3, 5))) == 7.0).all()
    assert not served


@pytest.mark.parametrize(
    "more",
    [
        {"store_v_seq": True},
        {"surrogate_function": surrogate.Sigmoid(4.0, spiking=False)},
        {"surrogate_function": surrogate.MultiLevelSpikeCount(2)},
        {"surrogate_function": surrogate.ATan(torch.tensor(2.0))},
    ],
    ids=["voltages", "primitive", "levels", "tensor"],
)
def test_settings_for_spikingjelly(more: dict[str, Any], served: list[bool]) -> None:
    x = currents((4, 3, 50))
    reference, ours = make_pair("LIFNode", **more)
    assert torch.equal(ours(x), reference(x)) and torch.equal(ours.v, reference.v)
    if "store_v_seq" in more:
        assert torch.equal(ours.v_seq, reference.v_seq)
    assert not served


def test_half_precision_goes_to_spikingjelly(served: list[bool]) -> None:
    for dtype in (torch.float16, torch.bfloat16):
        reference, ours = make_pair("LIFNode")
        assert torch.equal(
            ours(currents((4, 3, 50), dtype)), reference(currents((4, 3, 50), dtype))
        )
    assert not served


def test_single_steps_go_to_spikingjelly(served: list[bool]) -> None:
    reference, ours = make_pair("LIFNode", step_mode="s")
    for x in currents((4, 3, 50)):
        assert torch.equal(ours(x), reference(x)) and torch.equal(ours.v, reference.v)
    assert not served


@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (3,)])
def test_empty_and_flat_inputs_go_to_spikingjelly(
    shape: tuple[int, ...], served: list[bool]
) -> None:
    outcomes = []
    for neuron in make_pair("LIFNode"):
        try:
            outcomes.append(str(neuron(torch.zeros(shape))))
        except (RuntimeError, IndexError) as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]
    assert not served


def test_a_membrane_of_another_shape_starts_anew() -> None:
    reference, ours = make_pair("LIFNode")
    for x in (currents((4, 3, 50)), currents((4, 2, 9)), currents((4, 2, 9), torch.float64)):
        assert torch.equal(ours(x), reference(x)) and torch.equal(ours.v, reference.v)


@pytest.mark.filterwarnings("ignore:There is a performance drop")
def test_mapping_over_an_axis_works(served: list[bool]) -> None:
    reference, ours = make_pair("LIFNode")
    x = currents((5, 4, 3, 6))
    results = [torch.func.vmap(lambda part, n=n: forget(n, n(part)))(x) for n in (reference, ours)]
    assert torch.equal(*results)
    assert not served


def forget(neuron: Any, spikes: Tensor) -> Tensor:
    neuron.reset()
    return spikes


def test_exported_programs_hold_every_operation(served: list[bool]) -> None:
    x = currents((4, 3, 6))
    reference, ours = make_pair("LIFNode")

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.neuron = ours

        def forward(self, x: Tensor) -> Tensor:
            return forget(self.neuron, self.neuron(x))

    exported = torch.export.export(Model(), (x,)).module()
    assert not served
    assert torch.equal(exported(x * 2), reference(x * 2))
    reference.reset()
    with pytest.warns(FutureWarning, match="deprecated"):
        traced = torch.jit.trace(Model(), x, check_trace=False)
    assert not served
    assert torch.equal(traced(x * 3), reference(x * 3))


def test_a_default_device_elsewhere_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    for choice in ("compiled", "plain"):
        monkeypatch.setenv(engines.VARIABLE, choice)
        x = currents((4, 3, 50)).requires_grad_()
        with torch.device("meta"):
            spikes = LIFNode(step_mode="m")(x)
            (dx,) = torch.autograd.grad(spikes.sum(), x)
        assert spikes.device.type == dx.device.type == "cpu"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_does_not_wait_for_lost_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(engines.VARIABLE, "compiled")
    x = currents((4, 2, 40_000))
    with torch.no_grad():
        expected = LIFNode(step_mode="m")(x)
        child = os.fork()
        if child == 0:
            import signal

            signal.alarm(20)
            torch.set_num_threads(2)
            spikes = LIFNode(step_mode="m")(x)
            os._exit(0 if bytes(spikes.numpy()) == bytes(expected.numpy()) else 1)
        assert os.waitpid(child, 0)[1] == 0
