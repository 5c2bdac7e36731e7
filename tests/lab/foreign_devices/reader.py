"""Runs in the viewer's place: reads a study with dicomweb-client and prints what it got as JSON.

Arguments: the bundle's folder, the archive's DICOMweb URL, the study.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from dicomweb_client.api import DICOMwebClient
from requests import Session


def main() -> None:
    """Query (QIDO-RS), retrieve (WADO-RS), print."""
    folder, url, study = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    session = Session()
    session.trust_env = False  # the machine's own CAs do not count
    session.verify = str(folder / "ca.crt")
    session.cert = (str(folder / "dicom-client.crt"), str(folder / "dicom-client.key"))
    client = DICOMwebClient(url, session=session)
    found = client.search_for_studies(search_filters={"StudyInstanceUID": study})
    images = client.retrieve_study(study) if found else []
    json.dump(
        {
            "studies": [entry["0020000D"]["Value"][0] for entry in found],
            "images": {
                str(image.SOPInstanceUID): [str(image.PatientID), image.pixel_array.tolist()] for image in images
            },
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
