"""Model and training step on padded batches, written the usual way: the tests' oracle, the opponent in tests/perf."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from css.interfaces import BranchLogits


@dataclass(frozen=True)
class PaddedBatch:
    """B conversations padded to the longest: features {m: [B, L, d_m]}, speakers, label and validity [B, L]."""

    features: dict[str, Tensor]
    speakers: Tensor
    label: Tensor
    valid: Tensor

    @staticmethod
    def of(batch):
        """Pad a packed batch."""
        lengths = batch.lengths.tolist()

        def pad(x):
            return pad_sequence(x.split(lengths), batch_first=True)

        valid = pad(torch.ones_like(batch.speakers, dtype=torch.bool))
        features = {m: pad(x) for m, x in batch.features.items()}
        return PaddedBatch(features, pad(batch.speakers), pad(batch.label), valid)


def linear(stacked, i, x):
    """The i-th map of a StackedLinear."""
    return F.linear(x, stacked.weight[i].T, None if stacked.bias is None else stacked.bias[i, 0])


def positions(length, hidden):
    table = torch.empty(length, hidden, dtype=torch.float64)
    for t in range(length):
        for column in range(hidden):
            angle = torch.tensor(t / 10000 ** (column // 2 * 2 / hidden), dtype=torch.float64)
            table[t, column] = angle.cos() if column % 2 else angle.sin()
    return table


class PaddedClassifier:
    """What an EmotionClassifier computes, from its own parameters, on padded batches and modality by modality.

    dropout: a function of a tensor, as public code has it; by default the encoder's own layer.
    """

    def __init__(self, model, longest=200, dropout=None):
        self.model = model
        self.dropout = dropout or model.encoder.dropout
        self.positions = positions(longest, model.encoder.hidden)

    def __call__(self, batch):
        """Logits of every branch at the valid utterances only, conversation after conversation."""
        encoded = {m: x.flatten(0, 1) for m, x in self.encode(batch).items()}
        fused, unimodal = self.model.classify(encoded)
        at = batch.valid.flatten()
        return BranchLogits(fused[at], {m: x[at] for m, x in unimodal.items()})

    def encode(self, batch):
        """{m: [B, L, h]}, meaningless where there is no utterance."""
        encoder = self.model.encoder
        context = self.positions[: batch.valid.shape[1]].to(encoder.speaker.weight.dtype)
        x = [
            self.dropout(encoder.inputs[m](batch.features[m]) + context + encoder.speaker(batch.speakers))
            for m in encoder.modalities
        ]
        slots = range(len(x))
        if encoder.modality_aware is None and encoder.interaction_aware is None:
            read = [[x[i]] for i in slots]
        elif encoder.modality_aware is None:
            read = [[self._cross(i, x, batch.valid)] for i in slots]
        elif encoder.interaction_aware is None:
            read = [[self._own(i, x[i], batch.valid)] for i in slots]
        else:
            own = [self._own(i, x[i], batch.valid) for i in slots]
            read = [[own[i], self._cross(i, own, batch.valid)] for i in slots]
        out = [linear(encoder.reduction, i, torch.cat(read[i], -1)) for i in slots]
        return dict(zip(encoder.modalities, out, strict=True))

    def _own(self, i, x, valid):
        layer = self.model.encoder.modality_aware
        attended = self._attention(layer.heads, *linear(layer.qkv, i, x).chunk(3, -1), valid)
        u = x + self.dropout(linear(layer.out, i, attended))
        normed = F.layer_norm(u, u.shape[-1:], layer.norm_weight[i, 0], layer.norm_bias[i, 0], 1e-6)
        inner = self.dropout(F.gelu(linear(layer.widen, i, normed), approximate="tanh"))
        return u + self.dropout(linear(layer.narrow, i, inner))

    def _cross(self, i, own, valid):
        layer = self.model.encoder.interaction_aware
        others = torch.zeros_like(own[i])
        for j, x in enumerate(own):
            if j != i:
                others = others + torch.sigmoid(linear(layer.gate, j, x)) * x
        query = layer.query(own[i])
        attended = self._attention(layer.heads, query, *layer.key_value(others).chunk(2, -1), valid)
        return layer.norm(layer.out(attended) + query)

    def _attention(self, heads, query, key, value, valid):
        q, k, v = (t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in (query, key, value))
        scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        scores = scores.masked_fill(~valid[:, None, None, :], -torch.inf)
        probabilities = self.dropout(scores.softmax(-1))
        return (probabilities @ v).transpose(1, 2).flatten(2)


class PaddedReleasedClassifier(PaddedClassifier):
    """The same of a model with the released encoder."""

    def encode(self, batch):
        encoder = self.model.encoder
        projected = {m: encoder.inputs[m](batch.features[m]) for m in encoder.modalities}
        for m, shift in encoder.text_shift.items():
            text = projected["text"].detach()
            projected[m] = projected[m] + torch.sigmoid(torch.sigmoid(shift.gate(text))) * shift.shift(text)
        context = self.positions[: batch.valid.shape[1]].to(encoder.speaker.weight.dtype)
        x = [p + context + encoder.speaker(batch.speakers) for p in projected.values()]
        own = [self._own(i, self.dropout(x[i]), batch.valid) for i in range(3)]
        read = [self.dropout(t) for t in x]
        encoded = {}
        for i, m in enumerate(encoder.modalities):
            cross = self._two_sources(read[i], *(read[j] for j in range(3) if j != i), batch.valid)
            cross = cross * torch.sigmoid(linear(encoder.cross_gate, i, cross))
            within = own[i] * torch.sigmoid(linear(encoder.own_gate, i, own[i]))
            encoded[m] = linear(encoder.reduction, i, torch.cat([within, cross], -1))
        return encoded

    def _two_sources(self, x, first, second, valid):
        layer = self.model.encoder.interaction_aware
        query = layer.query(x)
        g_k, g_v = torch.sigmoid(layer.gates(query)).chunk(2, -1)
        (k1, v1), (k2, v2) = layer.first(first).chunk(2, -1), layer.second(second).chunk(2, -1)
        key, value = g_k * k1 + (1 - g_k) * k2, g_v * v1 + (1 - g_v) * v2
        return layer.norm(layer.out(self._attention(layer.heads, query, key, value, valid)) + query)


def padded_step(classifier, batch, objective, aggregator, optimizer):
    """One update as public trainers make it: a backward pass for each objective, and one more for the weighted loss."""
    model = classifier.model
    shared = list(model.encoder.shared_parameters().values())
    losses = objective(classifier(batch), label=batch.label[batch.valid])
    rows = []
    for loss in losses:
        gradients = torch.autograd.grad(loss, shared, retain_graph=True, materialize_grads=True)
        rows.append(torch.cat([g.flatten() for g in gradients]))
    J = torch.stack(rows)
    stacked = torch.stack(losses)
    weights = aggregator(J @ J.T, stacked.detach())
    optimizer.zero_grad()
    (weights @ stacked).backward()
    optimizer.step()
