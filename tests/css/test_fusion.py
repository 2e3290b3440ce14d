"""SynergisticPolynomialFusion against the equations written as a plain loop."""

import itertools
import math

import pytest
import torch
from torch.nn import functional as F

from css import SynergisticPolynomialFusion
from css.fusion import EPSILON, signed_square_root

MODALITIES = ("text", "audio", "visual")
SWITCHES = ("shared", "gates", "anchor", "signed_sqrt")
ALL_SWITCHES = list(itertools.product([False, True], repeat=4))


def inputs(features=5, N=7, seed=0, modalities=MODALITIES):
    generator = torch.Generator().manual_seed(seed)
    return {m: torch.randn(N, features, generator=generator, dtype=torch.float64) for m in modalities}


def fusion(features=5, rank=3, order=3, **options):
    """In float64, all parameters random, so that gates of 1 and anchors of 0 cannot hide."""
    torch.manual_seed(0)
    module = SynergisticPolynomialFusion(features, rank, order, **options).double()
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter)
    return module


def by_hand(module, x):
    """The equations of SPF (Lyu et al., AAAI 2026), utterance by utterance, order by order, modality by modality."""
    rank = module.out_features
    rows = []
    for n in range(len(next(iter(x.values())))):
        z = torch.ones(rank, dtype=torch.float64)
        for j in range(module.order):
            factor = torch.zeros(rank, dtype=torch.float64)
            for i, m in enumerate(module.modalities):
                W = module.weight[i if len(module.weight) > 1 else 0, :, j * rank : (j + 1) * rank].T
                a = W @ x[m][n]
                φ = 0.5 * a * (1 + torch.tanh(math.sqrt(2 / math.pi) * (a + 0.044715 * a**3)))
                factor = factor + (1 if module.gate is None else module.gate[i, j]) * φ
            z = z * (factor if module.anchor is None else factor + module.anchor[j])
        if module.signed_sqrt:
            z = torch.sign(z) * (torch.sqrt(z.abs() + EPSILON) - math.sqrt(EPSILON))
        rows.append(z)
    return torch.stack(rows)


@pytest.mark.parametrize("order", [1, 2, 4])
@pytest.mark.parametrize("switches", ALL_SWITCHES, ids=str)
def test_output_is_the_equation_under_every_switch(switches, order):
    options = dict(zip(SWITCHES, switches, strict=True))
    module, x = fusion(order=order, **options), inputs()
    torch.testing.assert_close(module(x), by_hand(module, x))


@pytest.mark.parametrize("switches", ALL_SWITCHES, ids=str)
def test_gradients_are_those_of_finite_differences(switches):
    module = fusion(features=3, rank=2, order=2, **dict(zip(SWITCHES, switches, strict=True)))
    x = inputs(features=3, N=2)
    assert module(x).abs().min() > 1e-3  # away from the kink of the slope at 0
    names, parameters = zip(*module.named_parameters(), strict=True)

    def forward(text, audio, visual, *values):
        features = dict(zip(MODALITIES, (text, audio, visual), strict=True))
        return torch.func.functional_call(module, dict(zip(names, values, strict=True)), (features,))

    leaves = [t.detach().clone().requires_grad_() for t in (*x.values(), *parameters)]
    assert torch.autograd.gradcheck(forward, leaves)


def test_gradient_at_zero_is_the_true_slope():
    """At x = 0 without anchor z is 0: the root's slope there is 1/(2√ε), not 0 or infinite."""
    module = fusion(order=1, anchor=False)
    x = [torch.zeros(2, 5, dtype=torch.float64, requires_grad=True) for _ in MODALITIES]
    forward = lambda *x: module(dict(zip(MODALITIES, x, strict=True)))  # noqa: E731
    assert torch.autograd.gradcheck(forward, x, eps=1e-10, rtol=1e-3, atol=0)
    assert torch.autograd.grad(forward(*x).sum(), x[0])[0].abs().max() > 50


