"""What a DICOM host may do: the positive controls, and images for others to be refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.misuse.dicom import control, dicom_case, forge, own_context, own_title, peer_of

if TYPE_CHECKING:
    import argparse

    from simulators.misuse.outcome import Answer
    from simulators.settings import Settings


def store(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """C-STORE of an image with the host's own certificate and AE title, where it may."""
    return forge(
        peer_of(arguments, settings, "C-STORE"), own_title(settings), own_context(settings), instance=arguments.instance
    )


CASES = (
    dicom_case("dicom-control", "C-ECHO as permitted: shows that the service is unharmed", control),
    dicom_case("dicom-store", "C-STORE as permitted: leaves a study of a patient whom nobody knows", store),
)
