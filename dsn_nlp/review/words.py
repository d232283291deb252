"""What annotators read on their sheets, in French and in English."""

from dsn_nlp.label.names import LABEL_NAMES
from dsn_nlp.records import COMPLAINTS, SENTIMENTS

MEANINGS = {
    "training": (
        "Pas formés, ou trop peu, trop tôt, trop tard, ou sur autre chose ; personne pour montrer.",
        "Not taught, or too little, too early, too late, the wrong thing; nobody to show how.",
    ),
    "security": (
        "Qui peut voir ou changer quoi : accès, séances ouvertes, fuites, mauvais dossier.",
        "Who can see or change what: access, open sessions, leaks, the wrong record.",
    ),
    "administrative_burden": (
        "Plus de clics, de formulaires, de double saisie, de temps passé dans le système.",
        "More clicks, forms, double entry, time spent on the system.",
    ),
    "technical_failure": (
        "Panne, lenteur, bogue, données perdues, connexion ou appareil qui ne marche pas.",
        "Outage, slowness, bug, lost data, a login or device that does not work.",
    ),
    "patient_care": (
        "Soins retardés, annulés, moins bons ou moins sûrs.",
        "Care delayed, cancelled, degraded or made unsafe.",
    ),
    "negative": (
        "Problème, insatisfaction, crainte ou critique envers le DSN.",
        "A problem, dissatisfaction, fear or criticism towards the DSN.",
    ),
    "neutral": (
        "Fait, question, procédure ou plan ; bon et mauvais à parts égales.",
        "A fact, question, procedure or plan; good and bad of equal weight.",
    ),
    "positive": (
        "Satisfaction, amélioration, soulagement ou éloge.",
        "Satisfaction, improvement, relief or praise.",
    ),
}
INSTRUCTIONS = (
    "Mettez un x sous chaque plainte que le passage exprime ou rapporte (aucune, une ou "
    "plusieurs), puis choisissez un seul ton. Étiquetez ce que le passage dit, non ce que vous "
    "en déduisez. Un problème nié ou réglé n’est pas une plainte. En cas de doute, laissez la "
    "ligne vide : elle ne sera pas comptée.",
    "Put an x under each complaint that the passage makes or reports (none, one or several), "
    "then choose one sentiment. Label what the passage says, not what you infer. A problem "
    "that is denied or solved is no complaint. When in doubt leave the row empty: it will not "
    "be counted.",
)
NAMES_IN_ANY_LANGUAGE = {
    said.casefold(): label
    for label in (*COMPLAINTS, *SENTIMENTS)
    for said in (label, *LABEL_NAMES[label])
}
