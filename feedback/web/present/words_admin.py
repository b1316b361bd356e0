"""The words of the admin's pages for codes: what each time of a policy is for."""

from __future__ import annotations

from feedback.kernel.text import N_

AMOUNT_NAMES = {
    "dispatch": N_("To dispatch it"),
    "signing": N_("To sign for it"),
    "first_response": N_("To a first reply"),
    "return_window": N_("To hand it back"),
    "resolution": N_("To have it done"),
    "rework": N_("To do it again after a dispute"),
    "confirmation": N_("For the submitter to confirm"),
    "leg_floor": N_("A unit's own time at least"),
    "assist": N_("For an assisting unit"),
    "decision": N_("To decide a request"),
    "adjudication": N_("To rule who is responsible"),
    "appeal": N_("To decide an appeal"),
    "wait": N_("To wait for the submitter's answer"),
    "urge": N_("Between two urgings"),
    "whistle": N_("Until a unit may call for help"),
}
