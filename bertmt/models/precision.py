"""In which number format an encoder computes on this machine."""

from typing import Literal

import torch

Precision = Literal["fp32", "bf16"]
DTYPES: dict[Precision, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16}

# Below this width a CPU spends its time on starting operations, and casting to bf16 only adds some.
LEAST_WIDTH_FOR_BF16 = 256


def choose_precision(wanted: str, device: torch.device, hidden_size: int) -> Precision:
    """`wanted`, or where that is "auto": bf16 where the processor is fast at it, else fp32.

    On a CPU that is one with AVX512-BF16 or AMX, where a bf16 matrix product runs up to 5 times faster than
    fp32 (without them bf16 is emulated and slower), and an encoder wide enough to gain from it.
    """
    if wanted == "fp32" or wanted == "bf16":
        return "fp32" if wanted == "fp32" else "bf16"
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    fast = torch.backends.mkldnn.is_available() and (
        torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    )
    return "bf16" if fast and hidden_size >= LEAST_WIDTH_FOR_BF16 else "fp32"
