"""What every fusion keeps to. A check takes ``build(features, modalities) -> Fusion`` and raises AssertionError."""

from collections.abc import Callable, Sequence
from itertools import combinations

import torch
from torch import Tensor, nn

from benchmark.data import views
from css.encoder import ConversationEncoder
from css.interfaces import Fusion
from css.model import EmotionClassifier

Build = Callable[[int, Sequence[str]], Fusion]
MODALITIES: tuple[str, ...] = views.MODALITIES
FEATURES = 8
SMALL = 1e-9
"""Between two ways to compute one thing in float64."""


def has_its_declared_width(build: Build) -> None:
    """``out_features`` is the width of the output, for any number of utterances."""
    fusion = made(build)
    for N in (1, 5):
        out = fusion(inputs(N, torch.float32))
        assert out.shape == (N, fusion.out_features), f"out_features {fusion.out_features}, output {tuple(out.shape)}"
        assert out.dtype == torch.float32, f"float32 in, {out.dtype} out"


def acts_utterance_by_utterance(build: Build) -> None:
    """Permuting the utterances permutes the outputs, and an utterance's output depends on it alone."""
    fusion, x = made(build).double().eval(), inputs(7)
    out = fusion(x)
    order = torch.tensor([3, 0, 6, 1, 5, 2, 4])
    close(fusion({m: t[order] for m, t in x.items()}), out[order], "permuted utterances")
    close(fusion({m: t[2:3] for m, t in x.items()}), out[2:3], "one utterance alone")


def reads_features_by_name(build: Build) -> None:
    """The order of the dictionary does not matter, and modalities it was not built for are not read."""
    x = inputs(4)
    for modalities in subsets():
        if (fusion := accepted(build, modalities)) is None:
            continue
        fusion = fusion.double().eval()
        given = {m: x[m] for m in modalities}
        close(fusion(dict(reversed(given.items()))), fusion(given), f"reversed dictionary of {modalities}")
        close(fusion(x), fusion(given), f"more than {modalities}")


def takes_or_refuses_any_modalities(build: Build) -> None:
    """It works on any subset of the modalities, or refuses with a ValueError that names the modality it lacks."""
    for modalities in subsets():
        refusal = ""
        try:
            fusion = made(build, modalities)
        except ValueError as error:
            refusal = str(error)
        if refusal:
            absent = [m for m in MODALITIES if m not in modalities]
            assert any(m in refusal for m in absent), f"refuses {modalities} with {refusal!r}, naming none absent"
        else:
            out = fusion(inputs(3, torch.float32, modalities))
            assert out.shape == (3, fusion.out_features), f"{modalities}: {tuple(out.shape)}"


def has_finite_gradients(build: Build) -> None:
    """Outputs and gradients are finite at zero, tiny and large inputs, in float32."""
    fusion = made(build)
    for value in (0.0, 1e-30, -1e4):
        x = {m: torch.full((3, FEATURES), value, requires_grad=True) for m in MODALITIES}
        out = fusion(x)
        wanted = [*x.values(), *fusion.parameters()]
        gradients = torch.autograd.grad(out.sum(), wanted, allow_unused=True, materialize_grads=True)
        assert out.isfinite().all(), f"output at {value}"
        assert all(g.isfinite().all() for g in gradients), f"gradient at {value}"


def uses_every_parameter(build: Build) -> None:
    """A gradient reaches every parameter: none is dead weight in the parameter count."""
    fusion = made(build)
    if parameters := dict(fusion.named_parameters()):
        gradients = torch.autograd.grad(
            fusion(inputs(4, torch.float32)).sum(), list(parameters.values()), allow_unused=True
        )
        unused = [name for name, g in zip(parameters, gradients, strict=True) if g is None]
        assert not unused, f"no gradient reaches {unused}"


def is_deterministic(build: Build) -> None:
    """torch's global seed decides the initialisation, and in evaluation mode nothing is drawn."""
    a, b = made(build, seed=3).eval(), made(build, seed=3).eval()
    for (name, p), q in zip(a.state_dict().items(), b.state_dict().values(), strict=True):
        assert torch.equal(p, q), f"{name} differs between two builds under one seed"
    x = inputs(4, torch.float32)
    before = torch.get_rng_state()
    first = a(x)
    assert torch.equal(first, a(x)), "two calls differ in evaluation mode"
    assert torch.equal(first, b(x)), "two builds under one seed differ"
    assert torch.equal(torch.get_rng_state(), before), "evaluation draws from torch's global generator"


def computes_in_double(build: Build) -> None:
    """``double()`` works and agrees with float32."""
    fusion = made(build).eval()
    single = fusion(inputs(4, torch.float32))
    double = fusion.double()(inputs(4))
    assert double.dtype == torch.float64, f"float64 in, {double.dtype} out"
    error = (single - double).abs().max() / double.abs().max().clamp_min(1e-6)
    assert error < 1e-3, f"float32 is off by {error:.1e}"


