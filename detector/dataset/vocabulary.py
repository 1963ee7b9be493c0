"""What the words of the sources mean here: one table for every reader of a public set."""

from __future__ import annotations

from collections.abc import Mapping

OPACITY, EFFUSION = "opacity", "effusion"

CATEGORIES = (
    OPACITY, EFFUSION, "fibrosis", "nodule", "calcification", "fracture", "atelectasis",
    "emphysema", "cardiomegaly", "pneumothorax", "pleural thickening",
)  # fmt: skip
"""Every category of the table below, in the order in which a network answers."""

RSNA, CHESTX_DET, NIH, VINDR = "RSNA2018", "ChestX-Det", "NIH-BBox2017", "VinDr-CXR"

CATEGORY_OF: Mapping[tuple[str, str], str] = {
    (RSNA, "Lung Opacity"): OPACITY,
    (CHESTX_DET, "Consolidation"): OPACITY,
    (NIH, "Pneumonia"): OPACITY,
    (NIH, "Infiltrate"): OPACITY,
    (CHESTX_DET, "Effusion"): EFFUSION,
    (NIH, "Effusion"): EFFUSION,
    (CHESTX_DET, "Fibrosis"): "fibrosis",
    (CHESTX_DET, "Nodule"): "nodule",
    (CHESTX_DET, "Mass"): "nodule",
    (CHESTX_DET, "Diffuse Nodule"): "nodule",
    (NIH, "Nodule"): "nodule",
    (NIH, "Mass"): "nodule",
    (CHESTX_DET, "Calcification"): "calcification",
    (CHESTX_DET, "Fracture"): "fracture",
    (CHESTX_DET, "Atelectasis"): "atelectasis",
    (NIH, "Atelectasis"): "atelectasis",
    (CHESTX_DET, "Emphysema"): "emphysema",
    (CHESTX_DET, "Cardiomegaly"): "cardiomegaly",
    (NIH, "Cardiomegaly"): "cardiomegaly",
    (CHESTX_DET, "Pneumothorax"): "pneumothorax",
    (NIH, "Pneumothorax"): "pneumothorax",
    (CHESTX_DET, "Pleural Thickening"): "pleural thickening",
    (VINDR, "Lung Opacity"): OPACITY,
    (VINDR, "Consolidation"): OPACITY,
    (VINDR, "Infiltration"): OPACITY,
    (VINDR, "Pleural effusion"): EFFUSION,
    (VINDR, "Pulmonary fibrosis"): "fibrosis",
    (VINDR, "Nodule/Mass"): "nodule",
    (VINDR, "Calcification"): "calcification",
    (VINDR, "Rib fracture"): "fracture",
    (VINDR, "Clavicle fracture"): "fracture",
    (VINDR, "Atelectasis"): "atelectasis",
    (VINDR, "Emphysema"): "emphysema",
    (VINDR, "Cardiomegaly"): "cardiomegaly",
    (VINDR, "Pneumothorax"): "pneumothorax",
    (VINDR, "Pleural thickening"): "pleural thickening",
}
"""(source, name in the source) to category. VinDr's other names (aortic enlargement, ILD, lung
cavity...) have no counterpart in the other sources; their boxes are counted and left out."""

NIH_CLASSES = (
    "Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Effusion", "Emphysema", "Fibrosis",
    "Hernia", "Infiltration", "Mass", "Nodule", "Pleural_Thickening", "Pneumonia", "Pneumothorax",
)  # fmt: skip
"""The image-level labels of ChestX-ray14, mined from reports: Wang et al., CVPR 2017."""

NO_FINDING = "No Finding"

READ_OPACITY = "read_opacity"
"""Image-level class: a radiologist who looked for opacities boxed one; unknown where none did."""

IMAGE_CLASSES = (*NIH_CLASSES, READ_OPACITY)
"""What a network trained on these sets answers for a whole image."""

RSNA_OPACITY = "rsna_opacity"
"""Image-level class that is measured and not trained: RSNA's Lung Opacity against its Normal; of
an abnormal image without an opacity it is unknown."""

REPORT_NEGATIVE = 0.3
"""Weight of a category's absence that nothing but a report without finding says."""


def categories_of(source: str) -> tuple[str, ...]:
    """What a source has names for, in the order of `CATEGORIES`."""
    named = {category for (of, _), category in CATEGORY_OF.items() if of == source}
    return tuple(c for c in CATEGORIES if c in named)
