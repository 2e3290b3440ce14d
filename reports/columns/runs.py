"""What the columns mean that describe single runs, their classes, and methods."""

from reports.columns.shared import ORIGIN, PARTS, RUN
from reports.measures.conflict import DISPLACEMENT, NORMS
from reports.measures.runs import BY_MODALITY
from reports.reading.runs import OBJECTIVES, PAIRS

CLASSES_OF_RUNS = RUN | {
    "class": "The class.",
    "f1": "F1 of the class on the test set at the selected epoch, %.",
    "precision": "The share of utterances predicted as the class that are of it, %; not a number where there are none.",
    "recall": "The share of the class's utterances that are predicted as it, %; not a number where there are none.",
    "utterances": "The number of test utterances of the class.",
}
HISTORY = RUN | {
    "epoch": "The epoch, from 1.",
    **{f"train_loss_{o}": f"The mean training loss of the {o} objective over the epoch, nats." for o in OBJECTIVES},
    **{
        column: f"The part of the {o} objective that is of {column.rpartition('_')[2]}, nats."
        for o, columns in BY_MODALITY.items() for column in columns
    },
    "train_total": "The mean of the loss that was minimised, nats.",
    "validation_loss": "The validation loss of the fused branch, nats.",
    "validation_weighted_f1": "The weighted F1 on validation data, %.",
}  # fmt: skip
PROBES = RUN | {
    "step": "The number of updates before the probe.",
    "epoch": "The epoch of the probe.",
    **{f"cos_{p}": f"The cosine between the gradients of {p.replace('_', ' and ')}." for p in PAIRS},
    **{f"weight_{o}": f"The weight that PGM would give the {o} objective." for o in OBJECTIVES},
    **{f"update_cos_{o}": f"The cosine of the combined gradient with the gradient of {o}." for o in OBJECTIVES},
    **{
        name: f"The length of the gradient of the {o} objective." for name, o in zip(NORMS, OBJECTIVES, strict=True)
    },
    **{
        name: f"The cosine of the optimiser's step with the gradient of {o}."
        for name, o in zip(DISPLACEMENT, OBJECTIVES, strict=True)
    },
}  # fmt: skip
PER_CLASS = ORIGIN | {
    "method": "The method's label.",
    "class": "The class.",
    "utterances": "The number of test utterances of the class.",
    "n": "The number of runs.",
} | {
    f"f1_{part}": f"F1 of the class on the test set at the selected epoch, %: {how}."
    for part, how in PARTS.items() if part != "n"
} | {
    "gain": "The reference method's F1 of the class minus this method's, paired by seed, points.",
    "gain_low": "Lower end of its 95 % interval, points.",
    "gain_high": "Upper end of its 95 % interval, points.",
    "never_predicted": "The number of runs that never predict the class.",
}  # fmt: skip
RUNS = ORIGIN | {
    "method": "The method's label.",
    "seed": "The run's seed.",
    "weighted_f1": "Test weighted F1 at the epoch of the result, %.",
    "accuracy": "Test accuracy at that epoch, %.",
    "epoch": "That epoch, from 1; empty of an import.",
    "validation_weighted_f1": "Weighted F1 on validation data at that epoch, %.",
    "peak_test_weighted_f1": "Test weighted F1 at the best test epoch, which is never a result, %.",
    "train_seconds": "Wall time of training, seconds.",
    "remarks": "Whether the run diverged, and its protocol where that is not the usual one.",
    "key": "The hash of all that determines the run, and the name of its folder in the store.",
}  # fmt: skip
METHODS = {
    "method": "The method's label.",
    "canonical": "The method's name by its parts.",
    "fusion": "The name of its fusion.",
    "aggregator": "The name of its aggregator of gradients.",
    "encoder": "The name of its encoder.",
    "objectives": "The name of its objectives.",
    "options": "The options of its parts.",
}  # fmt: skip
