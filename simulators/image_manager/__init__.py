"""The image manager beside an Orthanc archive: patient updates and merges, expected procedures, archiving onward."""
