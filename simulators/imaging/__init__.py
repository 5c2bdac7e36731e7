"""Making of DICOM objects: images, presentation states, key objects, measurements and reports."""
