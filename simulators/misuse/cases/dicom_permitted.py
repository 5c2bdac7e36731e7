"""What a DICOM host may do: the positive control of all other cases."""

from simulators.misuse.dicom import control, dicom_case

CASES = (dicom_case("dicom-control", "C-ECHO as permitted: shows that the service is unharmed", control),)