def survives_its_state_dict(build: Build) -> None:
    """Another instance with this one's ``state_dict`` computes the same."""
    a, b, x = made(build, seed=1).eval(), made(build, seed=2).eval(), inputs(4, torch.float32)
    b.load_state_dict(a.state_dict())
    assert torch.equal(a(x), b(x)), "the state_dict does not hold everything"


def runs_on_every_device_here(build: Build) -> None:
    """CUDA and MPS, where present, agree with the CPU."""
    fusion, x = made(build).eval(), inputs(4, torch.float32)
    here = fusion(x)
    for device in other_devices():
        elsewhere = fusion.to(device)({m: t.to(device) for m, t in x.items()}).cpu()
        assert torch.allclose(elsewhere, here, rtol=1e-3, atol=1e-4), f"{device} differs from the CPU"
        fusion.cpu()


def compiles(build: Build) -> None:
    """``torch.compile`` captures it and computes the same (the graph alone: no C compiler is needed)."""
    fusion, x = made(build).eval(), inputs(4, torch.float32)
    torch.compiler.reset()
    compiled = torch.compile(fusion, backend="eager")(x)
    assert torch.allclose(compiled, fusion(x), rtol=1e-4, atol=1e-5), "the compiled output differs"


def keeps_conversations_apart(build: Build) -> None:
    """Permuting conversations permutes the model's logits, which do not depend on what else is in the batch.

    A conversation of one utterance is a conversation.
    """
    lengths = [3, 1, 5, 2]
    model, conversations = whole(build), [batch_of(n, seed=n) for n in lengths]
    alone = [model(*c).fused for c in conversations]
    for order in ([0, 1, 2, 3], [2, 0, 3, 1], [1]):
        chosen = [conversations[i] for i in order]
        packed = model(
            {m: torch.cat([c[0][m] for c in chosen]) for m in MODALITIES},
            torch.cat([c[1] for c in chosen]),
            torch.cat([c[2] for c in chosen]),
        ).fused
        close(packed, torch.cat([alone[i] for i in order]), f"conversations {order} in one batch")


FUSION_CHECKS: tuple[Callable[[Build], None], ...] = (
    has_its_declared_width,
    acts_utterance_by_utterance,
    reads_features_by_name,
    takes_or_refuses_any_modalities,
    has_finite_gradients,
    uses_every_parameter,
    is_deterministic,
    computes_in_double,
    survives_its_state_dict,
    runs_on_every_device_here,
    compiles,
    keeps_conversations_apart,
)


def made(build: Build, modalities: Sequence[str] = MODALITIES, seed: int = 0) -> Fusion:
    """A fusion initialised under a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build(FEATURES, tuple(modalities))


def accepted(build: Build, modalities: Sequence[str]) -> Fusion | None:
    """The fusion of these modalities, or None where it refuses them."""
    try:
        return made(build, modalities)
    except ValueError:
        return None


def subsets() -> list[tuple[str, ...]]:
    """Every non-empty set of modalities."""
    return [chosen for n in (1, 2, 3) for chosen in combinations(MODALITIES, n)]


def inputs(N: int, dtype: torch.dtype = torch.float64, modalities: Sequence[str] = MODALITIES) -> dict[str, Tensor]:
    """The same random features for the same N, whatever the dtype."""
    generator = torch.Generator().manual_seed(N)
    x = {m: torch.randn(N, FEATURES, generator=generator, dtype=torch.float64).to(dtype) for m in MODALITIES}
    return {m: x[m] for m in modalities}


def whole(build: Build) -> nn.Module:
    """A model in float64, in evaluation mode, around the fusion."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder = ConversationEncoder(dict.fromkeys(MODALITIES, 4), FEATURES, heads=2, dropout=0.1, speakers=2)
        model = EmotionClassifier(encoder, build(FEATURES, MODALITIES), classes=3, dropout=0.1)
    return model.double().eval()


def batch_of(N: int, seed: int) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """One conversation of N utterances: features, speakers, lengths."""
    generator = torch.Generator().manual_seed(seed)
    features = {m: torch.randn(N, 4, generator=generator, dtype=torch.float64) for m in MODALITIES}
    return features, torch.randint(2, (N,), generator=generator), torch.tensor([N])


def other_devices() -> list[str]:
    """Accelerators of this machine."""
    return [
        d for d, present in (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available())) if present
    ]


def close(actual: Tensor, expected: Tensor, what: str) -> None:
    """Assert that tensors are equal but for rounding in float64."""
    scale = expected.abs().max().clamp_min(1.0)
    worst = (actual - expected).abs().max() / scale
    assert worst < SMALL, f"{what}: off by {worst:.1e}"
