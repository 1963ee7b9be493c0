"""A DICOM image made from a plain one, so that reports can refer to it (PS3.3 A.8.1)."""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage

from viewer.dicom.model import Frame, Image
from viewer.dicom.pseudonym import Pseudonym
from viewer.dicom.written import put_pixels
from viewer.version import VERSION


def secondary_capture(image: Image, frame: Frame, pseudonym: Pseudonym) -> Dataset:
    """The pixels of a plain image as a Secondary Capture Image, nothing lost.

    A plain image names no patient: the patient's key stands for one. Its UIDs are the same each
    time that it goes out of the same label database.
    """
    capture = Dataset()
    capture.SpecificCharacterSet = "ISO_IR 192"
    capture.SOPClassUID = SecondaryCaptureImageStorage
    capture.SOPInstanceUID = pseudonym.image_uid(
        image.uid, image.frame_number, image.number_of_frames
    )
    capture.StudyInstanceUID = pseudonym.uid(image.study.uid)
    capture.SeriesInstanceUID = pseudonym.uid(f"{image.study.uid}#capture")
    capture.Modality = "OT"
    capture.ConversionType = "WSD"  # from a file, of which nothing else is known
    capture.ImageType = ["DERIVED", "SECONDARY"]
    capture.SeriesNumber, capture.InstanceNumber = 1, image.frame_number
    capture.Manufacturer = capture.SecondaryCaptureDeviceManufacturer = "Lightbox"
    capture.SecondaryCaptureDeviceSoftwareVersions = VERSION
    capture.PatientID = pseudonym.patient_key
    for unknown in (
        "PatientName PatientBirthDate PatientSex StudyDate StudyTime StudyID AccessionNumber "
        "ReferringPhysicianName PatientOrientation"
    ).split():
        setattr(capture, unknown, "")
    capture.PhotometricInterpretation = "RGB" if frame.is_colour else "MONOCHROME2"
    put_pixels(capture, frame.values)
    return capture
