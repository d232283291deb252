"""What each label is called on screen, French first."""

LABEL_NAMES = {
    "training": ("Formation", "Training"),
    "security": ("Sécurité et confidentialité", "Security and privacy"),
    "administrative_burden": ("Fardeau administratif", "Administrative burden"),
    "technical_failure": ("Défaillance technique", "Technical failure"),
    "patient_care": ("Soins aux patients", "Patient care"),
    "negative": ("négatif", "negative"),
    "neutral": ("neutre", "neutral"),
    "positive": ("positif", "positive"),
}
