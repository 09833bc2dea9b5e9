"""JSON patch, merge patch and strategic merge patch. None changes its arguments; results share parts with them."""

from kubesim.patching.json_patches import json_patch
from kubesim.patching.merge_patches import merge_patch
from kubesim.patching.strategic_patches import strategic_merge_patch

__all__ = ["json_patch", "merge_patch", "strategic_merge_patch"]
