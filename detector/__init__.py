"""Boxes from arrays: what the detector reads, how it is trained and measured. No Qt, no DICOM."""
