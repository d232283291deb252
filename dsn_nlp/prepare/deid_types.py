"""The types of identifiers, in the order of the tagger's classes."""

TYPES = (
    "PERSON",
    "PHONE",
    "EMAIL",
    "HEALTH_INSURANCE_NUMBER",
    "SIN",
    "RECORD_NUMBER",
    "LICENCE_NUMBER",
    "DATE_OF_BIRTH",
    "AGE",
    "ADDRESS",
    "POSTAL_CODE",
    "USERNAME",
    "URL",
    "WORKSTATION",
)
