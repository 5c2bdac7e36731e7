"""Callers with a good certificate and a name that is not theirs, or for somebody who is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.misuse.dicom import dicom_case, forge, needed, own_context, own_title, peer_of

if TYPE_CHECKING:
    import argparse

    from simulators.misuse.outcome import Answer
    from simulators.settings import Settings


def other_title(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """The host's own certificate and somebody else's AE title."""
    title = needed(arguments.ae_title, "--ae-title")
    return forge(peer_of(arguments, settings), title, own_context(settings), instance=arguments.instance)


def unknown_called(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """An AE title that the peer does not have."""
    title = needed(arguments.ae_title, "--ae-title")
    return forge(
        peer_of(arguments, settings),
        own_title(settings),
        own_context(settings),
        called=title,
        instance=arguments.instance,
    )


CASES = (
    dicom_case("dicom-other-title", "another host's calling AE title", other_title, "--ae-title MR1"),
    dicom_case("dicom-unknown-called", "a called AE title that is not there", unknown_called, "--ae-title NOBODY"),
)
