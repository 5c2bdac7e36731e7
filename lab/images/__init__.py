"""Images: a base made by mmdebstrap, and on it one image for each prefix of a role list, keyed by content."""

from __future__ import annotations

from lab.images.ensure import ensure_images

__all__ = ["ensure_images"]