def test_signed_square_root():
    z = torch.linspace(-3, 3, 101, dtype=torch.float64)
    torch.testing.assert_close(signed_square_root(z), z.sign() * ((z.abs() + 1e-6).sqrt() - 1e-3))
    torch.testing.assert_close(signed_square_root(-z), -signed_square_root(z))
    zero = torch.zeros((), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.grad(signed_square_root(zero), zero)[0].item() == pytest.approx(500)


@pytest.mark.parametrize("value", [0.0, 1e-30, -1e4])
@pytest.mark.parametrize("anchor", [False, True])
def test_float32_gradients_are_finite_at_zero_and_at_large_inputs(value, anchor):
    torch.manual_seed(0)
    module = SynergisticPolynomialFusion(16, 4, 4, anchor=anchor)
    x = {m: torch.full((3, 16), value, requires_grad=True) for m in MODALITIES}
    out = module(x)
    gradients = torch.autograd.grad(out.sum(), [*x.values(), *module.parameters()])
    assert out.isfinite().all()
    assert all(g.isfinite().all() for g in gradients)


def test_utterances_are_fused_one_by_one():
    module, x = fusion(), inputs()
    order = torch.randperm(7, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(module({m: t[order] for m, t in x.items()}), module(x)[order])
    torch.testing.assert_close(module({m: t[:1] for m, t in x.items()}), module(x)[:1])


def test_without_gates_and_anchor_shared_projections_treat_modalities_alike():
    x = inputs()
    swapped = {"text": x["visual"], "audio": x["text"], "visual": x["audio"]}
    symmetric = fusion(shared=True, gates=False, anchor=False)
    torch.testing.assert_close(symmetric(swapped), symmetric(x))
    own = fusion(gates=False, anchor=False)
    assert not torch.allclose(own(swapped), own(x))


@pytest.mark.parametrize("modalities", [("text",), ("visual", "text")])
def test_any_subset_of_modalities(modalities):
    module, x = fusion(modalities=modalities), inputs()
    torch.testing.assert_close(module(x), by_hand(module, x))  # modalities it was not built for are not read


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({}, 3 * 4 * 8 * 5 + 3 * 4 + 4 * 5),
        ({"shared": True}, 4 * 8 * 5 + 3 * 4 + 4 * 5),
        ({"gates": False}, 3 * 4 * 8 * 5 + 4 * 5),
        ({"anchor": False}, 3 * 4 * 8 * 5 + 3 * 4),
    ],
)
def test_parameter_count(options, count):
    module = SynergisticPolynomialFusion(8, 5, 4, **options)
    assert sum(p.numel() for p in module.parameters()) == count
    assert module.out_features == 5


def test_initialisation_is_that_of_the_release():
    torch.manual_seed(0)
    module = SynergisticPolynomialFusion(6, 4, 3000)
    assert (module.gate == 1).all()
    assert module.weight.std().item() == pytest.approx(math.sqrt(2 / (6 + 4)), rel=0.02)
    assert module.anchor.std().item() == pytest.approx(math.sqrt(2 / (1 + 4)), rel=0.02)


def test_initialisation_depends_on_the_seed_only():
    def draw(seed):
        torch.manual_seed(seed)
        return SynergisticPolynomialFusion(4, 2, 2).weight

    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        ({"rank": 0}, "rank is 0; it has to be at least 1"),
        ({"order": -1}, "order is -1; it has to be at least 1"),
        ({"features": 0}, "features is 0; it has to be at least 1"),
        ({"modalities": ()}, "modalities is 0; it has to be at least 1"),
    ],
)
def test_impossible_sizes_are_refused(arguments, cause):
    with pytest.raises(ValueError, match=cause):
        SynergisticPolynomialFusion(**{"features": 4, "rank": 2, "order": 2} | arguments)


def test_activation_is_the_tanh_gelu():
    module = fusion(features=1, rank=1, order=1, modalities=("text",), gates=False, anchor=False, signed_sqrt=False)
    x = torch.linspace(-3, 3, 50, dtype=torch.float64).unsqueeze(-1)
    a = x * module.weight.squeeze()
    torch.testing.assert_close(module({"text": x}), F.gelu(a, approximate="tanh"), rtol=1e-12, atol=0)
