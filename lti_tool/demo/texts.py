"""The platform's sentences: written in French where they are used, English here."""

from lti_tool.demo.browser import language

ENGLISH = {
    "Accueil": "Home",
    "Entrer comme…": "Enter as…",
    "Entrer": "Enter",
    "Entrer comme {}": "Enter as {}",
    "Choisissez une personne du lycée : vous verrez la plateforme et l'outil avec ses yeux.": (
        "Choose somebody of the school: you will see the platform and the tool through their eyes."
    ),
    "Aucun mot de passe : tout ici est fictif, les personnes aussi.": (
        "No password: everything here is fictional, and so are the people."
    ),
    "Vous êtes {}.": "You are {}.",
    "Mes cours": "My courses",
    "Aller au contenu": "Skip to content",
    "Sortir": "Leave",
    "Enseignants": "Teachers",
    "Enseignants non éditeurs": "Non-editing teachers",
    "Élèves": "Pupils",
    "inscription suspendue": "enrolment suspended",
    "Activités": "Activities",
    "Ajouter une activité": "Add an activity",
    "Carnet de notes": "Gradebook",
    "Mes notes": "My grades",
    "Aucune activité pour l'instant.": "No activity yet.",
    "noté sur {}": "graded out of {}",
    "non noté": "not graded",
    "Dupliquer": "Duplicate",
    "Supprimer": "Delete",
    "Dupliquer « {} »": "Duplicate “{}”",
    "Supprimer « {} »": "Delete “{}”",
    "Choisir dans {}": "Choose in {}",
    "Choisir un contenu": "Choose content",
    "L'outil s'ouvre et vous propose ses contenus ; chacun devient une activité du cours.": (
        "The tool opens and offers its contents; each one becomes an activity of the course."
    ),
    "Ajouter un simple lien": "Add a plain link",
    "Nom de l'activité": "Name of the activity",
    "Activité notée (sur 100)": "Graded activity (out of 100)",
    "Ajouter": "Add",
    "Ouvrir {}": "Open {}",
    "Ouvrir dans une nouvelle fenêtre": "Open in a new window",
    "Continuer": "Continue",
    "Un instant…": "One moment…",
    "Si rien ne se passe, utilisez le bouton.": "If nothing happens, use the button.",
    "« {} » a été ajoutée.": "“{}” has been added.",
    "« {} » a été supprimée.": "“{}” has been deleted.",
    "1 activité ajoutée.": "1 activity added.",
    "{} activités ajoutées.": "{} activities added.",
    "Rien n'a été ajouté.": "Nothing was added.",
    "Revenir au cours": "Back to the course",
    "Revenir au carnet de notes": "Back to the gradebook",
    "Revenir à l'accueil": "Back to the home page",
    "Une erreur est survenue au lancement de l'outil :": "An error occurred when launching the tool:",
    "L'outil vous dit :": "The tool says:",
    "Requête non valide": "Invalid request",
    "Pour recommencer, rouvrez l'activité depuis le cours.": (
        "To start again, open the activity from the course."
    ),
    "Vous n'avez pas accès à cette page.": "You have no access to this page.",
    "Cette page n'existe pas.": "This page does not exist.",
    "Cette demande n'a pas été comprise.": "This request was not understood.",
    "Entrez d'abord comme une personne inscrite à ce cours.": (
        "First enter as somebody enrolled in this course."
    ),
    "Aucune colonne pour l'instant.": "No column yet.",
    "Élève": "Pupil",
    "sur {}": "out of {}",
    "verrouillée": "locked",
    "créée par l'outil": "made by the tool",
    "note d'activité": "activity grade",
    "Verrouiller": "Lock",
    "Déverrouiller": "Unlock",
    "Verrouiller « {} »": "Lock “{}”",
    "Déverrouiller « {} »": "Unlock “{}”",
    "Tableau des notes, défilant": "Table of grades, scrollable",
    "Modifier": "Edit",
    "Modifier la note : {}, {}": "Edit the grade: {}, {}",
    "Voir le travail": "See the work",
    "Voir le travail : {}, {}": "See the work: {}, {}",
    "modifiée à la main": "changed by hand",
    "Note": "Grade",
    "Colonne": "Column",
    "Commentaire": "Feedback",
    "Enregistrer": "Save",
    "Vide : pas de note.": "Empty: no grade.",
    "Reprendre la valeur de l'outil": "Take the tool's value back",
    "Cette valeur remplace celle de l'outil, qui ne pourra plus la changer.": (
        "This value replaces the tool's, which can no longer change it."
    ),
    "Une note plus récente de l'outil remplacera cette valeur.": (
        "A more recent grade of the tool will replace this value."
    ),
    "Cette colonne est verrouillée.": "This column is locked.",
    "Personne n'est entré ici avec ce navigateur.": "Nobody has entered here in this browser.",
    "Un paramètre est présent deux fois.": "A parameter is there twice.",
    "redirect_uri n'est pas l'adresse enregistrée, au caractère près.": (
        "redirect_uri is not, character for character, the registered address."
    ),
    "Ce lancement a déjà servi, ou n'est pas le vôtre.": "This launch has served already, or is not yours.",
    "L'activité ou l'inscription n'existe plus.": "The activity or the enrolment no longer exists.",
    "Langue": "Language",
    "Bonjour {}": "Hello {}",
    "Mes services": "My services",
    "{}, services de la classe": "{}, services of the class",
    "s'ouvre dans une nouvelle fenêtre": "opens in a new window",
    "Notes de la classe": "Grades of the class",
    "ce que les services ont envoyé": "what the services have sent",
    "Ajouter un service à la classe": "Add a service to the class",
    "Nom du service": "Name of the service",
    "Il s'ouvrira dans une nouvelle fenêtre, avec une colonne dans les notes de la classe.": (
        "It will open in a new window, with a column among the grades of the class."
    ),
    "Vous n'avez aucune classe.": "You have no class.",
    "Cette fenêtre peut être fermée.": "This window may be closed.",
    "Administration : outils externes": "Administration: external tools",
    "Outils externes": "External tools",
    "Adresse d'inscription de l'outil": "Registration address of the tool",
    "Ajouter LTI Advantage": "Add LTI Advantage",
    "Outils connus": "Known tools",
    "outil {}": "tool {}",
    "actif": "active",
    "en attente": "pending",
    "noms transmis": "names are shared",
    "sans les noms": "without names",
    "Activer": "Activate",
    "Activer : outil {}": "Activate: tool {}",
    "Mettre en attente": "Make pending",
    "Mettre en attente : outil {}": "Make pending: tool {}",
    "« {} » est activé.": "“{}” is active.",
    "« {} » est en attente.": "“{}” is pending.",
    "Un outil de ce site est déjà connu": "A tool of this site is already known",
    "Mettre à jour l'outil {}": "Update tool {}",
    "Ajouter un nouvel outil": "Add a new tool",
    "Inscrire un outil": "Register a tool",
    "Revenir aux outils": "Back to the tools",
    "Démonstration : données fictives": "Demonstration: fictional data",
}


def text(french: str) -> str:
    """The sentence in the language of this browser; French when nobody has translated it."""
    return ENGLISH.get(french, french) if language() == "en" else french


def number(value: float | None) -> str:
    """A grade for reading: at most two decimals, a comma in French, a dash for none."""
    if value is None:
        return "–"
    written = f"{value:.2f}".rstrip("0").rstrip(".")
    return written if language() == "en" else written.replace(".", ",")
